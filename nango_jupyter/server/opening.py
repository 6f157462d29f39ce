"""Starts a server on an integrations folder, or on the samples where none is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nango_jupyter.samples import Samples
from nango_jupyter.server.server import NangoServer

__all__ = ["open_server"]


@asynccontextmanager
async def open_server(folder: Path | None) -> AsyncIterator[NangoServer]:
    """Run a server for the time of the block.

    Parameters
    ----------
    folder : Path or None
        Connections are kept in a file inside it. Without one the samples are served, their
        little API runs meanwhile, and connections are kept in memory.

    Raises
    ------
    NangoConfigError
        With everything that is wrong with the folder.
    """
    if folder is not None:
        async with NangoServer(folder) as server:
            yield server
        return
    with Samples() as samples:
        async with NangoServer(
            samples.folder, store_url=":memory:", environ=samples.environ
        ) as server:
            yield server
