"""Batches: on the embedded server, and on a broker that fails."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import threading
import time
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nango_jupyter import LocalServer, Nango
from nango_jupyter.batch import Batch, BatchItem, BatchResult, retry
from nango_jupyter.calls import TriggerCall
from nango_jupyter.exceptions import (
    NangoClosedError,
    NangoConnectionError,
    NangoConnectionLostError,
    NangoError,
    NangoUsageError,
)
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.known import KnownNames
from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.rows import Row, iterate
from tests.client.peer import Peer, echo, hold, ignore, serve
from tests.support.program import run_program
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit


@pytest.fixture
async def nango() -> AsyncIterator[Nango]:
    async with LocalServer() as server:
        client = server.client()
        await client.register_connection("demo", 1, "any-token")
        yield client


def to(action: str, **options: Any) -> Callable[[Row], TriggerCall]:
    """Prepare calls of a demo action with the whole row as its input."""

    def prepare(row: Row) -> TriggerCall:
        user = row.get("user", 1)
        return TriggerCall(
            integration="demo", action=action, user_id=user, input=dict(row), **options
        )

    return prepare


def numbers(count: int) -> list[dict[str, int]]:
    return [{"n": n} for n in range(count)]


def workers() -> list[asyncio.Task[Any]]:
    """Return the tasks of batches: the embedded server has some of its own."""
    return [task for task in asyncio.all_tasks() if "Batch._work" in repr(task)]


async def run(client: Nango, rows: Any, action: str = "echo", **options: Any) -> BatchResult:
    return await Batch(client, iterate(rows), to(action), **options).run()


def values(batch: BatchResult) -> list[Any]:
    return [item.value for item in batch]


@pytest.mark.parametrize("concurrency", [1, 7, 500])
async def test_each_row_has_its_result_in_its_place(nango: Nango, concurrency: int) -> None:
    batch = await run(nango, numbers(50), concurrency=concurrency)
    assert values(batch) == numbers(50)
    assert [item.index for item in batch] == list(range(50))
    assert [item.row for item in batch] == numbers(50)
    assert (batch.total, batch.ran, batch.not_run, batch.reason, batch.error) == (
        50,
        50,
        0,
        "",
        None,
    )
    assert (len(batch.succeeded), batch.failed, list(batch.rest)) == (50, [], [])
    assert batch.request == "demo.echo"
    assert 0 < batch[0].duration <= batch.duration
    assert batch[3:5] == [batch[3], batch[4]]


async def test_never_more_at_once_than_asked_for(nango: Nango) -> None:
    most = []

    def prepare(row: Row) -> TriggerCall:
        most.append(len(workers()))
        return to("echo")(row)

    await Batch(nango, iterate(numbers(300)), prepare, concurrency=5).run()
    assert max(most) == 5
    assert not workers()


async def test_no_rows(nango: Nango) -> None:
    sources: list[Any] = [[], iter([]), pd.DataFrame()]
    for rows in sources:
        batch = await run(nango, rows)
        assert (list(batch), batch.total, batch.not_run, batch.reason) == ([], 0, 0, "")
        assert batch.to_pandas().empty
        assert "no rows" in batch._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("concurrency", [0, -1, True, 2.0, "3", None])
async def test_concurrency_is_a_whole_number(nango: Nango, concurrency: Any) -> None:
    with pytest.raises(NangoUsageError, match="whole number"):
        Batch(nango, iterate([]), to("echo"), concurrency=concurrency)


async def test_rows_are_pulled_as_they_are_needed(nango: Nango) -> None:
    pulled = 0
    ahead = []

    def source() -> Iterator[dict[str, int]]:
        nonlocal pulled
        for n in range(60):
            pulled += 1
            yield {"n": n}

    batch = Batch(nango, iterate(source()), to("echo"), concurrency=4)
    batch.on_item = lambda _: ahead.append(pulled - batch.done)
    found = await batch.run()
    assert max(ahead) <= 4
    assert values(found) == numbers(60)
    assert found.total == 60


async def test_duplicate_rows_are_all_sent(nango: Nango) -> None:
    assert values(await run(nango, [{"n": 1}] * 20)) == [{"n": 1}] * 20


async def test_rows_may_change_while_they_run(nango: Nango) -> None:
    rows = numbers(20)
    batch = Batch(nango, iterate(rows), to("echo"), concurrency=2)

    def spoil(_: BatchItem) -> None:
        rows.append({"n": 99})
        rows[-2].clear()

    batch.on_item = spoil
    found = await batch.run()
    assert found.total == len(found) == 20
    assert found[0].row == {"n": 0}


async def test_a_row_with_a_user_that_is_none_fails_alone(nango: Nango) -> None:
    rows: list[Any] = numbers(30)
    rows[17]["user"] = 1.5
    rows[18]["user"] = None
    rows[19]["user"] = "1"
    batch = await run(nango, rows)
    assert [item.index for item in batch.failed] == [17, 18, 19]
    assert [type(item.error).__name__ for item in batch.failed] == [
        "NangoInputError", "NangoInputError", "NangoServerError",
    ]  # fmt: skip
    assert "user_id is a float" in (batch[17].error_msg or "")
    assert batch[17].call is not None
    assert repr(batch[17]).startswith("<BatchItem 17: failed: user_id is a float")
    assert repr(batch) == "<BatchResult demo.echo: 27 succeeded, 3 failed>"


async def test_the_first_row_that_gives_no_call_ends_it_before_anything_is_sent(
    nango: Nango,
) -> None:
    def prepare(row: Row) -> TriggerCall:
        return to("echo")(Row({"m": row.m}))

    with pytest.raises(AttributeError, match="no column 'm'"):
        Batch(nango, iterate(numbers(3)), prepare)
    with pytest.raises(ZeroDivisionError):
        Batch(nango, iterate({"n": 1 // n} for n in range(3)), to("echo"))


async def test_a_later_row_that_gives_no_call_fails_alone(nango: Nango) -> None:
    def prepare(row: Row) -> TriggerCall:
        return to("echo")(Row({"n": 6 // (3 - row.n)}))

    batch = await Batch(nango, iterate(numbers(5)), prepare).run()
    assert [item.index for item in batch.failed] == [3]
    assert batch[3].error_msg == "ZeroDivisionError: integer division or modulo by zero"
    assert (batch[3].call, batch[3].result, batch[3].duration) == (None, None, 0)


async def test_a_source_that_raises_ends_it_and_keeps_the_results(nango: Nango) -> None:
    def source() -> Iterator[dict[str, int]]:
        yield from numbers(12)
        raise OSError("disk on fire")

    batch = await run(nango, source(), concurrency=5)
    assert values(batch) == numbers(12)
    assert isinstance(batch.error, OSError)
    assert "in source" in "".join(traceback.format_exception(batch.error))
    assert batch.reason == "the rows failed: OSError: disk on fire"
    assert (batch.total, batch.not_run) == (None, None)


async def test_a_row_of_a_generator_that_is_none_ends_it(nango: Nango) -> None:
    batch = await run(nango, iter([{"n": 0}, {"n": 1}, 5, {"n": 3}]))
    assert values(batch) == numbers(2)
    assert isinstance(batch.error, NangoUsageError)
    assert "Row 2 is an int" in batch.reason


READS_PAGES = """
    import asyncio

    import nest_asyncio2

    from nango_jupyter import LocalServer
    from tests.test_batch import numbers, run, values

    async def main():
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 60  # the machine may be busy
        nest_asyncio2.apply(loop)
        async with LocalServer() as server:
            nango = server.client()
            await nango.register_connection("demo", 1, "any-token")

            def source():
                for n in range(10):
                    page = loop.run_until_complete(nango.trigger_action("demo", "echo", 1, n))
                    yield {"n": page.return_value}

            assert values(await run(nango, source(), concurrency=4)) == numbers(10)

    asyncio.run(main())
    print("fine")
