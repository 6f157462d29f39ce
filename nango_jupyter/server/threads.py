"""Functions in threads of their own, which can be given up on."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

__all__ = ["ActionStopped", "Mailbox", "in_thread", "interrupt"]

T = TypeVar("T")


class ActionStopped(BaseException):
    """What is raised inside of an action's own code when the server stops it."""


class Mailbox:
    """Calls functions on an event loop, from any thread; many at once wake it only once.

    Waking a loop costs a system call and a change of threads, far more than what it is woken for.

    Parameters
    ----------
    loop : event loop
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._posted: deque[Callable[[], object]] = deque()
        self._is_woken = False

    def post(self, callback: Callable[[], object]) -> None:
        """Call a function on the loop; do nothing if the loop has ended."""
        self._posted.append(callback)
        if not self._is_woken:
            with contextlib.suppress(RuntimeError):
                try:
                    self._is_woken = True
                    self._loop.call_soon_threadsafe(self._empty)
                except BaseException:  # an action's thread was interrupted: the next one wakes it
                    self._is_woken = False
                    raise

    def _empty(self) -> None:
        # First: what is posted from now on wakes the loop again, if need be once too often.
        self._is_woken = False
        while self._posted:
            self._loop.call_soon(self._posted.popleft())


async def in_thread(function: Callable[[], T]) -> T:
    """Run a function in a thread; when cancelled, interrupt it and don't wait.

    Not a thread of a pool: a function that hangs would keep one of its few threads for ever, and
    keep Python from exiting.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[T | None, BaseException | None]] = loop.create_future()

    context = contextvars.copy_context()

    def run() -> None:
        # Caught here: a StopIteration can't cross into a future, which then never ends.
        try:
            outcome: tuple[T | None, BaseException | None] = (context.run(function), None)
        except BaseException as error:
            outcome = (None, error)
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(settle, outcome)

    def settle(outcome: tuple[T | None, BaseException | None]) -> None:
        if not done.done():
            done.set_result(outcome)

    thread = threading.Thread(target=_run_until_stopped, args=(run,), daemon=True)
    thread.start()
    try:
        result, error = await done
    except asyncio.CancelledError:
        interrupt(thread)
        raise
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # there is no error, so it is what was returned


def interrupt(thread: threading.Thread) -> None:
    """Raise `ActionStopped` in a thread as soon as it runs Python code again.

    One that waits inside of C, in ``time.sleep`` say, gets it when it comes back.
    """
    if thread.is_alive() and thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(ActionStopped)
        )


def _run_until_stopped(run: Callable[[], None]) -> None:
    with contextlib.suppress(ActionStopped):  # it may strike when the function has just ended
        run()
