"""The embedded server: a Nango server inside this process, without broker and port."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from nango_jupyter.client import Nango
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.transport.embedded import EmbeddedTransport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_jupyter.server import NangoServer

__all__ = ["LocalServer", "missing_extra"]

# The packages of the extra "local", by the name that they are imported by.
_LOCAL_PACKAGES = frozenset({"aiosqlite", "click", "httpx", "pydantic", "sqlalchemy", "yaml"})


class LocalServer:
    """A Nango server in this process.

    Parameters
    ----------
    folder : str or Path, optional
        The integrations folder; its connections are kept in a SQLite file inside it. Without
        one, the samples are served, and connections are kept in memory.

    Raises
    ------
    NangoConfigError
        On starting, if the folder can't be used; it lists everything that is wrong.
    NangoUsageError
        On starting, if the packages of the extra ``local`` are not installed.

    Examples
    --------
    >>> async with LocalServer() as server:  # doctest: +SKIP
    ...     nango = server.client()
    ...     await nango.register_connection("demo", "ada", "any-token")
    ...     await nango.trigger_action("demo", "echo", "ada", {"msg": "hello"})
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = None if folder is None else Path(folder).expanduser()
        self._stack = AsyncExitStack()
        self._server: NangoServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Start; do nothing if that was done."""
        if self._server is not None:
            return
        try:
            from nango_jupyter.server.opening import open_server
        except ModuleNotFoundError as error:
            raise missing_extra(error) from None
        self._loop = asyncio.get_running_loop()
        self._server = await self._stack.enter_async_context(open_server(self._folder))

    async def stop(self) -> None:
        """Close all clients, which stops what runs, and stop."""
        self._server = None
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def client(self, *, timeout: float | None = None) -> Nango:
        """Return a new client of this server, open already.

        Parameters
        ----------
        timeout : float, optional
            As in `Nango`.

        Raises
        ------
        NangoUsageError
            If the server is not running.
        """
        server = self._running()
        name = "the samples" if self._folder is None else str(self._folder)
        nango = Nango(
            transport=EmbeddedTransport(server.handle, f"embedded server ({name})", self._loop),
            timeout=timeout,
        )
        self._stack.push_async_callback(nango.close)
        return nango

    def integrations(self) -> Mapping[str, list[str]]:
        """Return the names of the integrations, each with those of its actions."""
        return self._running().integrations()

    def _running(self) -> NangoServer:
        if self._server is None:
            raise NangoUsageError(
                "The local server is not running",
                "Use: async with LocalServer() as server: …",
            )
        return self._server


def missing_extra(error: ModuleNotFoundError) -> Exception:
    """Say how to install the extra ``local``, if it is one of its packages that is missing."""
    package = (error.name or "").partition(".")[0]
    if package not in _LOCAL_PACKAGES:
        return error
    return NangoUsageError(
        f"The local server needs the package {package}, which is not installed",
        'Run: pip install "nango-jupyter[local]"',
    )
