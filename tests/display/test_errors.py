"""The card of an error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nango_jupyter.display import render_error
from nango_jupyter.exceptions import (
    NangoClosedError,
    NangoConnectionError,
    NangoConnectionLostError,
    NangoError,
    NangoServerError,
    NangoTimeoutError,
)
from nango_jupyter.executions import Execution, LogLine
from nango_jupyter.results import NangoResult
from tests.display.markup import Page
from tests.support.kernel import Kernel


def error_of(message: str, hint: str = "", lines: int = 0) -> NangoServerError:
    start = datetime(2026, 11, 25, 7, 9, 53, tzinfo=UTC)
    log = tuple(LogLine(start, "info", f"step {number}") for number in range(lines))
    error = NangoServerError(message, hint)
    error.result = NangoResult(
        False,
        message,
        request="crm.list-contacts",
        user_id=7,
        duration=0.25,
        execution=Execution(id="5snqtx78", start=start, duration=0.2, log=log) if lines else None,
    )
    return error


def test_what_was_asked_what_went_wrong_and_what_is_next() -> None:
    found = render_error(error_of("No such user\n  at x", "Register the user first."))
    text = Page(found["text/html"]).text
    assert "✗ failed · crm.list-contacts · user 7 · 0.25 s" in text
    assert "No such user\n  at x" in text
    assert "Next: Register the user first." in text
    assert found["text/plain"] == (
        "✗ failed · crm.list-contacts · user 7 · 0.25 s\nNo such user\n  at x\n"
        "Next: Register the user first."
    )


def test_what_is_next_where_an_action_fails() -> None:
    error = error_of("There was an error during the action execution: boom")
    error.result = NangoResult(False, error.message, is_action=True)
    assert (
        "Next: Change the input, mend the action, or check the user's token"
        in Page(render_error(error)["text/html"]).text
    )


def test_the_end_of_the_log_stands_open() -> None:
    found = render_error(error_of("boom", lines=14))
    assert '<details class="ng-log" open>' in found["text/html"]
    text = Page(found["text/html"]).text
    assert "14 log lines, exec ID #5snqtx78" in text
    assert "showing the last 10 of 14" in text
    assert "step 13" in text
    assert "step 3\n" not in text
    assert "Next:" not in text
    assert "  07:09:53.000 info step 13" in found["text/plain"].splitlines()


def test_long_messages_are_folded() -> None:
    trace = "Traceback (most recent call last):\n" + "  File x\n" * 30 + "KeyError: 'a'"
    html = render_error(error_of(trace, "Look."))["text/html"]
    assert "<summary>KeyError: &#39;a&#39;</summary>" in html
    assert len(render_error(error_of("x" * 1_000_000, "y" * 1_000_000))["text/html"]) < 12_000


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (NangoTimeoutError("Nothing came"), "no answer in time"),
        (NangoConnectionLostError("It went away"), "connection lost"),
        (NangoConnectionError("Nobody there"), "no connection"),
        (NangoClosedError("Not connected"), "failed"),
    ],
    ids=["time", "lost", "unreachable", "closed"],
)
def test_titles_without_a_result(error: NangoError, title: str) -> None:
    found = render_error(error)
    assert found["text/plain"] == f"✗ {title}\n{error.message}"
    assert title in Page(found["text/html"]).text


CELL = """
from IPython.display import display
from nango_jupyter.display import render_error
from nango_jupyter.exceptions import NangoServerError
def fail(draw=True):
    error = NangoServerError("first line\\nsecond line", "do this")
    if draw:
        error.on_show = lambda error: display(render_error(error), raw=True)
    raise error
"""


def test_ipython_draws_the_card_once_and_one_line(tmp_path: Path) -> None:
    with Kernel(tmp_path) as kernel:
        kernel.ok(CELL)
        shown = kernel.run("try:\n    fail()\nexcept NangoServerError as error:\n    kept = error")
        assert not shown.data  # nothing is drawn of what somebody catches
        for code in ("fail()", "raise kept", "raise kept"):
            shown = kernel.run(code)
            assert len(shown.data) == 1
            assert "second line" in shown.html
            assert "Next:" in shown.html
            assert shown.traceback.splitlines()[-1] == "NangoServerError: first line"
            assert "second line" not in shown.traceback
        shown = kernel.run("fail(draw=False)")
        assert not shown.data
        assert "second line\nHint: do this" in shown.traceback


def test_show_draws_at_once_in_ipython(tmp_path: Path) -> None:
    with Kernel(tmp_path) as kernel:
        shown = kernel.ok(
            "from nango_jupyter.results import NangoResult\n"
            "result = NangoResult(True, None, [{'a': n} for n in range(300)])\n"
            "result.show(all=True)\nresult.table().show(rows=3)\nNone"
        )
        assert len(shown.data) == 2
        assert '<td class="ng-n">299</td>' in shown.data[0]["text/html"]
        assert "showing 3 of 300 rows; .show(all=True) shows all" in shown.data[1]["text/html"]
        assert not shown.text
