"""What actions log."""

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nango_jupyter.secrets import remember
from nango_jupyter.server import LEVELS, ActionLogFormatter, NangoServer
from nango_jupyter.server.logs import ActionLogger
from tests.server.support import register, trigger, write_action, write_folder


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a handler with the documented format writes, all levels on."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ActionLogFormatter())
    logger = logging.getLogger("nango_jupyter")
    logger.addHandler(handler)
    logger.setLevel(1)
    yield stream
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
EVERY_LEVEL = """
for level in ["error", "warn", "info", "http", "verbose", "debug", "silly"]:
    getattr(self.logger, level)("a %s line", level)
"""


@pytest.mark.parametrize(("level", "lines"), [(name, i + 1) for i, name in enumerate(LEVELS)])
async def test_lines_and_levels(
    tmp_path: Path, stream: io.StringIO, level: str, lines: int
) -> None:
    folder = write_folder(tmp_path, f"a.b: {{log_level: {level}}}")
    write_action(folder, "a.b/speak", EVERY_LEVEL)
    async with NangoServer(folder, store_url=":memory:", environ={}) as server:
        await register(server, "a.b", 7)
        await trigger(server, "a.b/speak", user_id=7)
    found = stream.getvalue().splitlines()
    assert len(found) == lines
    for name, line in zip(LEVELS, found, strict=False):
        about = r"\[a\.b\] \[speak\] \[user-id: 7\] \[exec ID: #[0-9a-f]{8}\]"
        assert re.fullmatch(rf"{TIME} {name} {about} a {name} line", line)
    assert len({re.search("#[0-9a-f]{8}", line)[0] for line in found}) == 1  # type: ignore[index]


def test_secrets_are_masked(stream: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    remember("xoxb-logged-secret")
    logger = ActionLogger("i", "a", "u", "12345678", logging.DEBUG)
    logger.info("token %s", "xoxb-logged-secret")
    logger.info({"token": "xoxb-logged-secret"})
    logger.info("too few %s %s", "xoxb-logged-secret")
    try:
        int("xoxb-logged-secret")
    except ValueError:
        logger.exception("it failed")
    assert "xoxb" not in stream.getvalue() + caplog.text
    assert stream.getvalue().count("••••••") >= 4
    assert "int() with base 10: '••••••'" in stream.getvalue()


def test_records_name_the_action_and_keep_the_authors_extra(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = ActionLogger("i", "a", 1, "12345678", logging.INFO)
    logger.warning("x", extra={"rows": 3})
    logger.debug("not logged")
    record = vars(caplog.records[0])
    assert record["name"] == "nango_jupyter.action.i.a"
    assert (record["user_id"], record["execution_id"], record["rows"]) == (1, "12345678", 3)
    assert record["funcName"] == "test_records_name_the_action_and_keep_the_authors_extra"
    assert len(caplog.records) == 1


def test_records_of_the_server_have_a_short_line(stream: io.StringIO) -> None:
    logging.getLogger("nango_jupyter.server").critical("stopped")
    assert re.fullmatch(rf"{TIME} critical stopped\n", stream.getvalue())


async def test_a_failed_action_is_logged(
    server: NangoServer, folder: Path, stream: io.StringIO
) -> None:
    write_action(folder, "demo/fail", "raise ValueError('boom')")
    await trigger(server, "demo/fail")
    assert "error [demo] [fail] [user-id: u1]" in stream.getvalue()
    assert "boom - ValueError" in stream.getvalue()


async def test_nothing_is_printed(
    server: NangoServer, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_action(folder, "demo/fail", "self.logger.error('x')\nraise ValueError('boom')")
    await trigger(server, "demo/fail")
    await server.handle(b"junk")
    assert capfd.readouterr() == ("", "")
