"""What a server does when the broker refuses its replies, or only its own connection breaks."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from nango_jupyter import Nango, NangoServerError
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve

ACTIONS = {
    "big": """
        from nango_jupyter import action

        @action
        def big(ctx, size: int):
            return "x" * size
        """,
    "slow": """
        import asyncio
        from pathlib import Path
        from nango_jupyter import action

        @action(idempotent=True)
        async def slow(ctx, seconds: float = 3):
            with Path(__file__).with_name("runs").open("a") as runs:
                runs.write("begin ")
            await asyncio.sleep(seconds)
            with Path(__file__).with_name("runs").open("a") as runs:
                runs.write("end ")
            return "done"
        """,
    "thread": """
        import asyncio, time
        from nango_jupyter import action

        @action
        async def thread(ctx):
            await asyncio.to_thread(time.sleep, 60)
        """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo").mkdir()
    (tmp_path / "integrations.yaml").write_text("demo: {}\n")
    for name, text in ACTIONS.items():
        (tmp_path / "demo" / f"{name}.action.py").write_text(dedent(text))
    return tmp_path


@asynccontextmanager
async def serving(url: str, folder: Path, *options: str) -> AsyncIterator[Serve]:
    """Run a server behind a proxy that runs in this event loop."""
    serve = Serve(url, folder, options)
    await asyncio.to_thread(serve.__enter__)
    try:
        yield serve
    finally:
        await asyncio.to_thread(serve.__exit__)


def runs(folder: Path) -> str:
    path = folder / "demo" / "runs"
    return path.read_text() if path.exists() else ""


async def wait_for_runs(folder: Path, text: str) -> None:
    for _ in range(200):
        if runs(folder) == text:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(runs(folder))


async def test_a_result_that_the_broker_refuses_is_an_error_and_harms_no_other(
    rabbit: Rabbit, rabbit_vhost: str, folder: Path
) -> None:
    limit = "application:set_env(rabbit, max_message_size, {})."
    await asyncio.to_thread(rabbit.ctl, "eval", limit.format(4 * 1024 * 1024))
    try:
        with Serve(rabbit_vhost, folder):
            async with Nango(rabbit_vhost, timeout=20) as nango:
                await nango.register_connection("demo", "ada", "any-token")
                sizes = [1000, 2_000_000, 6_000_000, 900_000, 3_000_000, 1000]
                found = await asyncio.gather(
                    *(nango.trigger_action("demo", "big", "ada", {"size": n}) for n in sizes),
                    return_exceptions=True,
                )
    finally:
        await asyncio.to_thread(rabbit.ctl, "eval", limit.format(134_217_728))
    refused = found.pop(2)
    assert isinstance(refused, NangoServerError)
    assert "The broker refused the result of 6,000," in refused.message
    assert all(not isinstance(one, BaseException) for one in found), found


async def test_what_runs_when_the_servers_own_connection_breaks_is_answered_once(
    rabbit: Rabbit, rabbit_vhost: str, folder: Path
) -> None:
    async with (
        Proxy(rabbit.port) as proxy,
        serving(proxy.url(rabbit_vhost), folder),
        Nango(rabbit_vhost, timeout=30) as nango,
    ):
        await nango.register_connection("demo", "ada", "any-token")
        waiting = asyncio.create_task(nango.trigger_action("demo", "slow", "ada", {"seconds": 4}))
        await wait_for_runs(folder, "begin ")
        proxy.cut()
        assert (await waiting).return_value == "done"
    assert runs(folder) == "begin end "


async def test_a_stop_without_a_broker_waits_for_what_runs(
    rabbit: Rabbit, rabbit_vhost: str, folder: Path
) -> None:
    async with (
        Proxy(rabbit.port) as proxy,
        serving(proxy.url(rabbit_vhost), folder, "--grace", "20") as serve,
        Nango(rabbit_vhost, timeout=30) as nango,
    ):
        await nango.register_connection("demo", "ada", "any-token")
        waiting = asyncio.create_task(nango.trigger_action("demo", "slow", "ada"))
        await wait_for_runs(folder, "begin ")
        proxy.refuse()
        proxy.cut()
        await asyncio.sleep(0.5)
        assert await asyncio.to_thread(serve.stop) == 0
        assert runs(folder) == "begin end "
        waiting.cancel()


async def test_threads_of_actions_keep_no_server_from_leaving(
    rabbit_vhost: str, folder: Path
) -> None:
    with Serve(rabbit_vhost, folder, ["--grace", "1"]) as serve:
        async with Nango(rabbit_vhost, timeout=30) as nango:
            await nango.register_connection("demo", "ada", "any-token")
            waiting = asyncio.create_task(nango.trigger_action("demo", "thread", "ada"))
            await asyncio.sleep(1)
            started = time.monotonic()
            assert await asyncio.to_thread(serve.stop, signal.SIGTERM) == 0
            assert time.monotonic() - started < 20
            with pytest.raises(NangoServerError, match="The server was stopped"):
                await waiting
