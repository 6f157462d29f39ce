"""Runs actions on event loops in threads of their own, and lets none of them hold up the server.

An ``async def`` that blocks stops its event loop. If that were the server's, no time limit would
strike and no heartbeat would reach the broker. So actions have a loop to themselves, and one that
doesn't answer is replaced: what has not begun on it begins on the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from nango_jupyter.server.http import HttpClients
from nango_jupyter.server.threads import ActionStopped, Mailbox, interrupt

__all__ = ["ActionLoop", "ActionRunner", "LostError", "OverdueError"]

T = TypeVar("T")

# How long a loop may take to begin what it was given, and what was cancelled to clean up, in
# seconds.
_PATIENCE = 1.0


class OverdueError(Exception):
    """Work that was stopped at its time limit; the message says how it went on until then."""


class LostError(Exception):
    """Work whose event loop was stopped under it."""


class ActionLoop:
    """An event loop in a thread of its own.

    Attributes
    ----------
    loop : event loop
    clients : HttpClients
        For what runs here: an HTTP connection belongs to one event loop.
    mailbox : Mailbox
        Calls functions on the loop.
    has_ended : asyncio.Event
        Set, on the server's loop, when this one has ended.

    Parameters
    ----------
    home : Mailbox
        Of the server's loop.
    """

    def __init__(self, home: Mailbox) -> None:
        self._home = home
        self.has_ended = asyncio.Event()
        self.loop = asyncio.new_event_loop()
        self.clients = HttpClients()
        self.mailbox = Mailbox(self.loop)
        self._jobs: set[_Job[Any]] = set()
        self._is_retired = False
        self._thread = threading.Thread(target=self._run, name="nango-actions", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended, as far as the server's loop knows."""
        return not self.has_ended.is_set()

    def ping(self) -> threading.Event:
        """Return what is set when the loop comes round."""
        pong = threading.Event()
        self.mailbox.post(pong.set)
        return pong

    def begun(self, job: _Job[Any]) -> None:
        """Note what runs here; called on the loop."""
        self._jobs.add(job)

    def ended(self, job: _Job[Any]) -> None:
        """Forget what ran here; called on the loop. The last one closes a loop that was retired."""
        self._jobs.discard(job)
        self._stop_if_idle()

    def retire(self) -> None:
        """Let the loop end when what runs on it has ended."""
        self._is_retired = True
        self.mailbox.post(self._stop_if_idle)

    def interrupt(self) -> None:
        """Raise an exception in whatever the loop runs just now."""
        interrupt(self._thread)

    def stop(self) -> None:
        """End the loop and what runs on it."""
        self.mailbox.post(self.loop.stop)

    def _stop_if_idle(self) -> None:
        if self._is_retired and not self._jobs:
            self.loop.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            with contextlib.suppress(ActionStopped):  # it may strike just after what it was for
                while not self._runs_until_stopped():
                    """Go on: a task of an action's own wanted to end Python."""
                self.loop.run_until_complete(self._tidy())
        finally:
            for job in self._jobs:
                job.lose()
            self.loop.close()
            self._home.post(self.has_ended.set)

    def _runs_until_stopped(self) -> bool:
        try:
            self.loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            return False
        return True

    async def _tidy(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=_PATIENCE)
        await self.clients.close()


