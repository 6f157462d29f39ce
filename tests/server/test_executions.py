"""What comes back of an execution beside its result, and what ends one that does not end."""

import asyncio
import gc
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nango_jupyter.executions import Execution
from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.server import NangoServer
from tests.server.support import register, trigger, write_action, write_file, write_folder

LIMITED = """
integrations:
    demo: {execution_timeout_seconds: 0.3}
    quiet: {log_level: warn}
    loud: {log_level: silly}
"""


@pytest.fixture
async def limited(tmp_path: Path) -> NangoServer:
    folder = write_folder(tmp_path / "folder", LIMITED)
    write_action(folder, "demo/echo", "return input")
    return NangoServer(folder, store_url=":memory:", environ={})


def execution_of(result: NangoMessageHandlerResult) -> Execution:
    assert result.execution is not None
    return result.execution


def texts(result: NangoMessageHandlerResult) -> list[str]:
    return [f"{line.level} {line.text}" for line in execution_of(result).log]


async def test_a_result_tells_of_its_execution(server: NangoServer, folder: Path) -> None:
    write_action(
        folder,
        "demo/tell",
        """
        import asyncio
        self.logger.info("reading %d of %s", 3, {"token": "secret-token-1"})
        self.logger.debug("not at this level")
        await asyncio.sleep(0.2)
        self.logger.warn("slow, says %s", "token-of-u1")
        return input
        """,
    )
    before = datetime.now(UTC) - timedelta(seconds=0.01)
    result = await trigger(server, "demo/tell", {"a": 1})
    execution = execution_of(result)
    assert result.return_value == {"a": 1}
    assert len(execution.id) == 8
    assert before <= execution.start <= datetime.now(UTC)
    assert 0.2 <= execution.duration < 10
    assert texts(result) == ["info reading 3 of {'token': '••••••'}", "warn slow, says ••••••"]
    assert execution.log[0].time <= execution.log[1].time
    assert (await trigger(server, "demo/tell")).execution != execution


async def test_a_failure_tells_of_its_execution(server: NangoServer, folder: Path) -> None:
    body = "self.logger.info('one step'); raise ValueError('and out')"
    write_action(folder, "demo/fail", body)
    result = await trigger(server, "demo/fail")
    assert not result.success
    assert texts(result) == ["info one step"]