"""


def test_a_generator_may_run_the_loop_itself() -> None:
    """As one does that reads its rows with a magic, page by page."""
    assert "rror" not in run_program(READS_PAGES)


async def test_stop_on_error(nango: Nango) -> None:
    rows: list[Any] = numbers(200)
    rows[20]["user"] = "nobody"
    batch = await run(nango, rows, concurrency=5, stop_on_error=True)
    assert [item.index for item in batch.failed] == [20]
    assert 20 < len(batch) < 40
    assert batch.reason == "stopped at the first row that failed"
    assert batch.error is None
    assert batch.not_run == 200 - len(batch)
    assert [row.n for row in batch.rest] == list(range(len(batch), 200))


async def test_an_on_item_that_fails_ends_it(nango: Nango) -> None:
    def fail(_: BatchItem) -> None:
        raise ValueError("no bar")

    batch = await run(nango, numbers(50), on_item=fail)
    assert batch.reason == "on_item failed: ValueError: no bar"
    assert isinstance(batch.error, ValueError)
    assert len(batch) >= 1


async def test_it_runs_once(nango: Nango) -> None:
    batch = Batch(nango, iterate(numbers(2)), to("echo"))
    await batch.run()
    with pytest.raises(NangoUsageError, match="run already"):
        await batch.run()


async def test_results_of_megabytes(nango: Nango) -> None:
    big = "x" * 3_000_000
    batch = await run(nango, [{"n": n, "text": big} for n in range(8)], concurrency=4)
    assert [len(item.value["text"]) for item in batch] == [3_000_000] * 8
    bundle = batch._repr_mimebundle_()
    assert sum(map(len, bundle.values())) < 20_000


@pytest.mark.parametrize("after", [0, 0.001, 0.01, 0.06, 0.15])
async def test_cancelled_at_any_moment(nango: Nango, after: float) -> None:
    rows = [{"seconds": 0.05} for _ in range(60)]
    batch = Batch(nango, iterate(rows), to("sleep"), concurrency=20)
    task = asyncio.create_task(batch.run())
    await asyncio.sleep(after)
    started = time.perf_counter()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.perf_counter() - started < 5
    if batch._outcome.begun is None:
        return  # it had not even begun
    check_stopped(batch, 60, 20)
    again = await retry(batch.result(), nango, concurrency=30).run()
    assert (len(again), again.failed, again.total) == (60, [], 60)
    assert not workers()


def check_stopped(batch: Batch, total: int, concurrency: int) -> None:
    """Each row is done, or stopped, or left: none is lost, and none is there twice."""
    found = batch.result()
    assert found.reason == "stopped"
    assert [item.error_msg for item in found.failed] == ["stopped: it may have run"] * len(
        found.failed
    )
    assert len(found.failed) <= concurrency
    left = list(found.rest)
    assert len(found) + len(left) == found.total == total
    assert found.not_run == len(left)
    assert batch.done == len(found)


async def test_cancelled_before_each_step_of_the_loop(nango: Nango) -> None:
    for steps in range(40):
        batch = Batch(nango, iterate(numbers(12)), to("echo"), concurrency=4)
        task = asyncio.create_task(batch.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        if task.done():
            assert steps > 20
            break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if steps:
            check_stopped(batch, 12, 4)


def press_stop(after: float) -> None:
    threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_stop_ends_a_generator_that_blocks() -> None:
    """As in a kernel: the magic's own handler of Stop, and a source that waits in C."""
    loop = asyncio.new_event_loop()
    kernel = KernelLoop(lambda: loop)

    async def open_server() -> tuple[LocalServer, Nango]:
        server = LocalServer()
        await server.start()
        client = server.client()
        await client.register_connection("demo", 1, "any-token")
        return server, client

    def source() -> Iterator[dict[str, int]]:
        yield from numbers(3)
        time.sleep(30)
        yield {"n": 3}

    server, client = kernel.run(open_server())
    try:
        batch = Batch(client, iterate(source()), to("echo"), concurrency=1)
        press_stop(0.5)
        started = time.perf_counter()
        with pytest.raises(KeyboardInterrupt):
            kernel.run(batch.run())
        assert time.perf_counter() - started < 5
        assert values(batch.result()) == numbers(3)
        assert batch.result().reason == "stopped"
        # And one that blocks in what is made of a row.
        slow = Batch(client, iterate(numbers(3)), block_at(2), concurrency=1)
        press_stop(0.5)
        with pytest.raises(KeyboardInterrupt):
            kernel.run(slow.run())
        assert [row.n for row in slow.result().rest] == [2]
        assert kernel.run(retry(batch.result(), client).run()).failed == []
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        kernel.run(server.stop())
        loop.close()


