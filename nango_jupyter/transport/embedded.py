"""Requests to a server in the same process: the same bytes as on the wire, no broker, no port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nango_jupyter.exceptions import NangoTimeoutError
from nango_jupyter.transport.base import closed_error, other_loop_error

__all__ = ["EmbeddedTransport"]


class EmbeddedTransport:
    """Hands each request to a function that answers it.

    Parameters
    ----------
    handle : async function of bytes to bytes
        The server: takes a request's body, returns the reply's.
    address : str
        What the server is called where it is shown.
    loop : event loop, optional
        The only one on which the server can answer.
    tell : async function of bytes to bytes, optional
        Answers what there is to trigger.
    """

    def __init__(
        self,
        handle: Callable[[bytes], Awaitable[bytes]],
        address: str,
        loop: asyncio.AbstractEventLoop | None = None,
        tell: Callable[[bytes], Awaitable[bytes]] | None = None,
    ) -> None:
        self._handle = handle
        self._tell = tell
        self._running: set[asyncio.Future[bytes]] = set()
        self._loop = loop
        self.address = address
        self.is_open = True  # there is nothing to connect to

    async def connect(self, timeout: float) -> None:  # noqa: ARG002 - opens at once
        """Open the transport. See `Transport.connect`."""
        self.is_open = True

    async def request(self, body: bytes, timeout: float) -> bytes:
        """Let the server answer. See `Transport.request`.

        What is given up on is cancelled, so that it doesn't go on unseen in the kernel.
        """
        # The server's store and HTTP clients live on one loop; a request from another one leaves
        # their locks taken, and nothing works any more.
        if self._loop not in (None, asyncio.get_running_loop()):
            raise other_loop_error()
        running = asyncio.ensure_future(self._handle(body))
        self._running.add(running)
        try:
            await asyncio.wait({running}, timeout=timeout)
        finally:
            self._running.discard(running)
            is_late = not running.done()
            running.cancel()
        if is_late:
            raise NangoTimeoutError(
                f"No answer within {timeout:g} s: the action was cancelled",
                "Give it longer with timeout=SECONDS (in a magic: --timeout SECONDS). Code that "
                "blocks, in time.sleep say, is stopped when it comes back to Python.",
            )
        if running.cancelled():
            raise closed_error()
        return running.result()

    async def ask(self, queue: str, body: bytes, timeout: float) -> bytes | None:  # noqa: ARG002
        """Ask what there is to trigger; None if nobody can tell, or not in time."""
        if self._tell is None:
            return None
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise other_loop_error()
        try:
            async with asyncio.timeout(timeout):
                return await self._tell(body)
        except TimeoutError:
            return None

    async def server_count(self) -> int | None:
        """Return 1: the server is here."""
        return 1

    async def close(self) -> None:
        """Stop what is under way. See `Transport.close`."""
        self.is_open = False
        running = list(self._running)
        for request in running:
            request.cancel()
        await asyncio.gather(*running, return_exceptions=True)
