"""Runs what a form was asked for on the kernel's main loop, one thing at a time.

JupyterLab sends clicks to another thread, with another loop, so that they work while a cell runs;
clients live on the main one.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Protocol, TypeVar

__all__ = ["SETTLE_SECONDS", "Worker"]

T = TypeVar("T")

# Two clicks that come closer together are a double click. What began has its buttons disabled for
# as long, in seconds, so that a second click that is meant is not lost.
SETTLE_SECONDS = 0.5
_TICK_SECONDS = 1.0


class Listener(Protocol):
    """Who is told what becomes of the work: on the main loop, but for `on_begin`."""

    def on_begin(self) -> None:
        """Hear that it was accepted, and waits for the main loop."""

    def on_tick(self, seconds: float) -> None:
        """Hear for how many seconds it has run, 0 at first."""

    def on_end(self, error: BaseException | None) -> None:
        """Hear that it has ended; with a CancelledError if it was cancelled."""

    def on_settled(self) -> None:
        """Hear that the next thing can begin: a click now is no double click any more."""


class Worker:
    """One thing at a time, on the main loop.

    Parameters
    ----------
    find_loop : function
        Returns the main loop.
    listener : Listener
    """

    def __init__(
        self, find_loop: Callable[[], asyncio.AbstractEventLoop], listener: Listener
    ) -> None:
        self._find_loop = find_loop
        self._listener = listener
        self._lock = threading.Lock()
        self._future: Future[None] | None = None
        self._asked = float("-inf")
        self._is_cancelled = False

    @property
    def is_busy(self) -> bool:
        """Whether something runs, or waits for the main loop."""
        return self._future is not None

    def begin(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        done: Callable[[T], object] | None = None,
    ) -> bool:
        """Begin to run, from any thread; return at once.

        Returns
        -------
        bool
            False if it was not begun: something runs still, or this was a double click.
        """
        with self._lock:
            now = time.monotonic()
            is_double = now - self._asked < SETTLE_SECONDS
            self._asked = now
            if self._future is not None or is_double:
                return False
            self._future = Future()
            self._is_cancelled = False
        self._listener.on_begin()
        running = asyncio.run_coroutine_threadsafe(self._run(work, done), self._find_loop())
        self._future = running
        running.add_done_callback(self._end)
        return True

    async def _run(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        done: Callable[[T], object] | None,
    ) -> None:
        if self._is_cancelled:  # while it waited: asyncio would let it take its first step
            raise asyncio.CancelledError
        begun = time.monotonic()
        self._listener.on_tick(0)
        task = asyncio.ensure_future(work())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_TICK_SECONDS)
                if not task.done():
                    self._listener.on_tick(time.monotonic() - begun)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        result = task.result()
        if done:
            done(result)

    def cancel(self) -> None:
        """Cancel what runs, or waits; from any thread."""
        self._is_cancelled = True
        if self._future is not None:
            self._future.cancel()

    def _end(self, running: Future[None]) -> None:
        # Cancelling ends this future at once, in the thread that asked for it.
        try:
            error = running.exception()
        except CancelledError as cancelled:
            error = cancelled
        loop = self._find_loop()
        loop.call_soon_threadsafe(self._tell, loop, error)

    def _tell(self, loop: asyncio.AbstractEventLoop, error: BaseException | None) -> None:
        self._listener.on_end(error)
        left = SETTLE_SECONDS - (time.monotonic() - self._asked)
        loop.call_later(max(0.0, left), self._settle)

    def _settle(self) -> None:
        self._future = None
        self._listener.on_settled()
