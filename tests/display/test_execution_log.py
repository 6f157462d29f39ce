"""The log and the notes of an execution, under its result."""

from datetime import UTC, datetime
from typing import Any

from nango_jupyter.display import render_result
from nango_jupyter.executions import Execution, LogLine
from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.secrets import remember
from tests.display.markup import Page

START = datetime(2026, 11, 25, 7, 9, 53, 123_000, tzinfo=UTC)


def draw(*texts: str, success: bool = True, **more: Any) -> dict[str, str]:
    log = tuple(LogLine(START, "info", text) for text in texts)
    execution = Execution(id="5snqtx78", start=START, duration=0.25, log=log, **more)
    return render_result(
        NangoMessageHandlerResult(success, None if success else "out", execution=execution)
    )


def test_a_log_is_folded_under_the_result() -> None:
    found = draw("read page 1", "read page 2")
    html = found["text/html"]
    assert '<details class="ng-log"><summary>' in html  # not open
    assert html.index("nothing returned") < html.index("read page 1")
    text = Page(html).text
    assert "2 log lines, exec ID #5snqtx78" in text
    assert "07:09:53.123 info read page 1\n07:09:53.123 info read page 2" in text
    last = found["text/plain"].splitlines()[-1]
    assert last == "(2 log lines, exec ID #5snqtx78: result.execution.log)"


def test_a_failure_has_its_log_too() -> None:
    assert "read page 1" in Page(draw("read page 1", success=False)["text/html"]).text


def test_without_a_log_nothing_is_drawn() -> None:
    found = draw()
    assert 'ng-log"' not in found["text/html"]
    assert "exec ID" not in found["text/plain"]
    assert "log" not in render_result(NangoMessageHandlerResult(True))["text/plain"]


def test_notes_stand_open() -> None:
    found = draw(notes=("the version of 07:09:53 stays in use",))
    assert "⚠ the version of 07:09:53 stays in use" in Page(found["text/html"]).text
    assert "! the version of 07:09:53 stays in use" in found["text/plain"]


def test_only_the_end_of_a_long_log_is_drawn() -> None:
    text = Page(draw(*(f"line {number}" for number in range(150)), omitted=50)["text/html"]).text
    assert "200 log lines" in text
    assert "showing the last 100 of 200" in text
    assert "line 50\n" in text
    assert "line 49\n" not in text


def test_what_is_logged_is_escaped_masked_and_cut() -> None:
    remember("a-secret-token")
    found = draw("<img src=x onerror=alert(1)> a-secret-token \u202e", "x" * 5000, notes=("<b>",))
    html = found["text/html"]
    Page(html)  # no other tags than ours
    assert "a-secret-token" not in html + found["text/plain"]
    assert "\u202e" not in html
    assert "x" * 1000 not in html
