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
from nango_jupyter.server.logs import redact_logger
from nango_jupyter.server.threads import ActionStopped, Mailbox, interrupt
from nango_jupyter.transport.waiting import retrieve

__all__ = ["ActionLoop", "ActionRunner", "BlockingError", "LostError", "OverdueError"]

log = redact_logger(__name__)

T = TypeVar("T")

# How long a loop may take to begin what it was given, and what was cancelled to clean up, in
# seconds.
_PATIENCE = 1.0
# How long a piece of work may hold up what has begun on the same loop, in seconds.
_MOST_BLOCKING = 10.0


class OverdueError(Exception):
    """Work that was stopped at its time limit; the message says how it went on until then."""


class BlockingError(Exception):
    """Work that was stopped because it held up its event loop."""


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
    is_stopped : bool
        Whether it was told to end.
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
        self.is_stopped = False
        self.loop.set_exception_handler(_log_error)
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
        self.mailbox.post(self._stop_once)

    def _stop_if_idle(self) -> None:
        if self._is_retired and not self._jobs:
            self._stop_once()

    def _stop_once(self) -> None:
        if not self.is_stopped:  # what tidies up runs on the loop as well
            self.is_stopped = True
            self.loop.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            while not self._runs_until_stopped():
                pass  # the others go on
            with contextlib.suppress(ActionStopped):
                self.loop.run_until_complete(self._tidy())
        finally:
            for job in self._jobs:
                job.lose()
            self.loop.close()
            self._home.post(self.has_ended.set)

    def _runs_until_stopped(self) -> bool:
        try:
            self.loop.run_forever()
        # Of a task of an action's own; or it struck just after what it was for.
        except (SystemExit, KeyboardInterrupt, ActionStopped):
            return False
        return True

    async def _tidy(self) -> None:
        for task in self._others():
            task.cancel()
        await self._wait_for_others()
        await self.clients.close()
        # httpx leaves one open where an answer can't be read, and an action may leave its own.
        closing = self.loop.create_task(self.loop.shutdown_asyncgens())
        await asyncio.wait({closing}, timeout=_PATIENCE)
        await self._wait_for_others()  # the garbage collector begins some as well

    def _others(self) -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    async def _wait_for_others(self) -> None:
        if others := self._others():
            await asyncio.wait(others, timeout=_PATIENCE)


def _log_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio complains of, such as a task that failed unseen, without its secrets."""
    error = context.get("exception")
    said = f"{type(error).__name__}: {error}" if error else ""
    log.error("In the background of an action: %s %s", context["message"], said)


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
        self._task: asyncio.Task[None] | None = None
        self._begun: float | None = None
        self.place = place
        self.done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.done.add_done_callback(retrieve)  # it may come after the caller gave up
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
        """Whether it is what its loop runs just now, and has not told its end."""
        if self._task is None or self.done.done():
            return False
        return asyncio.current_task(self.place.loop) is self._task

    def lose(self) -> None:
        """Let the server know that the loop has ended with the work undone."""
        self._fail(LostError("its event loop was stopped"))

    def _begin(self) -> None:
        if self._claim.locked() or self.place.is_stopped:
            return  # it was taken back, or is going to be
        self._task = self.place.loop.create_task(self._run(), context=self._context)
        self._task.add_done_callback(self._end)

    async def _run(self) -> None:
        # Claimed here, not where the task is made: it may stand in line behind one that blocks.
        if not self._claim.acquire(blocking=False):
            return
        self._begun = time.monotonic()
        self.place.begun(self)
        try:
            result = await self._work(self.place)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._fail(error)
        else:  # told at once: a callback would wait for the loop's next turn
            self._tell(lambda: self.done.set_result(result))
        finally:
            self.place.ended(self)

    def _end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self._tell(self.done.cancel)

    def _fail(self, error: BaseException) -> None:
        self._tell(lambda: self.done.set_exception(error))

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
        BlockingError
            If it was stopped because others waited for it.
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
            await self._watch(job, limit)
        except asyncio.CancelledError:
            if not job.withdraw():
                await self._stop(job)
            raise
        if not job.done.done():
            raise OverdueError(await self._stop(job))
        return job.done.result()

    async def _watch(self, job: _Job[Any], limit: float) -> None:
        """Wait for a job's end or for that of its time, but not while it holds up its loop."""
        while not job.done.done() and (left := job.seconds_left(limit)) != 0:
            seconds = _MOST_BLOCKING if left is None else min(left, _MOST_BLOCKING)
            pong = job.place.ping()
            await job.wait(seconds)
            if seconds < _MOST_BLOCKING or pong.is_set():
                continue
            # Where the machine was asleep, both their times are over: it may just come round.
            await job.wait(_PATIENCE)
            if not pong.is_set() and job.holds_its_loop:
                self._retire(job.place)
                job.place.interrupt()
                raise BlockingError(f"held up its event loop for {_MOST_BLOCKING:g} s")

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
            return "It held up its event loop: await what waits, or write a plain def"
        return "Another action held up the event loop"