def block_at(n: int) -> Callable[[Row], TriggerCall]:
    def prepare(row: Row) -> TriggerCall:
        if row.n == n:
            time.sleep(30)
        return to("echo")(row)

    return prepare


async def test_ctrl_c_in_the_users_code_comes_out_when_all_is_tidied_up(nango: Nango) -> None:
    def source() -> Iterator[dict[str, float]]:
        yield from ({"seconds": 5.0} for _ in range(3))
        raise KeyboardInterrupt

    batch = Batch(nango, iterate(source()), to("sleep"), concurrency=10)
    found = await batch.run()
    assert isinstance(batch.interrupt, KeyboardInterrupt)  # not raised: it would end the loop
    assert [item.error_msg for item in found] == ["stopped: it may have run"] * 3
    assert not workers()


async def test_a_client_that_is_closed_meanwhile(nango: Nango) -> None:
    rows = [{"seconds": 0.05} for _ in range(50)]
    batch = Batch(nango, iterate(rows), to("sleep"), concurrency=5)
    batch.on_item = lambda _: None if batch.done < 10 else close()
    closing: list[asyncio.Task[None]] = []

    def close() -> None:
        if not closing:
            closing.append(asyncio.create_task(nango.close()))

    found = await batch.run()
    await asyncio.gather(*closing)
    assert isinstance(found.error, NangoClosedError)
    assert 10 <= len(found) <= 20
    assert found.not_run == 50 - len(found)


