"""Handles of what is not waited for: from the main thread, from others, from the loop."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from nango_jupyter.batch import Batch
from nango_jupyter.calls import TriggerCall
from nango_jupyter.client import Nango
from nango_jupyter.exceptions import NangoError, NangoServerError, NangoTimeoutError
from nango_jupyter.jobs import Job, JobList
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.results import NangoResult
from nango_jupyter.rows import iterate

ANSWER = NangoResult(True, None, {"a": 1}, request="demo.echo", user_id="ada")
CALL = TriggerCall(integration="demo", action="echo", user_id="ada")
Start = Callable[..., Job]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    found = asyncio.new_event_loop()
    complaints: list[dict[str, Any]] = []
    found.set_exception_handler(lambda _, context: complaints.append(context))
    yield found
    found.run_until_complete(asyncio.sleep(0))
    found.close()
    gc.collect()
    assert complaints == []


@pytest.fixture
def start(loop: asyncio.AbstractEventLoop) -> Start:
    """Begin a job, on a loop that runs only while something is waited for: as in a terminal."""
    kernel_loop = KernelLoop(lambda: loop)

    def begin(work: Coroutine[Any, Any, Any], number: int = 1, **known: Any) -> Job:
        return Job(number, "demo.echo", "ada", "default", run=kernel_loop.run, **known).begin(work)

    return begin


async def answer(seconds: float = 0.0) -> NangoResult:
    await asyncio.sleep(seconds)
    return ANSWER


async def fail(seconds: float = 0.0) -> NangoResult:
    await asyncio.sleep(seconds)
    raise NangoServerError("no such channel", "Look.")


async def divide() -> NangoResult:
    return NangoResult(True, None, 1 / 0)


def test_a_result_is_waited_for_as_often_as_one_likes(start: Start) -> None:
    job = start(answer(0.05))
    assert (job.done(), job.state) == (False, "running")
    assert job.result() is ANSWER
    assert (job.done(), job.state) == (True, "done")
    assert job.result() is job.result(timeout=0) is ANSWER
    assert 0.05 <= job.duration < 5
    assert job.duration == job.duration


def test_what_went_wrong_is_raised_each_time(start: Start) -> None:
    job = start(fail())
    for _ in range(3):
        with pytest.raises(NangoServerError, match="no such channel") as caught:
            job.result()
    assert caught.value.__notes__ == ["Hint: Look."]
    assert job.state == "failed"
    bug = start(divide())
    with pytest.raises(ZeroDivisionError):
        bug.result()
    assert "Error" in bug._repr_mimebundle_()["text/plain"]


def test_nobody_complains_of_a_failure_that_nobody_asks_for(
    start: Start, loop: asyncio.AbstractEventLoop
) -> None:
    job = start(fail())
    loop.run_until_complete(asyncio.sleep(0.01))
    assert job.state == "failed"
    del job
    gc.collect()  # and the fixture looks what the loop was told


def test_a_time_limit_leaves_the_job_running(start: Start) -> None:
    job = start(answer(1))
    begun = time.monotonic()
    with pytest.raises(NangoTimeoutError, match=r"Job 1 is still running after 0.05 s"):
        job.result(timeout=0.05)
    with pytest.raises(NangoTimeoutError):
        job.result(timeout=0)
    assert time.monotonic() - begun < 1
    assert job.result(timeout=10) is ANSWER


def test_cancelling(start: Start) -> None:
    job = start(answer(60))
    assert job.cancel() is True
    assert (job.done(), job.state) == (True, "cancelled")
    assert job.cancel() is False
    with pytest.raises(NangoError, match="Job 1 was cancelled"):
        job.result()
    done = start(answer())
    done.result()
    assert done.cancel() is False
    assert done.result() is ANSWER


def test_work_that_has_begun_can_clean_up_when_it_is_cancelled_at_once(start: Start) -> None:
    seen = []

    async def work() -> NangoResult:
        try:
            return await answer(60)
        finally:
            seen.append("cleaned")

    start(work()).cancel()
    assert seen == ["cleaned"]


def test_work_that_ends_all_the_same_when_it_is_cancelled(start: Start) -> None:
    async def stubborn() -> NangoResult:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return ANSWER
        raise AssertionError

    job = start(stubborn())
    assert job.cancel() is False
    assert job.result() is ANSWER


def test_a_batch_that_is_cancelled_returns_what_came_back(start: Start) -> None:
    batch = Batch(Nango(), iterate([{"a": 1}, {"a": 2}]), lambda _: CALL, request="demo.echo")
    part = batch.result()
    job = start(answer(60), partial=lambda: part)
    assert "0 of 2 rows, 0 failed" in job._repr_mimebundle_()["text/plain"]
    job.cancel()
    assert job.state == "cancelled"
    assert job.result() is part


def test_awaiting_it_once_twice_and_from_elsewhere(
    start: Start, loop: asyncio.AbstractEventLoop
) -> None:
    job, failing, impatient = start(answer(0.05)), start(fail(0.05)), start(answer(0.2))

    async def wait() -> None:
        assert list(await asyncio.gather(job, job)) == [ANSWER, ANSWER]
        assert await job is ANSWER
        for _ in range(2):
            with pytest.raises(NangoServerError):
                await failing
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(impatient, 0.01)
        assert await impatient is ANSWER  # who waits and gives up does not stop it

    loop.run_until_complete(wait())
    asyncio.run(_await(job))


async def _await(job: Job) -> None:
    assert await job is ANSWER


def test_another_thread_waits_and_cancels(start: Start, loop: asyncio.AbstractEventLoop) -> None:
    job, failing, long = start(answer(0.1)), start(fail(0.1)), start(answer(60))
    found: list[object] = []

    def wait() -> None:
        with pytest.raises(NangoTimeoutError):
            job.result(timeout=0.01)
        found.append(job.result())
        with pytest.raises(NangoServerError):
            failing.result(timeout=10)
        failing.add_done_callback(found.append)
        found.append(long.cancel())
        found.append(long.state)
        found.append(asyncio.run(_result_of(job)))
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=wait)
    thread.start()
    loop.run_forever()
    thread.join(10)
    assert found == [ANSWER, failing, True, "cancelled", ANSWER]


async def _result_of(job: Job) -> object:
    return job.result()


def test_a_cell_that_waits_for_a_thread_that_waits_for_a_job(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nango_jupyter.jobs._PATIENCE", 0.1)
    job = start(answer(60))
    errors: list[Exception] = []

    def wait() -> None:
        try:
            job.result()
        except NangoError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(10)  # the loop does not run meanwhile
    assert "The main thread is busy" in str(errors)
    job.cancel()


def test_callbacks(start: Start, loop: asyncio.AbstractEventLoop) -> None:
    job = start(answer(0.01))
    called: list[tuple[int, Job, str]] = []

    def note(number: int) -> Callable[[Job], None]:
        return lambda done: called.append((number, done, done.state))

    job.add_done_callback(note(1))
    job.add_done_callback(note(2))
    job.result()
    loop.run_until_complete(asyncio.sleep(0))
    assert called == [(1, job, "done"), (2, job, "done")]
    job.add_done_callback(note(3))
    loop.run_until_complete(asyncio.sleep(0))
    assert called[2:] == [(3, job, "done")]


def test_its_card_becomes_that_of_the_result(start: Start) -> None:
    job = start(answer(0.05), number=7)
    bundle = job._repr_mimebundle_()
    assert "Job 7 running" in bundle["text/plain"]
    assert "job.cancel()" in bundle["text/html"]
    job.result()
    assert job._repr_mimebundle_() == ANSWER._repr_mimebundle_()
    failed, cancelled = start(fail()), start(answer(60))
    cancelled.cancel()
    assert failed.state == "failed"
    assert "no such channel" in failed._repr_mimebundle_()["text/plain"]
    assert "Job 1 cancelled" in cancelled._repr_mimebundle_()["text/plain"]
    assert repr(cancelled) == "<Job 1 demo.echo: cancelled>"


def test_it_can_be_drawn_by_somebody_else(start: Start) -> None:
    job = start(answer())
    drawn: list[Job] = []
    with pytest.raises(NotImplementedError):
        job._ipython_display_()
    job.on_display = drawn.append
    job._ipython_display_()
    assert drawn == [job]
    job.result()


def test_the_list(start: Start) -> None:
    jobs = JobList([start(answer(), number=1), start(answer(60), number=2)])
    jobs[0].result()
    plain = jobs._repr_mimebundle_()["text/plain"].splitlines()
    assert plain[0] == "○ 2 jobs, 1 running"
    assert plain[3].split()[:4] == ["1", "demo.echo", "ada", "done"]
    assert plain[4].split()[:4] == ["2", "demo.echo", "ada", "running"]
    assert list(jobs) == [jobs[0], jobs[1]]
    assert len(jobs[:1]) == 1
    assert repr(jobs) == "<2 jobs, 1 running>"
    assert "--no-wait" in JobList([])._repr_mimebundle_()["text/plain"]
    jobs[1].cancel()
