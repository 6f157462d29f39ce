"""The session with real servers: embedded ones, brokers that refuse or are silent, and a kernel."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nango_jupyter.batch import Batch
from nango_jupyter.calls import TriggerCall
from nango_jupyter.exceptions import (
    NangoClosedError,
    NangoConnectionError,
    NangoError,
    NangoInputError,
    NangoServerError,
    NangoTimeoutError,
    NangoUsageError,
)
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.messages import UserId
from nango_jupyter.results import NangoResult
from nango_jupyter.rows import Row, iterate
from nango_jupyter.session import Session
from nango_jupyter.settings import Settings
from tests.support.kernel import Kernel
from tests.support.serve import Serve

NOBODY = Settings(host="127.0.0.1", port=1, timeout=5)


def call(action: str, value: Any = None, user: UserId = "ada", **known: Any) -> TriggerCall:
    return TriggerCall(integration="demo", action=action, user_id=user, input=value, **known)


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    """A session with one embedded server, and ada on it."""
    found = Session()
    await found.connect_local()
    await found.register("demo", "ada", "token-of-ada")
    yield found
    await found.close_all()


async def test_several_embedded_servers_are_apart(session: Session, tmp_path: Path) -> None:
    status = await session.connect_local(name="other")
    assert (status.name, status.others) == ("other", ("default",))
    with pytest.raises(NangoServerError):
        await session.trigger(call("echo", 1))
    assert (await session.trigger(call("echo", 1), "default")).return_value == 1
    session.use("default")
    assert (await session.trigger(call("echo", 2))).return_value == 2
    assert [entry.connection for entry in session.history] == ["other", "default", "default"]
    assert (await session.status("other")).name == "other"
    assert (await session.status()).name == "default"


async def test_a_second_connection_of_a_name_that_fails_leaves_the_first(session: Session) -> None:
    before = session.client()
    with pytest.raises(NangoConnectionError) as caught:
        await session.connect(NOBODY)
    assert caught.value.hint.endswith("--local. Still connected to embedded server (the samples).")
    with pytest.raises(NangoError):
        await session.connect_local("/nowhere/at/all")
    assert session.client() is before
    assert (await session.trigger(call("echo", 1))).success
    assert [row.name for row in session.connections()] == ["default"]


async def test_a_second_connection_of_a_name_takes_the_place_of_the_first(session: Session) -> None:
    before = session.connection()
    await session.connect_local()
    assert not before.client.is_open
    assert session.connection() is not before
    assert len(session.connections()) == 1


async def test_stop_while_connecting_leaves_what_was(session: Session) -> None:
    taken = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.set()
        await reader.read()
        writer.close()

    before = session.client()
    async with await asyncio.start_server(say_nothing, "127.0.0.1") as silent:
        port = silent.sockets[0].getsockname()[1]
        connecting = asyncio.create_task(
            session.connect(Settings(host="127.0.0.1", port=port, timeout=30), "prod")
        )
        await asyncio.wait_for(taken.wait(), 10)
        await asyncio.sleep(0.05)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
    assert session.client() is before
    assert [row.name for row in session.connections()] == ["default"]


# The thread that reads the folder is interrupted, also between opening a file and its `with`.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_stop_while_an_embedded_server_starts_leaves_what_was(session: Session) -> None:
    before = session.client()
    for turns in range(12):
        starting = asyncio.create_task(session.connect_local(name="prod"))
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert session.client() is before
    assert [row.name for row in session.connections()] == ["default"]


async def test_the_history_has_all_that_was_triggered(session: Session) -> None:
    result = await session.trigger(call("echo", {"a": 1}))
    with pytest.raises(NangoServerError):
        await session.trigger(call("fail", {"message": "no such channel"}))
    with pytest.raises(NangoTimeoutError):
        await session.trigger(call("sleep", {"seconds": 30}, timeout=0.05))
    with pytest.raises(NangoInputError):
        await session.trigger(call("echo", {1, 2}))
    stopped = asyncio.create_task(session.trigger(call("sleep", {"seconds": 30})))
    await asyncio.sleep(0.05)
    assert session.history.entry().state == "running"
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert [entry.state for entry in session.history] == [
        *("success", "failed", "failed", "failed", "stopped")
    ]
    assert session.history.result(1) is result
    assert "no such channel" in session.history.entry(2).outcome
    assert "No answer within 0.05 s" in session.history.entry(3).outcome
    assert (await session.trigger(session.history.call(1))).return_value == {"a": 1}
    session.history._repr_mimebundle_()


async def test_a_misspelt_name_is_guessed(session: Session) -> None:
    with pytest.raises(NangoServerError) as caught:
        await session.trigger(call("ehco"))
    assert caught.value.hint.startswith("Did you mean echo? ")
    assert caught.value.__notes__ == [f"Hint: {caught.value.hint}"]
    with pytest.raises(NangoServerError) as caught:
        await session.trigger(call("echo", user="adaa"))
    assert "Did you mean ada?" in caught.value.hint


async def test_users_that_were_used_are_known(session: Session) -> None:
    await session.register("demo", 7, "token-of-7")
    await session.trigger(call("echo", user=7))
    assert set(session.connection().known.users_seen("demo")) == {"ada", 7}
    with pytest.raises(NangoServerError):
        await session.register("demo", 7, "token-of-7")


async def test_closing(session: Session) -> None:
    await session.connect_local(name="prod")
    one, other = session.connection("default"), session.connection("prod")
    assert one.local is not None
    status = await session.close()
    assert (status.state, status.others) == ("not connected", ("default",))
    assert not other.client.is_open
    with pytest.raises(NangoClosedError, match="No connection is the current one"):
        await session.trigger(call("echo"))
    with pytest.raises(NangoClosedError, match="No connection is the current one"):
        await session.close()
    with pytest.raises(NangoClosedError, match="There is no connection"):
        await session.close("prod")
    await session.connect_local(name="prod")
    status = await session.close("default")  # not the current one, which stays
    assert (status.state, status.name, status.others) == ("connected", "prod", ())
    await session.connect_local(name="third")
    assert (await session.close_all()).state == "not connected"
    assert len(session.connections()) == 0


async def test_an_action_is_defined_on_the_embedded_server_that_is_named(session: Session) -> None:
    def define(name: str | None = None) -> str:
        cell = "def twice(ctx, n: int):\n    return 2 * n"
        return session.define_action(
            *("demo", "twice", cell),
            idempotent=False,
            base_url=None,
            save=None,
            notebook=(),
            name=name,
        ).action

    assert define() == "twice"
    assert (await session.trigger(call("twice", {"n": 2}))).return_value == 4
    await session.connect_local(name="prod")
    assert define("default") == "twice"
    await session.close()
    with pytest.raises(NangoClosedError, match="no embedded server") as caught:
        define()
    assert caught.value.hint == "Run %nango_connect --use default first."
    await session.close_all()
    with pytest.raises(NangoClosedError, match="no embedded server") as caught:
        define()
    assert caught.value.hint == "Run %nango_connect --local first."
    with pytest.raises(NangoClosedError, match="Not connected"):
        define("prod")


@pytest.fixture
def loop() -> Iterator[KernelLoop]:
    """A loop that runs only while something is waited for, as in a terminal."""
    found = asyncio.new_event_loop()
    yield KernelLoop(lambda: found)
    found.close()


def test_jobs(loop: KernelLoop) -> None:
    session = Session()
    loop.run(session.connect_local())
    loop.run(session.register("demo", "ada", "token-of-ada"))
    slow = session.start(call("sleep", {"seconds": 0.2}), run=loop.run)
    failing = session.start(call("fail", {"message": "no"}), run=loop.run)
    misspelt = session.start(call("ehco"), run=loop.run)
    assert [entry.state for entry in session.history] == ["running"] * 3
    result = slow.result()
    assert isinstance(result, NangoResult)
    assert result.return_value == {"slept": 0.2}
    with pytest.raises(NangoServerError, match="no"):
        failing.result()
    with pytest.raises(NangoServerError) as caught:
        misspelt.result()
    assert "Did you mean echo?" in caught.value.hint
    assert [entry.state for entry in session.history] == ["success", "failed", "failed"]
    cancelled = session.start(call("sleep", {"seconds": 60}), run=loop.run)
    cancelled.cancel()
    assert session.history.entry(4).state == "stopped"
    assert list(session.jobs()) == [slow, failing, misspelt, cancelled]
    assert session.job(2) is failing
    with pytest.raises(NangoError, match="There is no job 9"):
        session.job(9)
    pending = session.start(call("sleep", {"seconds": 60}), run=loop.run)
    loop.run(session.close())
    assert pending.state == "failed"
    with pytest.raises(NangoClosedError, match="closed while this was under way"):
        pending.result()
    with pytest.raises(NangoClosedError):
        session.start(call("echo"), run=loop.run)
    assert len(session.history) == 5


def test_only_so_many_jobs_are_listed(loop: KernelLoop) -> None:
    session = Session()
    loop.run(session.connect_local())
    loop.run(session.register("demo", "ada", "token-of-ada"))
    first = session.start(call("sleep", {"seconds": 60}), run=loop.run)
    for number in range(110):
        session.start(call("echo", number), run=loop.run).result()
    numbers = [job.number for job in session.jobs()]
    assert len(numbers) == 101
    assert (numbers[0], numbers[-1]) == (first.number, 111)
    loop.run(session.close_all())
    assert first.state == "failed"


def sleeps(session: Session, seconds: Iterable[float], **known: Any) -> Batch:
    """A batch with a row for each of these times; the action fails if it is no number."""

    def prepare(row: Row) -> TriggerCall:
        return call("sleep", {"seconds": row["seconds"]})

    rows = iterate({"seconds": each} for each in seconds)
    return Batch(session.client(), rows, prepare, request="demo.sleep", **known)


async def test_batches_stand_in_the_history(session: Session) -> None:
    result = await session.trigger_each(sleeps(session, [0, 0]), "demo.sleep")
    assert session.history.result(1) is result
    some: list[Any] = [0, "x", 0]
    await session.trigger_each(sleeps(session, some), "demo.sleep")
    await session.trigger_each(sleeps(session, some, concurrency=1, stop_on_error=True), "demo")

    def broken() -> Iterator[float]:
        yield 0
        raise ValueError("hunter2 is not for everyone")

    await session.trigger_each(sleeps(session, broken()), "demo.sleep")
    stopped = asyncio.create_task(
        session.trigger_each(sleeps(session, [0, 60, 0], concurrency=1), "demo.sleep")
    )
    await asyncio.sleep(0.3)
    assert session.history.entry().outcome == "running"
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert [(entry.state, entry.outcome.partition("; ")[0]) for entry in session.history] == [
        ("success", "success: 2 rows"),
        ("failed", "1 of 3 failed"),
        ("stopped", "1 of 2 failed"),
        ("stopped", "0 of 1 failed"),
        ("stopped", "1 of 2 failed"),
    ]
    assert all("; " in entry.outcome for entry in session.history[2:])
    assert len(session.history.result(5)) == 2
    with pytest.raises(NangoUsageError, match="many rows"):
        session.history.call(5)


def test_batches_as_jobs(loop: KernelLoop) -> None:
    session = Session()
    loop.run(session.connect_local())
    loop.run(session.register("demo", "ada", "token-of-ada"))
    job = session.start_each(sleeps(session, [0, 0]), "demo.sleep", run=loop.run)
    assert [item.success for item in job.result()] == [True, True]
    long = session.start_each(
        sleeps(session, [0, 60, 60], concurrency=1), "demo.sleep", run=loop.run
    )
    loop.run(asyncio.sleep(0.3))
    assert "1 rows, 0 failed" in long._repr_mimebundle_()["text/plain"]
    assert long.cancel()
    part = long.result()
    assert [item.success for item in part] == [True, False]
    pending = session.start_each(sleeps(session, [60, 60]), "demo.sleep", run=loop.run)
    loop.run(session.close_all())
    assert pending.state == "done"
    assert [item.success for item in pending.result()] == [False, False]
    assert [entry.outcome.partition("; ")[0] for entry in session.history] == [
        "success: 2 rows",
        "1 of 2 failed",
        "2 of 2 failed",
    ]


async def test_a_broker_beside_an_embedded_server(rabbit_vhost: str) -> None:
    session = Session()
    await session.connect_local(name="local")
    with Serve(rabbit_vhost):
        status = await session.connect(Settings.from_target(rabbit_vhost, timeout=10), "prod")
        assert (status.servers, status.name, status.others) == (1, "prod", ("local",))
        await session.register("demo", "ada", "token-of-ada")
        assert (await session.trigger(call("echo", 1))).return_value == 1
        with pytest.raises(NangoServerError) as caught:
            await session.trigger(call("echo", 1), "local")
        assert caught.value.result is not None
        with pytest.raises(NangoClosedError, match="no embedded server") as closed:
            session.define_action(
                "a", "b", "", idempotent=False, base_url=None, save=None, notebook=()
            )
        assert closed.value.hint == "Run %nango_connect --use local first."
        waiting = asyncio.create_task(session.trigger(call("sleep", {"seconds": 30})))
        await asyncio.sleep(0.2)
        await session.close("prod")
        with pytest.raises(NangoClosedError):
            await waiting
    await session.close_all()


JOBS = """
import asyncio, threading, time
from nango_jupyter.calls import TriggerCall
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.session import Session
loop, session = KernelLoop(asyncio.get_running_loop), Session()
loop.run(session.connect_local())
loop.run(session.register("demo", "ada", "token-of-ada"))
def start(seconds):
    call = TriggerCall(
        integration="demo", action="sleep", user_id="ada", input={"seconds": seconds}
    )
    return session.start(call, run=loop.run)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(tmp_path_factory.mktemp("home")) as found:
        found.ok(JOBS)
        yield found