async def test_a_plain_function_logs_too(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/plain", "self.logger.info('from a thread')", head="def")
    assert texts(await trigger(server, "demo/plain")) == ["info from a thread"]


@pytest.mark.parametrize(("integration", "levels"), [("quiet", 2), ("loud", 7)])
async def test_the_level_is_the_integrations(
    limited: NangoServer, tmp_path: Path, integration: str, levels: int
) -> None:
    names = ("error", "warn", "info", "http", "verbose", "debug", "silly")
    lines = "\n".join(f"self.logger.{name}('said')" for name in names)
    write_action(tmp_path / "folder", f"{integration}/talk", lines)
    async with limited as server:
        await register(server, integration)
        found = texts(await trigger(server, f"{integration}/talk"))
    assert found == [f"{name} said" for name in names[:levels]]


async def test_exceptions_that_are_logged(server: NangoServer, folder: Path) -> None:
    write_action(
        folder,
        "demo/caught",
        """
        try:
            raise LookupError("no token-of-u1")
        except LookupError as error:
            self.logger.exception("caught")
            self.logger.error("again", exc_info=error)
        self.logger.info("%d of", "odd")
        """,
    )
    caught, again, odd = texts(await trigger(server, "demo/caught"))
    for text in (caught, again):
        assert text.splitlines()[1] == "Traceback (most recent call last):"
        assert text.endswith("LookupError: no ••••••")
    assert odd == "info %d of ('odd',)"


async def test_a_long_log_keeps_its_end(server: NangoServer, folder: Path) -> None:
    body = "for number in range(3000): self.logger.info('line %d', number)"
    write_action(folder, "demo/long", body)
    execution = execution_of(await trigger(server, "demo/long"))
    assert execution.omitted == 2000
    assert [line.text for line in execution.log[::999]] == ["line 2000", "line 2999"]
    write_action(folder, "demo/wide", "for _ in range(100): self.logger.info('x' * 50_000)")
    execution = execution_of(await trigger(server, "demo/wide"))
    assert sum(len(line.text) for line in execution.log) <= 200_000
    assert execution.omitted + len(execution.log) == 100


async def test_what_json_can_not_hold_is_logged_all_the_same(
    server: NangoServer, folder: Path
) -> None:
    write_action(folder, "demo/odd", r"self.logger.info('half \ud800 and %s', object)")
    assert texts(await trigger(server, "demo/odd")) == [r"info half \ud800 and <class 'object'>"]


HANGING = [
    ("async def", "import asyncio\nawait asyncio.sleep(60)", ""),
    ("async def", "import time\ntime.sleep(2.5)", "held up its event loop: await what waits"),
    ("async def", "while True: pass", "held up its event loop: await what waits"),
    ("def", "import time\ntime.sleep(60)", ""),
    ("def", "while True: pass", ""),
    (
        "async def",
        "import asyncio\nwhile True:\n    try:\n        await asyncio.sleep(1)\n"
        "    except asyncio.CancelledError: pass",
        "went on when it was cancelled",
    ),
]


@pytest.mark.parametrize(("head", "body", "said"), HANGING)
async def test_what_does_not_end_is_answered(
    limited: NangoServer, tmp_path: Path, head: str, body: str, said: str
) -> None:
    write_action(tmp_path / "folder", "demo/hang", body, head=head)
    async with limited as server:
        await register(server)
        hanging = asyncio.create_task(trigger(server, "demo/hang"))
        await asyncio.sleep(0.1)
        assert (await trigger(server, "demo/echo", 1)).return_value == 1  # others go on
        result = await hanging
        assert result.error_msg is not None
        assert "the action took longer than 0.3 s (execution_timeout_seconds)" in result.error_msg
        assert said in result.error_msg
        assert execution_of(result).duration >= 0.3
        assert (await trigger(server, "demo/echo", 2)).return_value == 2


async def test_what_a_plain_function_waits_for_ends_with_it(
    limited: NangoServer, tmp_path: Path
) -> None:
    body = """
    import asyncio
    from pathlib import Path

    async def work():
        await asyncio.sleep(1)
        Path(__file__).with_name("done").touch()

    class Context: pass
    return self.run(work())
    """
    write_action(tmp_path / "folder", "demo/wait", body, head="def")
    async with limited as server:
        await register(server)
        assert not (await trigger(server, "demo/wait")).success
        await asyncio.sleep(1.5)
    assert not (tmp_path / "folder" / "demo" / "done").exists()


async def test_what_fails_in_the_background_is_logged_without_secrets(
    server: NangoServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = """
    import asyncio
    async def fail():
        raise ValueError("no token-of-u1")
    asyncio.create_task(fail())
    await asyncio.sleep(0.05)
    """
    write_action(folder, "demo/background", body)
    await trigger(server, "demo/background")
    await trigger(server, "demo/background")
    gc.collect()
    await asyncio.sleep(0.2)
    assert "ValueError: no ••••••" in caplog.text
    assert "token-of-u1" not in caplog.text


async def test_objects_are_masked_by_their_keys_wherever_they_stand(
    server: NangoServer, folder: Path
) -> None:
    body = """
    answer = {"access_token": "never-seen-before", "name": "ada"}
    self.logger.info("got %s", answer)
    self.logger.info(answer)
    self.logger.info("%(name)s %(access_token)s", answer)
    """
    write_action(folder, "demo/answers", body)
    assert texts(await trigger(server, "demo/answers")) == [
        "info got {'access_token': '••••••', 'name': 'ada'}",
        "info {'access_token': '••••••', 'name': 'ada'}",
        "info ada ••••••",
    ]


async def test_many_threads_log_at_once(server: NangoServer, folder: Path) -> None:
    body = """
    import threading

    def talk():
        for number in range(500):
            self.logger.info("line %d", number)

    threads = [threading.Thread(target=talk) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    """
    write_action(folder, "demo/threads", body, head="def")
    execution = execution_of(await trigger(server, "demo/threads"))
    assert (len(execution.log), execution.omitted) == (1000, 3000)


async def test_many_plain_functions_that_hang(limited: NangoServer, tmp_path: Path) -> None:
    write_action(tmp_path / "folder", "demo/hang", "import time\ntime.sleep(20)", head="def")
    write_action(tmp_path / "folder", "demo/plain", "return 1", head="def")
    async with limited as server:
        await register(server)
        results = await asyncio.gather(*(trigger(server, "demo/hang") for _ in range(40)))
        assert not any(result.success for result in results)
        assert (await trigger(server, "demo/plain")).return_value == 1


async def test_a_redelivered_action_runs_only_if_it_is_idempotent(
    server: NangoServer, folder: Path
) -> None:
    refused = await trigger(server, "demo/echo", 1, redelivered=True)
    assert not refused.success
    assert "delivered a second time" in str(refused.error_msg)
    write_file(
        folder,
        "demo/again",
        """
        from nango_jupyter import action

        @action(idempotent=True)
        def again(ctx):
            return "run"
        """,
    )
    result = await trigger(server, "demo/again", redelivered=True)
    assert result.return_value == "run"
    assert "second time" in execution_of(result).notes[0]
    assert execution_of(await trigger(server, "demo/again")).notes == ()


async def test_a_broken_file_is_told_in_the_next_reply(
    server: NangoServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await trigger(server, "demo/echo", 1)).execution is not None
    write_file(folder, "demo/echo", "def half(:")
    result = await trigger(server, "demo/echo", 1)
    assert result.return_value == 1
    (note,) = execution_of(result).notes
    assert "demo/echo.action.py:1: invalid syntax" in note
    assert note in caplog.messages
    write_action(folder, "demo/echo", "return 'new'")
    mended = await trigger(server, "demo/echo", 1)
    assert (mended.return_value, execution_of(mended).notes) == ("new", ())


async def test_other_requests_have_no_execution(server: NangoServer) -> None:
    body = {"action": "GET_USER_ID_CONNECTIONS", "userId": "u1"}
    reply = json.loads(await server.handle(json.dumps(body).encode()))
    assert set(reply) == {"success", "returnValue"}
