"""Counts the servers that listen to a connection, without holding anything up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nango_jupyter.client import Nango

__all__ = ["ServerCount"]

# How soon it asks again for the same connection, in seconds: changes come in swarms.
_FRESH_SECONDS = 2.0
# How long it waits for a server where there is none yet, in seconds.
_WAIT_SECONDS = 2.0


class ServerCount:
    """How many servers listen; as long as there are none, it looks for one.

    Parameters
    ----------
    find_loop : function
        Returns the main loop.
    on_change : function
        Called on the main loop when the count has changed.

    Attributes
    ----------
    count : int or None
        None while that is not known, or can't be told.
    """

    def __init__(
        self, find_loop: Callable[[], asyncio.AbstractEventLoop], on_change: Callable[[], object]
    ) -> None:
        self._find_loop = find_loop
        self._on_change = on_change
        self._client: Nango | None = None
        self._asked = float("-inf")
        self._asking: Future[None] | None = None
        self.count: int | None = None

    def follow(self, client: Nango | None) -> None:
        """Count the servers that listen to a client; None ends it."""
        if client is not self._client:
            self.close()
            self._client, self.count, self._asked = client, None, float("-inf")
        is_asking = self._asking is not None and not self._asking.done()
        if client is None or is_asking or time.monotonic() - self._asked < _FRESH_SECONDS:
            return
        self._asked = time.monotonic()
        self._asking = asyncio.run_coroutine_threadsafe(self._ask(client), self._find_loop())

    async def _ask(self, client: Nango) -> None:
        while True:
            count = await client.server_count()
            if count != self.count:
                self.count = count
                self._on_change()
            if count != 0:
                return
            await asyncio.sleep(_WAIT_SECONDS)

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