async def test_retry_runs_what_failed_and_what_was_left(nango: Nango) -> None:
    rows: list[Any] = numbers(40)
    rows[3]["user"] = rows[30]["user"] = "ada"
    first = await run(nango, rows, concurrency=2, stop_on_error=True)
    ran = [item.index for item in first]
    await nango.register_connection("demo", "ada", "any-token")
    sent: list[int] = []
    batch = retry(first, nango, concurrency=3, on_item=lambda item: sent.append(item.index))
    assert batch.done == len(first.succeeded)
    again = await batch.run()
    assert batch.done == batch.total == again.total == 40
    assert [item.index for item in again] == list(range(40))
    assert again.failed == []
    assert sorted(sent) == [3, *range(len(ran), 40)]
    assert again.ran == len(sent)
    assert again[0] is first[0]
    assert len(first.failed) == 1
    # The first result is as it was: it can be retried again.
    assert len(await retry(first, nango).run()) == 40


async def test_retry_of_a_generator_goes_on_with_it(nango: Nango) -> None:
    rows: list[Any] = numbers(30)
    rows[5]["user"] = "ada"
    first = await run(nango, iter(rows), concurrency=2, stop_on_error=True)
    assert first.total is None
    await nango.register_connection("demo", "ada", "any-token")
    again = await retry(first, nango).run()
    assert (len(again), again.failed, again.total) == (30, [], 30)
    with pytest.raises(NangoUsageError, match="read already"):
        retry(first, nango)


async def test_retry_that_is_stopped_loses_nothing(nango: Nango) -> None:
    rows = [{"n": n, "user": "ada"} for n in range(20)]
    first = await run(nango, rows)
    assert len(first.failed) == 20
    batch = retry(first, nango, stop_on_error=True, concurrency=1)
    second = await batch.run()
    assert (len(second), second.ran, second.not_run) == (20, 1, 0)
    assert len(second.failed) == 20
    assert (await retry(await run(nango, numbers(2)), nango).run()).ran == 0


async def test_retry_sends_what_was_sent(nango: Nango) -> None:
    user = "nobody"

    def prepare(row: Row) -> TriggerCall:
        return TriggerCall(integration="demo", action="echo", user_id=user, input=row.n)

    first = await Batch(nango, iterate(numbers(2)), prepare).run()
    user = "somebody"
    again = await retry(first, nango).run()
    assert 'user_id "nobody"' in (again[0].error_msg or "")


