"""Waits for so long and no longer, and looks after what was given up on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

__all__ = ["give_up", "keep", "retrieve", "settle", "within"]

T = TypeVar("T")

# What was given up on and cleans up; the loop itself keeps only weak references to its tasks.
_leftovers: set[asyncio.Future[Any]] = set()


async def within(
    timeout: float, awaitable: Awaitable[T], late: Callable[[T], None] | None = None
) -> T:
    """Await at most so long, whatever the awaitable does when it is cancelled.

    `asyncio.timeout` waits until what it cancelled has cleaned up, which over TLS, with a peer
    that says nothing, takes half a minute.

    Parameters
    ----------
    timeout : float
        In seconds.
    awaitable : awaitable
    late : function, optional
        Gets the result if it comes all the same, just when it was given up on.

    Raises
    ------
    TimeoutError
        If it took longer.
    ConnectionResetError
        If it was cancelled from inside.
    """
    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({task}, timeout=timeout)
    except asyncio.CancelledError:
        give_up(task, late)
        raise
    if not task.done():
        give_up(task, late)
        raise TimeoutError
    if task.cancelled():  # aiormq cancels what is under way when the connection goes away
        raise ConnectionResetError("the connection was closed meanwhile")
    return task.result()


def give_up(task: asyncio.Future[T], late: Callable[[T], None] | None = None) -> None:
    """Cancel a task without waiting for its end."""

    def drop(done: asyncio.Future[T]) -> None:
        retrieve(done)
        if late and not done.cancelled() and not done.exception():
            late(done.result())

    keep(task)
    task.add_done_callback(drop)
    task.cancel()


def keep(task: asyncio.Future[Any]) -> None:
    """Let a task that nobody waits for come to its end."""
    _leftovers.add(task)
    task.add_done_callback(_leftovers.discard)


async def settle(timeout: float) -> None:
    """Wait until what was given up on in this loop has cleaned up, though no longer than that."""
    loop = asyncio.get_running_loop()
    if mine := {task for task in _leftovers if task.get_loop() is loop}:
        await asyncio.wait(mine, timeout=timeout)


def retrieve(future: asyncio.Future[Any]) -> None:
    """Take an exception that nobody may wait for any more, so that asyncio doesn't log it."""
    if not future.cancelled():
        future.exception()