class _Job(Generic[T]):
    """A coroutine on its way to an action loop and back."""

    def __init__(
        self,
        place: ActionLoop,
        work: Callable[[ActionLoop], Coroutine[Any, Any, T]],
        home: Mailbox,
    ) -> None:
        self._home = home
        self._work = work
        # Whoever asked: what is printed in a notebook finds its cell by this.
        self._context = contextvars.copy_context()
        self._claim = threading.Lock()
        self._task: asyncio.Task[T] | None = None
        self._begun: float | None = None
        self.place = place
        self.done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        place.mailbox.post(self._begin)

    async def has_begun(self, timeout: float) -> bool:
        """Wait so many seconds for its end; return whether it has at least begun by then."""
        await self.wait(timeout)
        if self._begun is None:
            await self.wait(_PATIENCE - timeout)
        return self._begun is not None

    async def wait(self, timeout: float | None) -> None:
        """Wait for its end, but no longer than so many seconds."""
        if not self.done.done():
            await asyncio.wait({self.done}, timeout=timeout)

    def seconds_left(self, limit: float) -> float | None:
        """Return what is left of a time limit; None if that is 0, no limit."""
        spent = 0.0 if self._begun is None else time.monotonic() - self._begun
        return max(limit - spent, 0.0) if limit else None

    def withdraw(self) -> bool:
        """Take it back; False if it has begun."""
        return self._claim.acquire(blocking=False)

    def cancel(self) -> None:
        """Cancel it, as soon as its loop comes to it."""
        self.place.mailbox.post(lambda: self._task and self._task.cancel())

    @property
    def holds_its_loop(self) -> bool:
        """Whether it is what its loop runs just now."""
        return self._task is not None and asyncio.current_task(self.place.loop) is self._task

    def lose(self) -> None:
        """Let the server know that the loop has ended with the work undone."""
        self._tell(lambda: self.done.set_exception(LostError("its event loop was stopped")))

    def _begin(self) -> None:
        if self._claim.acquire(blocking=False):
            self._begun = time.monotonic()
            self.place.begun(self)
            work = self._work(self.place)
            self._task = self.place.loop.create_task(work, context=self._context)
            self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[T]) -> None:
        self.place.ended(self)
        if task.cancelled():
            self._tell(self.done.cancel)
        elif error := task.exception():
            self._tell(lambda: self.done.set_exception(error))
        else:
            self._tell(lambda: self.done.set_result(task.result()))

    def _tell(self, callback: Callable[[], object]) -> None:
        self._home.post(lambda: self.done.done() or callback())


class ActionRunner:
    """Runs work on an action loop, within a time limit. Belongs to the server's event loop."""

    def __init__(self) -> None:
        self._home = Mailbox(asyncio.get_running_loop())
        self._place: ActionLoop | None = None
        self._retired: list[ActionLoop] = []

    async def run(self, work: Callable[[ActionLoop], Coroutine[Any, Any, T]], limit: float) -> T:
        """Run a coroutine on an action loop, and return what it returns.

        Parameters
        ----------
        work : function
            Makes the coroutine; called on the action loop, which it is given.
        limit : float
            In seconds, from when the work has begun; 0 is no limit.

        Raises
        ------
        OverdueError
            If it was stopped at its time limit.
        LostError
            If it was lost with its loop.
        asyncio.CancelledError
            If the caller was cancelled, or the work cancelled itself.
        """
        job = _Job(self._current(), work, self._home)
        try:
            while not await job.has_begun(min(limit or _PATIENCE, _PATIENCE)) and job.withdraw():
                self._retire(job.place)
                job = _Job(self._current(), work, self._home)
            await job.wait(job.seconds_left(limit))
        except asyncio.CancelledError:
            job.withdraw()
            await self._stop(job)
            raise
        if not job.done.done():
            raise OverdueError(await self._stop(job))
        return job.done.result()

    async def close(self) -> None:
        """End all loops, and what still runs on them."""
        places = [*self._retired, *([self._place] if self._place else [])]
        self._place, self._retired = None, []
        for place in places:
            place.stop()
        waits = [asyncio.ensure_future(place.has_ended.wait()) for place in places]
        if waits:  # no longer than this for one that is blocked; its thread keeps nobody waiting
            await asyncio.wait(waits, timeout=2 * _PATIENCE)
        for wait in waits:
            wait.cancel()

    def _current(self) -> ActionLoop:
        if self._place is None or not self._place.is_running:
            self._place = ActionLoop(self._home)
        return self._place

    def _retire(self, place: ActionLoop) -> None:
        if place is self._place:
            self._place = None
        self._retired = [one for one in self._retired if one.is_running]
        if place not in self._retired:
            self._retired.append(place)
        place.retire()

    async def _stop(self, job: _Job[Any]) -> str:
        """Cancel a job, and tell how it took that."""
        job.cancel()
        pong = job.place.ping()
        await job.wait(_PATIENCE)
        if job.done.done():
            return ""
        if pong.is_set():
            return "It went on when it was cancelled"
        self._retire(job.place)
        if job.holds_its_loop:
            job.place.interrupt()
            return "It held up the event loop: await what waits, or write a plain def"
        return "Another action held up the event loop"
