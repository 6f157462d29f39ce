"""Starts a server on an integrations folder, or on the samples where none is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nango_jupyter.samples import Samples
from nango_jupyter.server.server import NangoServer

__all__ = ["open_server"]


@asynccontextmanager
async def open_server(
    folder: Path | None, *, store_url: str | None = None
) -> AsyncIterator[NangoServer]:
    """Run a server for the time of the block.

    Parameters
    ----------
    folder : Path or None
        Without one the samples are served, and their little APIs run meanwhile.
    store_url : str, optional
        As in `NangoServer`. Without it connections are kept in a file in the folder, and those of
        the samples in memory.

    Raises
    ------
    NangoConfigError
        With everything that is wrong with the folder, or what is wrong with the store.
    """
    if folder is not None:
        async with NangoServer(folder, store_url=store_url) as server:
            yield server
        return
    with Samples() as samples:
        async with NangoServer(
            samples.folder, store_url=store_url or ":memory:", environ=samples.environ
        ) as server:
            yield server
