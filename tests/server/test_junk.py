"""No message kills the server: whatever the bytes are, there is a reply."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.server import NangoServer
from tests.reliability.bodies import MUTATED, VALID, VALUES
from tests.server.support import write_action, write_folder


class Asker:
    """A server on a loop of its own, for tests that are not async."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.server = NangoServer(folder, store_url=":memory:", environ={})

    def ask(self, body: bytes) -> NangoMessageHandlerResult:
        reply = self.runner.run(self.server.handle(body))
        json.loads(reply)
        result = NangoMessageHandlerResult.decode(reply)
        assert result.success or result.error_msg
        return result


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = write_folder(tmp_path_factory.mktemp("junk") / "folder")
    write_action(folder, "demo/echo", "return input")
    with asyncio.Runner() as runner:
        asker = Asker(folder, runner)
        runner.run(asker.server.start())
        yield asker
        runner.run(asker.server.stop())


QUICK = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@QUICK
@given(message=MUTATED)
def test_mutated_messages(asker: Asker, message: dict[str, Any]) -> None:
    asker.ask(json.dumps(message).encode())


@QUICK
@given(value=VALUES)
def test_any_json(asker: Asker, value: Any) -> None:
    asker.ask(json.dumps(value, ensure_ascii=True).encode())


@QUICK
@given(body=st.binary(max_size=200))
def test_any_bytes(asker: Asker, body: bytes) -> None:
    assert not asker.ask(body).success


@QUICK
@given(data=st.data(), valid=st.sampled_from(VALID))
def test_damaged_bytes(asker: Asker, data: st.DataObject, valid: dict[str, Any]) -> None:
    body = bytearray(json.dumps(valid).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    asker.ask(bytes(body))


TRIGGER = b'{"action":"TRIGGER_ACTION","integration":"demo","triggeredAction":"echo","userId":"u9",'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        TRIGGER + b'"input":' + b"[" * 900 + b"]" * 900 + b"}",
        TRIGGER + b'"input":' + b"[" * 330 + b"]" * 330 + b"}",
        TRIGGER + b'"input":' + b"9" * 5000 + b"}",
        TRIGGER + b'"input":' + b"9" * 4000 + b"}",
        TRIGGER + b'"input":1e999}',
        TRIGGER + b'"input":NaN}',
        TRIGGER + rb'"input":"\ud800"}',
        TRIGGER + rb'"input":"\u0000"}',
        TRIGGER + b'"input":"\xff"}',
        b"\xef\xbb\xbf" + TRIGGER + b'"input":1}',
        TRIGGER.decode().encode("utf-16"),
        b"x" * 10_000_000,
        b'{"action":"' + b"K" * 10_000_000 + b'"}',
        TRIGGER.replace(b'"u9"', b"1e308") + b'"input":1}',
        TRIGGER.replace(b'"u9"', b"1.5") + b'"input":1}',
        TRIGGER.replace(b'"u9"', b'"' + b"u" * 1_000_000 + b'"') + b'"input":1}',
    ],
    ids=range(20),
)
def test_extremes(asker: Asker, body: bytes) -> None:
    register = {**VALID[0], "userId": "u9"}
    asker.ask(json.dumps(register).encode())
    asker.ask(body)
    assert asker.ask(TRIGGER + b'"input":1}').return_value == 1


def test_deep_and_odd_config_is_stored_or_refused(asker: Asker) -> None:
    start = b'{"action":"REGISTER_CONNECTION","integration":"demo","oAuthAccessToken":"t",'
    for user, config in enumerate([b"[" * 400 + b"]" * 400, b"1e999", b'"\\u0000"', b"9" * 4000]):
        body = start + b'"userId":%d,"additionalConfig":{"a":%s}}' % (user, config)
        asker.ask(body)
        asker.ask(b'{"action":"GET_USER_ID_CONNECTIONS","userId":%d}' % user)