def test_a_job_goes_on_between_the_cells_of_a_kernel(kernel: Kernel) -> None:
    kernel.ok("job = start(0.3)")
    found = kernel.ok("await asyncio.sleep(1)\nprint(job.state, job.result().return_value)")
    assert found.text == "done {'slept': 0.3}\n"


def test_waiting_for_jobs_in_all_ways_in_a_kernel(kernel: Kernel) -> None:
    found = kernel.ok("print(start(0.1).result().success)")
    assert found.text == "True\n"
    found = kernel.ok("job = start(0.1)\nprint((await job).success, (await job).success)")
    assert found.text == "True True\n"
    found = kernel.ok(
        "async def inside():\n    return start(0.1).result().success\n"
        "print(await asyncio.create_task(inside()))"
    )
    assert found.text == "True\n"
    found = kernel.ok(
        "out = []\njob = start(0.2)\n"
        "thread = threading.Thread(target=lambda: out.append(job.result().success))\n"
        "thread.start()\nawait asyncio.to_thread(thread.join)\nprint(out)"
    )
    assert found.text == "[True]\n"
    found = kernel.ok("job = start(60)\nprint(job.cancel(), job.state, job.done())")
    assert found.text == "True cancelled True\n"


def test_stop_ends_the_waiting_and_not_the_job(kernel: Kernel) -> None:
    kernel.ok("job = start(2.5)")
    sent = kernel.send("print('waiting', flush=True)\njob.result()")
    time.sleep(0.7)
    kernel.manager.interrupt_kernel()
    reply = kernel.wait(sent)
    assert reply.error == "KeyboardInterrupt"
    found = kernel.ok("print(job.state, job.result().return_value, session.history.entry().state)")
    assert found.text == "running {'slept': 2.5} success\n"


def test_a_job_draws_itself_anew_in_its_cell(kernel: Kernel) -> None:
    code = (
        "from nango_jupyter.magics.live import show_live\n"
        "job = start(0.2)\nshow_live(job)\nawait asyncio.sleep(0.6)"
    )
    message = kernel.send(code)
    updates = []
    while True:
        found = kernel.client.get_iopub_msg(timeout=30)
        if found["parent_header"].get("msg_id") != message:
            continue
        if found["msg_type"] in ("display_data", "update_display_data"):
            updates.append((found["msg_type"], found["content"]["data"]["text/plain"]))
        if found["content"].get("execution_state") == "idle":
            break
    assert [kind for kind, _ in updates] == ["display_data", "update_display_data"]
    assert "running" in updates[0][1]
    assert "demo.sleep" in updates[1][1]
    assert updates[1][1].startswith("✓")