async def test_retry_of_a_row_that_gives_no_call_runs_the_others(nango: Nango) -> None:
    def prepare(row: Row) -> TriggerCall:
        return to("echo")(Row({"n": 6 // (1 - row.n), "user": row.user}))

    rows = [{"n": n, "user": "ada" if n else 1} for n in range(4)]
    first = await Batch(nango, iterate(rows), prepare).run()
    assert [item.index for item in first.failed] == [1, 2, 3]
    await nango.register_connection("demo", "ada", "any-token")
    again = await retry(first, nango).run()
    assert [item.index for item in again.failed] == [1]
    assert again.request == "demo.echo"


async def test_misspelt_names_are_guessed_and_others_are_learnt(nango: Nango) -> None:
    asked: list[object] = []

    class Known(KnownNames):
        async def hint(self, call: TriggerCall, error: NangoError) -> str:
            asked.append(call.user_id)
            return await super().hint(call, error)

    known = Known()
    rows: list[Any] = [*numbers(2), *({"n": n, "user": f"{n}"} for n in range(50))]
    rows[0]["user"] = rows[1]["user"] = 1
    first = await run(nango, rows, known=known)
    assert (known.actions("demo"), known.users_seen("demo")) == (["echo"], [1])
    assert asked == [str(n) for n in range(10)]
    hints = [item.error.hint if item.error else "" for item in first]
    assert hints[3].startswith("Did you mean the number 1?")
    assert not any("mean" in hint for at, hint in enumerate(hints) if at != 3)
    again = await retry(first, nango, known=known).run()
    assert again[3].error is not None
    assert again[3].error.hint.count("Did you mean") == 1


async def test_a_pickle_has_what_came_back(nango: Nango) -> None:
    rows: list[Any] = [*numbers(2), {"n": 2, "user": "x"}]
    batch = pickle.loads(pickle.dumps(await run(nango, rows)))
    assert batch[0].value == {"n": 0}
    assert len(batch.failed) == 1
    with pytest.raises(NangoUsageError, match="loaded from a file"):
        retry(batch, nango)


async def test_frames_have_the_row_beside_its_result(nango: Nango) -> None:
    rows: list[Any] = [
        {"user": 1, "result": "a", "result.n": 7, "row.result": 8},
        {"user": "x", "result": "b", "result.n": 7, "row.result": 8},
        {"user": 1, "result": "c", "result.n": 7, "row.result": 8},
    ]
    batch = await run(nango, rows)
    frame = batch.to_pandas()
    assert list(frame.columns) == [
        "user", "row.row.result", "row.result.n", "row.result", "success", "error", "duration",
        "result.user", "result.result", "result.result.n", "result.row.result",
    ]  # fmt: skip
    assert list(frame["success"]) == [True, False, True]
    assert list(frame["row.row.result"]) == ["a", "b", "c"]
    assert list(frame["row.result"]) == [8, 8, 8]
    assert frame["result.result"][2] == "c"
    assert frame["error"].isna().tolist() == [True, False, True]
    assert batch.to_polars().columns == list(frame.columns)
    assert list(batch.failed.to_pandas().index) == [1]
    assert batch.succeeded.to_polars()["row.row.result"].to_list() == ["a", "c"]


def read_lines(path: Path) -> pd.DataFrame:
    return pd.DataFrame(map(json.loads, path.read_text().splitlines()))


READERS: dict[str, Callable[[Path], Any]] = {
    "json": lambda path: pd.DataFrame(json.loads(path.read_text())),
    "jsonl": read_lines,
    "csv": pd.read_csv,
    "parquet": pd.read_parquet,
}


@pytest.mark.parametrize("suffix", READERS)
async def test_saved_files(nango: Nango, tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"user": [1, "x"], "when": pd.Timestamp("2026-01-02"), "raw": b"x"})

    def prepare(row: Row) -> TriggerCall:
        return TriggerCall(integration="demo", action="echo", user_id=row.user, input={"a": 1})

    batch = await Batch(nango, iterate(frame), prepare).run()
    path = batch.save(tmp_path / f"batch.{suffix}")
    found = READERS[suffix](path)
    assert found.get("result.a", found.get("result"))[0] in (1, {"a": 1})
    assert json.loads(batch.to_json())[0]["when"] == "2026-01-02T00:00:00"
    assert list(found["when"]) == ["2026-01-02T00:00:00"] * 2
    assert list(found["success"]) == [True, False]
    with pytest.raises(NangoUsageError, match="does not end in"):
        batch.save(tmp_path / "batch.xls")


async def test_errors_and_calls_hold_no_memory(nango: Nango) -> None:
    rows: list[Any] = [{"n": 0}, {"n": 1, "user": "x"}]
    batch = await run(nango, rows)
    assert batch[0].call is None
    error = batch[1].error
    assert error is not None
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


class Instant:
    """A client whose server takes no time: what is measured is the batch itself."""

    def __init__(self) -> None:
        self.result = NangoMessageHandlerResult(True, None, None)
        self.calls = self.tasks = 0

    async def trigger_action(self, *_: Any, **__: Any) -> Any:
        await asyncio.sleep(0)
        self.calls += 1
        if not self.calls % 1_000:
            self.tasks = max(self.tasks, len(asyncio.all_tasks()))
        return self.result


async def test_many_rows_take_little_beside_their_results() -> None:
    client: Any = Instant()
    tracemalloc.start()
    batch = Batch(client, iterate({"n": n} for n in range(20_000)), to("echo"), concurrency=20)
    found = await batch.run()
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 20_000
    assert 20 <= client.tasks <= 22
    # A row's dict, its item, and its place: nothing is there only while it runs.
    assert now < 20_000 * 600
    assert peak < now * 1.2


# On a broker.


async def test_a_broker_that_goes_away_ends_it(rabbit: Rabbit, rabbit_vhost: str) -> None:
    async with (
        Proxy(rabbit.port) as proxy,
        serve(rabbit_vhost, echo),
        Nango(proxy.url(rabbit_vhost), timeout=2) as client,
    ):
        batch = Batch(client, iterate(numbers(1_000)), to("echo"), concurrency=10)

        def fail(_: BatchItem) -> None:
            if batch.done == 50:
                proxy.refuse()
                proxy.cut()

        batch.on_item = fail
        found = await batch.run()
        kinds = {type(item.error) for item in found.failed}
        assert kinds <= {NangoConnectionLostError, NangoConnectionError}
        assert type(found.error) is NangoConnectionError
        assert found.reason == found.error.message
        assert 50 <= len(found) <= 80
        assert all(item.value == item.row for item in found.succeeded)
        await proxy.accept()
        again = await retry(found, client, concurrency=50).run()
        assert (len(again), again.failed) == (1_000, [])
        assert values(again) == numbers(1_000)


async def test_a_connection_that_is_cut_costs_only_what_was_under_way(
    rabbit: Rabbit, rabbit_vhost: str
) -> None:
    async with (
        Proxy(rabbit.port) as proxy,
        serve(rabbit_vhost, echo),
        Nango(proxy.url(rabbit_vhost), timeout=10) as client,
    ):
        batch = Batch(client, iterate(numbers(500)), to("echo"), concurrency=10)
        batch.on_item = lambda _: proxy.cut() if batch.done == 50 else None
        found = await batch.run()
        assert (len(found), found.reason) == (500, "")
        assert len(found.failed) <= 10
        assert {type(item.error) for item in found.failed} <= {NangoConnectionLostError}


async def test_stop_on_a_broker(rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, hold) as peer, Nango(rabbit_vhost, timeout=10) as client:
        batch = Batch(client, iterate(numbers(100)), to("echo"), concurrency=10)
        task = asyncio.create_task(batch.run())
        await until_received(peer, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        check_stopped(batch, 100, 10)
        assert len(batch.result().failed) == 10


async def until_received(peer: Peer, count: int) -> None:
    while len(peer.received) < count:
        await peer.arrived.get()


async def test_time_limits_are_of_each_row(rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore), Nango(rabbit_vhost) as client:
        prepare = to("echo", timeout=0.2)
        found = await Batch(client, iterate(numbers(6)), prepare, concurrency=3).run()
        assert len(found.failed) == 6
        assert {type(item.error).__name__ for item in found} == {"NangoTimeoutError"}
        assert found.reason == ""
