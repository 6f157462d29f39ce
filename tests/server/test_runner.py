"""Action loops: work ends at its time limit, and what blocks harms nobody else."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest

from nango_jupyter.server.runner import (
    ActionLoop,
    ActionRunner,
    BlockingError,
    LostError,
    OverdueError,
)
from nango_jupyter.server.threads import ActionStopped, Mailbox, in_thread

NAME = ContextVar("NAME", default="")


@pytest.fixture
async def runner() -> AsyncIterator[ActionRunner]:
    runner = ActionRunner()
    yield runner
    await runner.close()


async def where(place: ActionLoop) -> tuple[str, ActionLoop]:
    return threading.current_thread().name, place


async def sleep_for_ever(_: ActionLoop) -> None:
    await asyncio.Event().wait()


async def block_for_ever(_: ActionLoop) -> None:
    while True:
        pass


def block_in_c(seconds: float) -> Any:
    async def work(_: ActionLoop) -> str:
        time.sleep(seconds)  # noqa: ASYNC251 - the point of it
        return "blocked"

    return work


async def test_work_runs_on_a_loop_of_its_own(runner: ActionRunner) -> None:
    found = [await runner.run(where, 5) for _ in range(3)]
    assert {name for name, _ in found} == {"nango-actions"}
    assert len({place for _, place in found}) == 1


async def test_work_has_the_context_of_its_caller(runner: ActionRunner) -> None:
    async def ask(_: ActionLoop) -> tuple[str, str]:
        return NAME.get(), await in_thread(NAME.get)

    async def call(name: str) -> tuple[str, str]:
        NAME.set(name)
        return await runner.run(ask, 5)

    names = [str(number) for number in range(20)]
    assert await asyncio.gather(*map(call, names)) == [(name, name) for name in names]


async def test_what_it_raises_is_raised(runner: ActionRunner) -> None:
    async def fail(_: ActionLoop) -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        await runner.run(fail, 5)


@pytest.mark.parametrize("limit", [0.05, 1.2])
async def test_a_time_limit_stops_it(runner: ActionRunner, limit: float) -> None:
    stopped = asyncio.Event()
    home = asyncio.get_running_loop()

    async def work(_: ActionLoop) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            home.call_soon_threadsafe(stopped.set)
            raise

    started = time.monotonic()
    with pytest.raises(OverdueError):
        await runner.run(work, limit)
    assert limit <= time.monotonic() - started < limit + 10
    await asyncio.wait_for(stopped.wait(), 1)


async def test_no_limit_is_no_limit(runner: ActionRunner) -> None:
    async def work(_: ActionLoop) -> str:
        await asyncio.sleep(2.2)
        return "done"

    assert await runner.run(work, 0) == "done"


async def test_one_that_goes_on_is_given_up_on(runner: ActionRunner) -> None:
    release = threading.Event()

    async def stubborn(_: ActionLoop) -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    with pytest.raises(OverdueError, match="went on when it was cancelled"):
        await runner.run(stubborn, 0.1)
    first = (await runner.run(where, 5))[1]
    release.set()
    assert (await runner.run(where, 5))[1] is first


async def test_one_that_blocks_is_interrupted(runner: ActionRunner) -> None:
    first = (await runner.run(where, 5))[1]
    with pytest.raises(OverdueError, match="held up its event loop"):
        await runner.run(block_for_ever, 0.2)
    assert (await runner.run(where, 5))[1] is not first
    for _ in range(50):  # it was stopped, and its loop has ended with it
        if not first.is_running:
            break
        await asyncio.sleep(0.1)
    assert not first.is_running


async def test_what_has_begun_goes_on_when_the_one_that_blocks_is_stopped(
    runner: ActionRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nango_jupyter.server.runner._MOST_BLOCKING", 1.5)

    async def nap(_: ActionLoop) -> str:
        await asyncio.sleep(0.3)
        return "rested"

    napping = asyncio.create_task(runner.run(nap, 60))
    await asyncio.sleep(0.1)
    with pytest.raises(BlockingError):
        await runner.run(block_for_ever, 0)
    assert await napping == "rested"


async def test_nothing_begins_after_its_caller_was_told(runner: ActionRunner) -> None:
    """One that stands in line behind one that blocks, or has ended just before it."""
    begun: list[int] = []

    def mark(number: int) -> Any:
        async def work(_: ActionLoop) -> int:
            begun.append(number)
            return number

        return work

    works: list[Any] = [mark(1), block_in_c(4), mark(2), mark(3)]
    found = await asyncio.gather(*(runner.run(work, 1.5) for work in works), return_exceptions=True)
    assert isinstance(found[1], OverdueError)
    assert [found[0], *found[2:]] == [1, 2, 3]
    assert sorted(begun) == [1, 2, 3]


async def test_one_that_has_not_begun_is_given_up_on_at_once(runner: ActionRunner) -> None:
    blocking = asyncio.create_task(runner.run(block_in_c(3), 60))
    await asyncio.sleep(0.1)
    first = (await runner.run(where, 60))[1]
    task = asyncio.create_task(runner.run(where, 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await runner.run(where, 60))[1] is first
    assert await blocking == "blocked"


async def test_others_get_past_one_that_blocks(runner: ActionRunner) -> None:
    blocking = asyncio.create_task(runner.run(block_in_c(6), 60))
    await asyncio.sleep(0.1)
    await asyncio.gather(*(runner.run(where, 60) for _ in range(20)))
    assert not blocking.done()
    assert await blocking == "blocked"  # and it comes to its end


async def test_one_behind_another_that_blocks_says_so(runner: ActionRunner) -> None:
    waiting = asyncio.create_task(runner.run(sleep_for_ever, 1.5))
    await asyncio.sleep(0.1)
    blocking = asyncio.create_task(runner.run(block_in_c(5), 60))
    with pytest.raises(OverdueError, match="Another action held up the event loop"):
        await waiting
    assert await blocking == "blocked"


async def test_one_whose_end_was_told_does_not_block(
    runner: ActionRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loop comes round a little later, where its thread had to wait just then."""
    ended = ActionLoop.ended

    def dawdle(place: ActionLoop, job: Any) -> None:
        time.sleep(0.5)
        ended(place, job)

    monkeypatch.setattr(ActionLoop, "ended", dawdle)
    assert await runner.run(block_in_c(1.5), 60) == "blocked"


