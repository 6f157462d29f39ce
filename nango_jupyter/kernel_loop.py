"""Runs coroutines on the kernel's main event loop, from a cell and from other threads.

The loop runs already while a cell does, so a magic, which is a plain function, has to run it
nested; nest-asyncio2 makes that possible. In a terminal no loop runs between commands, and the
same call runs it for as long as it needs.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from nango_jupyter.exceptions import NangoUsageError

__all__ = ["KernelLoop"]

T = TypeVar("T")

# How long another thread waits for the main thread to take up its work, in seconds.
_PATIENCE = 30.0


class _Stopped(KeyboardInterrupt):
    """A KeyboardInterrupt that IPython draws in one line: where the loop stood tells nothing."""

    def _render_traceback_(self) -> list[str]:
        notes: list[str] = getattr(self, "__notes__", [])
        return ["KeyboardInterrupt: stopped; on a server, what was under way may still run", *notes]


_Stopped.__name__ = "KeyboardInterrupt"  # the name that front ends know


class KernelLoop:
    """The kernel's main event loop, for code that can't await.

    Parameters
    ----------
    find : function that returns an event loop
        Asked where no loop runs yet: when the extension is loaded at start-up, or in a terminal.
    """

    def __init__(self, find: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._find = find
        self._loop: asyncio.AbstractEventLoop | None = None
        if _in_main_thread():
            self._loop = asyncio._get_running_loop()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The main loop."""
        if self._loop is None or self._loop.is_closed():
            running = asyncio._get_running_loop() if _in_main_thread() else None
            self._loop = running or self._find()
        return self._loop

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on the main loop, and return what it returns.

        Raises
        ------
        KeyboardInterrupt
            When the user pressed Stop or Ctrl-C; the coroutine was cancelled and has ended.
        NangoUsageError
            In another thread, when the main loop does not run.
        """
        if not _in_main_thread():
            return self._run_from_thread(coroutine)
        loop = self.loop
        if asyncio._get_running_loop() is not None:
            import nest_asyncio2

            nest_asyncio2.apply(loop)
        task = loop.create_task(coroutine)
        with _interruptible(task) as was_interrupted:
            try:
                return loop.run_until_complete(task)
            except asyncio.CancelledError:
                if not was_interrupted():
                    raise
        raise _Stopped

    def _run_from_thread(self, coroutine: Coroutine[Any, Any, T]) -> T:
        begun = threading.Event()

        async def run() -> T:
            begun.set()
            return await coroutine

        future = asyncio.run_coroutine_threadsafe(run(), self.loop)
        if not begun.wait(_PATIENCE) and future.cancel():
            coroutine.close()
            raise NangoUsageError(
                "The main thread is busy, so this thread's request was not sent",
                "Don't let a cell wait for threads that use the magics; use the async client and "
                "asyncio.gather.",
            )
        return future.result()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _interruptible(task: asyncio.Task[Any]) -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C cancel a task, as asyncio.Runner does, not burst into whatever runs just then.

    A KeyboardInterrupt in the middle of the AMQP reader would break the connection. A second
    Ctrl-C is raised where it strikes, for code that blocks the loop.
    """
    interrupts = 0

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupts
        interrupts += 1
        if interrupts > 1:
            raise KeyboardInterrupt
        task.get_loop().call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: interrupts > 0
    finally:
        # None: a handler that was not set from Python can't be put back, only the usual one.
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)
        if not task.done():
            task.cancel()
