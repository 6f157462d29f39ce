"""Requests that are not waited for: a handle to ask, to wait with, and to stop them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from nango_jupyter.exceptions import NangoError, NangoTimeoutError, NangoUsageError

if TYPE_CHECKING:
    from nango_jupyter.batch import BatchResult
    from nango_jupyter.display.state import State
    from nango_jupyter.messages import UserId
    from nango_jupyter.results import NangoResult

__all__ = ["Job", "JobList", "Run"]

# How long another thread waits for a sign of life of the loop, in seconds.
_PATIENCE = 30.0
# What is cancelled ends at once, unless it holds up the loop; nobody waits longer for it.
_CANCEL_SECONDS = 2.0

Answer: TypeAlias = "NangoResult | BatchResult"
JobState = Literal["running", "done", "failed", "cancelled"]

Run = Callable[[Coroutine[Any, Any, Any]], Any]
"""Runs a coroutine to its end on the main loop: `KernelLoop.run`."""


class Job:
    """A request, or a batch of them, that runs while you go on.

    Wait for it with ``job.result()``, or with ``await job``. It draws itself as what came of it.
    In IPython's terminal, where no loop runs between the commands, it goes on while you wait.

    Attributes
    ----------
    number : int
        The one that it has in the history as well.
    request : str
        Such as ``crm.list-contacts``.
    user_id : str, int or None
        None for a batch.
    connection : str
        The name of the connection that it goes through.
    on_display : function of the job, or None
        Draws it where it is displayed, in the place of a card that stays as it is.
    """

    on_display: Callable[[Job], None] | None = None

    def __init__(
        self,
        number: int,
        request: str,
        user_id: UserId | None,
        connection: str,
        *,
        run: Run,
        partial: Callable[[], BatchResult] | None = None,
    ) -> None:
        self.number = number
        self.request = request
        self.user_id = user_id
        self.connection = connection
        self._run = run
        self._partial = partial
        self._begun = time.perf_counter()
        self._duration: float | None = None
        self._state: JobState = "running"
        self._answer: Answer | None = None
        self._error: BaseException | None = None
        # A future of threads: it can be waited for from any of them, and from any loop.
        self._ended: Future[None] = Future()
        self._ended.set_running_or_notify_cancel()  # from now on, who waits can't cancel it
        self._task: asyncio.Task[Answer]

    def begin(self, work: Coroutine[Any, Any, Answer]) -> Job:
        """Begin to run on the main loop; return this job."""
        try:
            self._run(self._begin(work))
        except BaseException:
            work.close()
            raise
        return self

    async def _begin(self, work: Coroutine[Any, Any, Answer]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._settle)
        # What is cancelled before its first step never gets to clean up.
        await asyncio.sleep(0)

    def _settle(self, task: asyncio.Task[Answer]) -> None:
        """Note what came of it; asking for the error here keeps asyncio from complaining."""
        self._duration = self.duration
        try:
            if task.cancelled():
                self._state = "cancelled"
                self._answer = self._partial() if self._partial else None
            elif error := task.exception():
                self._state, self._error = "failed", error
            else:
                self._state, self._answer = "done", task.result()
        finally:
            self._ended.set_result(None)

    @property
    def state(self) -> JobState:
        """What became of it: "running", "done", "failed" or "cancelled"."""
        return self._state

    @property
    def duration(self) -> float:
        """How long it took, or has taken so far, in seconds."""
        return time.perf_counter() - self._begun if self._duration is None else self._duration

    def done(self) -> bool:
        """Tell whether it has ended, in whatever way."""
        return self._ended.done()

    def result(self, timeout: float | None = None) -> Answer:
        """Wait for the end, and return what came back.

        Parameters
        ----------
        timeout : float, optional
            How long to wait, in seconds. The job goes on after that, as it does after Stop.

        Raises
        ------
        NangoTimeoutError
            If it runs still.
        NangoError
            What went wrong, as if it had been waited for; or that it was cancelled. A batch that
            ended early, or was cancelled, returns what came back; its `reason` says why.
        """
        if not self.done():
            if _in_main_thread():
                self._run(self.wait(timeout))
            else:
                self._wait_in_thread(timeout)
        if not self.done():
            raise NangoTimeoutError(
                f"Job {self.number} is still running after {timeout:g} s",
                "Wait again, or stop it with job.cancel().",
            )
        return self._outcome()

    def __await__(self) -> Generator[Any, None, Answer]:
        yield from self.wait(None).__await__()
        return self._outcome()

    async def wait(self, timeout: float | None = None) -> None:
        """Wait for the end, whatever it is: nothing is raised or returned."""
        if not self.done():
            await asyncio.wait({asyncio.wrap_future(self._ended)}, timeout=timeout)

    def _wait_in_thread(self, timeout: float | None) -> None:
        """Wait in a thread other than the main one, which may be waiting for this thread."""
        is_alive = threading.Event()
        self._task.get_loop().call_soon_threadsafe(is_alive.set)
        first = _PATIENCE if timeout is None else min(timeout, _PATIENCE)
        if _ends(self._ended, first):
            return
        if timeout is not None:
            _ends(self._ended, max(0.0, timeout - first))
        elif is_alive.is_set():
            self._ended.result()
        else:
            raise NangoUsageError(
                "The main thread is busy, so the job can't go on",
                "Don't let a cell wait for threads that wait for jobs; write: "
                "await asyncio.gather(*jobs).",
            )

    def _outcome(self) -> Answer:
        if self._error is not None:
            raise self._error
        if self._answer is None:
            raise NangoError(
                f"Job {self.number} was cancelled; on a server, it may still run",
                f"Run it again: %nango_history --rerun {self.number}.",
            )
        return self._answer

    def cancel(self) -> bool:
        """Stop it. What a server has begun may go on there.

        Returns
        -------
        bool
            False if it had ended before.
        """
        if self.done():
            return False
        loop = self._task.get_loop()
        if _in_main_thread():
            self._task.cancel()
            self._run(self.wait(_CANCEL_SECONDS))
        else:
            loop.call_soon_threadsafe(self._task.cancel)
            _ends(self._ended, _CANCEL_SECONDS)
        return self._state in ("running", "cancelled")

    def add_done_callback(self, function: Callable[[Job], object]) -> None:
        """Call a function with this job on the main loop, once it has ended."""

        def call(_: object) -> None:
            function(self)

        if _in_main_thread():
            self._task.add_done_callback(call)
        else:
            self._task.get_loop().call_soon_threadsafe(self._task.add_done_callback, call)

    def __repr__(self) -> str:
        from nango_jupyter.display.values import key_text

        return f"<Job {self.number} {key_text(self.request, 120)}: {self.state}>"

    def _ipython_display_(self) -> None:
        if self.on_display is None:
            raise NotImplementedError  # IPython then asks for the MIME bundle
        self.on_display(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nango_jupyter.display import render_card, render_error
        from nango_jupyter.display.values import duration_text, key_text, user_text

        if self._answer is not None:
            return self._answer._repr_mimebundle_()
        if isinstance(self._error, NangoError):
            return render_error(self._error)
        facts: list[tuple[str, object]] = [("Request", key_text(self.request, 120))]
        if self.user_id is not None:
            facts.append(("User", user_text(self.user_id)))
        if self._error is not None:
            facts.append(("Error", str(self._error) or type(self._error).__name__))
        if self.state == "running":
            if self._partial is not None:
                facts.append(("So far", _progress(self._partial())))
            facts.append(("Next", "job.result() or await job waits for it, job.cancel() stops it"))
        else:
            facts.append(("Duration", duration_text(self.duration)))
        look: State = "bad" if self.state == "failed" else "idle"
        return render_card(f"Job {self.number} {self.state}", look, facts)


class JobList(Sequence[Job]):
    """Jobs, drawn as a table."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = tuple(jobs)

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Job]: ...
    def __getitem__(self, index: int | slice) -> Job | Sequence[Job]:
        return self._jobs[index]

    def __len__(self) -> int:
        return len(self._jobs)

    def __repr__(self) -> str:
        return f"<{len(self)} jobs, {sum(not job.done() for job in self)} running>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nango_jupyter.display import render_card
        from nango_jupyter.display.tables import render_table
        from nango_jupyter.display.values import count, duration_text, user_text

        if not self:
            start = "%nango_trigger … --no-wait starts one"
            return render_card("No jobs", "idle", [("Next", start)])
        several = len({job.connection for job in self}) > 1
        rows = [
            (
                job.number,
                job.request,
                "" if job.user_id is None else user_text(job.user_id),
                *([job.connection] if several else []),
                job.state,
                duration_text(job.duration),
            )
            for job in self
        ]
        running = sum(not job.done() for job in self)
        return render_table(
            f"{count(len(self), 'job')}, {running:,} running",
            "idle" if running else "ok",
            ("", "Request", "User", *(["Connection"] if several else []), "State", "Duration"),
            rows,
        )


def _progress(batch: BatchResult) -> str:
    of = "" if batch.total is None else f" of {batch.total:,}"
    return f"{len(batch):,}{of} rows, {len(batch.failed):,} failed"


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _ends(future: Future[None], timeout: float) -> bool:
    """Wait for a future; tell whether it is done."""
    try:
        future.result(timeout)
    except TimeoutError:
        return False
    return True
