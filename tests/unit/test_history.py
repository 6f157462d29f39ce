"""What a session remembers of what was triggered, and what it shows of that."""

from typing import Any

import pytest

from nango_jupyter.calls import TriggerCall
from nango_jupyter.exceptions import NangoServerError, NangoTimeoutError, NangoUsageError
from nango_jupyter.history import History
from nango_jupyter.messages import UserId
from nango_jupyter.results import NangoResult
from nango_jupyter.secrets import MASK, Secret


def call(action: str = "echo", user: UserId = "ada", value: Any = None) -> TriggerCall:
    return TriggerCall(integration="demo", action=action, user_id=user, input=value)


def texts(history: History) -> list[str]:
    bundle = history._repr_mimebundle_()
    return [bundle["text/plain"], bundle["text/html"]]


def test_entries_are_numbered_and_keep_what_came_back() -> None:
    history = History()
    first = history.begin("default", call(value={"a": 1}))
    second = history.begin("prod", call("fail"))
    assert (first.state, history.entry(1), history.entry()) == ("running", first, second)
    result = NangoResult(True, None, {"a": 1}, duration=0.1)
    first.end("success", "success", result)
    assert history.result(1) is result
    assert history.call(1).input == {"a": 1}
    error = NangoServerError("no such channel\nand more")
    error.result = NangoResult(False, "no such channel\nand more")
    second.fail(error)
    assert second.outcome == "failed: no such channel"
    assert history.result(2) is error.result
    assert [entry.number for entry in history] == [1, 2]
    assert len(history) == 2


def test_what_ends_without_an_answer_has_a_result_too() -> None:
    history = History()
    history.begin("default", call()).stop()
    history.begin("default", call()).fail(NangoTimeoutError("No answer within 1 s"))
    history.begin("default", call()).fail(ZeroDivisionError("of ours"))
    for number, message in enumerate(
        ["stopped: it may have run", "No answer within 1 s", "ZeroDivisionError"], start=1
    ):
        result = history.result(number)
        assert isinstance(result, NangoResult)
        assert not result.success
        assert result.error_msg == message
        assert result.request == "demo.echo"
    assert [entry.state for entry in history] == ["stopped", "failed", "failed"]


def test_numbers_that_are_not_there() -> None:
    history = History()
    with pytest.raises(NangoUsageError, match="Nothing was triggered yet"):
        history.entry()
    history.begin("default", call())
    for wrong in (0, 2, -1, 10**30):
        with pytest.raises(NangoUsageError, match=f"no entry {wrong} in the history") as caught:
            history.entry(wrong)
        assert "It has 1." in caught.value.hint
    for odd in ("1", 1.0, True, None.__class__):
        with pytest.raises(NangoUsageError, match="not the number of an entry"):
            history.entry(odd)  # type: ignore[arg-type]
    with pytest.raises(NangoUsageError, match="Entry 1 is still running"):
        history.result(1)


def test_what_is_old_is_forgotten_but_not_what_runs() -> None:
    history = History()
    running = history.begin("default", call())
    for _ in range(1_100):
        history.begin("default", call(value="x")).end("success", "success", NangoResult(True))
    assert len(history) == 1_000
    assert history.entry(1_101).number == 1_101
    assert bool(history.result(1_002))
    assert history.call(1_002).input == "x"
    for number in (102, 1_001):
        with pytest.raises(NangoUsageError, match=f"result of entry {number} is not kept"):
            history.result(number)
        with pytest.raises(NangoUsageError, match=f"input of entry {number} is not kept"):
            history.call(number)
    with pytest.raises(NangoUsageError, match="no entry 101 in the history"):
        history.entry(101)
    assert running.call is not None
    plain, html = texts(history)
    assert "1,101 requests in this session" in plain
    assert "showing the last 100 of 1,000" in plain
    assert html.count("<tr>") == 101


def test_a_batch_cant_be_run_again_from_here() -> None:
    history = History()
    history.begin_batch("default", "demo.echo")
    with pytest.raises(NangoUsageError, match="many rows") as caught:
        history.call(1)
    assert "--retry-failed" in caught.value.hint


def test_the_table() -> None:
    history = History()
    history.begin("default", call(user=1)).end("success", "success", NangoResult(True))
    history.begin("prod", call("a-b", "1")).fail(NangoTimeoutError("No answer within 1 s"))
    history.begin("prod", call())
    plain, html = texts(history)
    lines = plain.splitlines()
    assert lines[0] == "✓ 3 requests in this session"
    assert lines[1].split() == [
        *("Time", "Request", "User", "Connection", "Duration", "Outcome"),
    ]
    assert [line.split()[0] for line in lines[3:6]] == ["1", "2", "3"]
    assert lines[3].split()[3:5] == ["1", "default"]
    assert lines[4].split()[3] == '"1"'  # two users
    assert "failed: No answer within 1 s" in lines[4]
    assert lines[5].endswith("running")
    assert "--rerun" in lines[6]
    assert html.count("<tr>") == 4
    assert "Nothing triggered yet" in texts(History())[0]
    one = History()
    one.begin("prod", call("fail")).fail(
        NangoServerError("There was an error during the action execution: no such channel")
    )
    plain = texts(one)[0]  # with a single connection, there is nothing to tell apart
    assert "Connection" not in plain
    assert "failed: no such channel" in plain


def test_nothing_secret_is_shown() -> None:
    secret = Secret("hunter22-and-more")
    history = History()
    entry = history.begin(
        "default", call(user=f"ada-{secret.reveal()}", value={"token": secret.reveal()})
    )
    entry.fail(NangoServerError(f"refused {secret.reveal()}"))
    hidden = History()
    hidden.begin("default", call("<script>alert(1)</script>", "\u202eada\x00")).fail(
        NangoServerError("<img src=x onerror=alert(1)>")
    )
    for text in [*texts(history), repr(history), repr(entry), str(entry)]:
        assert secret.reveal() not in text
    assert MASK in texts(history)[0]
    for text in texts(hidden):
        assert "\u202e" not in text
        assert "\x00" not in text
    assert "<script" not in texts(hidden)[1]
    assert "<img" not in texts(hidden)[1]