async def test_a_cancelled_caller_cancels_the_work(runner: ActionRunner) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def work(_: ActionLoop) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(runner.run(work, 60))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_task_that_wants_to_end_python_ends_nothing(runner: ActionRunner) -> None:
    async def leave() -> None:
        raise SystemExit(1)

    async def work(_: ActionLoop) -> str:
        task = asyncio.create_task(leave())
        await asyncio.wait({task})
        return repr(task.exception())

    first = (await runner.run(where, 5))[1]
    assert await runner.run(work, 5) == "SystemExit(1)"
    assert (await runner.run(where, 5))[1] is first


async def test_closing_ends_what_runs() -> None:
    runner = ActionRunner()
    waiting = asyncio.create_task(runner.run(sleep_for_ever, 0))
    place = (await runner.run(where, 5))[1]
    await runner.close()
    assert not place.is_running
    with pytest.raises((LostError, asyncio.CancelledError)):
        await waiting


async def test_a_loop_closes_the_generators_that_were_left_open() -> None:
    left: list[AsyncIterator[int]] = []
    closed: list[int] = []

    async def numbers(number: int) -> AsyncIterator[int]:
        try:
            yield number
        finally:
            await asyncio.sleep(0.01)
            closed.append(number)

    async def work(_: ActionLoop) -> None:
        left.extend(map(numbers, range(2)))
        for one in left:
            await anext(one)

    async def forget() -> None:
        """As the garbage collector may, when the loop is about to end."""
        left.pop()
        await close()

    runner = ActionRunner()
    await runner.run(work, 5)
    place = (await runner.run(where, 5))[1]
    close, place.clients.close = place.clients.close, forget  # type: ignore[method-assign]
    await runner.close()
    assert sorted(closed) == [0, 1]


async def test_a_thread_that_is_interrupted_as_it_wakes_a_loop_leaves_it_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it had to say is heard as well; else nothing would be heard from any action again."""
    loop = asyncio.get_running_loop()
    mailbox, heard = Mailbox(loop), list[int]()

    def stop(_: Any) -> None:
        raise ActionStopped

    with monkeypatch.context() as patch:
        patch.setattr(loop, "call_soon_threadsafe", stop)
        with pytest.raises(ActionStopped):
            mailbox.post(lambda: heard.append(1))
    mailbox.post(lambda: heard.append(2))
    await asyncio.sleep(0.01)
    assert heard == [1, 2]


async def test_a_thread_is_interrupted() -> None:
    ended = threading.Event()

    def work() -> None:
        try:
            while True:
                pass
        finally:
            ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 5)


async def test_a_thread_returns_and_raises() -> None:
    def fail() -> None:
        raise StopIteration("the end")

    assert await in_thread(lambda: 1) == 1
    with pytest.raises(RuntimeError, match="StopIteration"):  # as from any coroutine
        await in_thread(fail)


async def test_hanging_threads_keep_no_one_waiting() -> None:
    release = threading.Event()
    hanging = [asyncio.create_task(in_thread(release.wait)) for _ in range(50)]
    await asyncio.sleep(0.1)
    assert await asyncio.wait_for(in_thread(lambda: "through"), 5) == "through"
    release.set()
    await asyncio.gather(*hanging)
