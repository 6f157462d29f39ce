"""The error tree: what can be caught as what, and how an error looks."""

import copy
import pickle
import traceback
from datetime import UTC, datetime

import pytest

import nango_jupyter
from nango_jupyter import exceptions
from nango_jupyter.exceptions import NangoError, NangoInputError, NangoServerError
from nango_jupyter.executions import Execution, LogLine
from nango_jupyter.messages import NangoMessageHandlerResult

ALL = [getattr(exceptions, name) for name in exceptions.__all__]


@pytest.mark.parametrize("kind", ALL)
def test_all_are_public_and_share_a_base(kind: type[NangoError]) -> None:
    assert issubclass(kind, NangoError)
    assert getattr(nango_jupyter, kind.__name__) is kind
    assert kind.__name__ in (exceptions.__doc__ or "")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        ("NangoUsageError", ValueError),
        ("NangoInputError", TypeError),
        ("NangoInputError", ValueError),
        ("NangoConnectionError", ConnectionError),
        ("NangoConnectionLostError", ConnectionError),
        ("NangoTimeoutError", TimeoutError),
    ],
)
def test_pythons_own_kinds_catch_them(kind: str, builtin: type[Exception]) -> None:
    assert issubclass(getattr(exceptions, kind), builtin)


def test_message_and_hint() -> None:
    error = NangoInputError("input is a set", "Send a list.")
    assert str(error) == error.message == "input is a set"
    assert error.hint == "Send a list."
    text = "".join(traceback.format_exception(error))
    assert text.endswith("NangoInputError: input is a set\nHint: Send a list.\n")


def test_without_a_hint_nothing_is_hinted() -> None:
    error = NangoError("no")
    assert error.hint == ""
    assert not hasattr(error, "__notes__")
    assert error.result is None


@pytest.mark.parametrize("kind", ALL)
def test_they_survive_pickle_and_copy(kind: type[NangoError]) -> None:
    error = kind("what", "do this")
    error.result = NangoMessageHandlerResult(False, "what")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is kind
        assert (twin.message, twin.hint, twin.result) == ("what", "do this", error.result)
        assert twin.__notes__ == ["Hint: do this"]


def test_ipython_draws_the_users_line_and_no_stack() -> None:
    source = "def trigger():\n    raise NangoServerError('boom', 'look')\n\ntrigger()\n"
    namespace = {"__name__": "__main__", "NangoServerError": NangoServerError}
    with pytest.raises(NangoServerError) as caught:
        exec(compile(source, "<cell>", "exec"), namespace)
    assert caught.value._render_traceback_() == ["NangoServerError: boom", "Hint: look"]


def test_ipython_shows_where_in_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    import linecache

    source = "\nraise NangoServerError('boom')\n"
    lines = source.splitlines(keepends=True)
    monkeypatch.setitem(linecache.cache, "<cell>", (len(source), None, lines, "<cell>"))
    namespace = {"__name__": "__main__", "NangoServerError": NangoServerError}
    with pytest.raises(NangoServerError) as caught:
        exec(compile(source, "<cell>", "exec"), namespace)
    assert caught.value._render_traceback_() == [
        "In line 2",
        "NangoServerError: boom",
    ]


def test_a_failed_action_shows_the_end_of_its_log() -> None:
    now = datetime.now(UTC)
    log = tuple(LogLine(now, "info", f"step {number}") for number in range(12))
    error = NangoServerError("boom", "look")
    error.result = NangoMessageHandlerResult(
        False, "boom", execution=Execution(id="1", start=now, duration=0.1, log=log)
    )
    shown = error._render_traceback_()
    assert shown[:3] == ["NangoServerError: boom", "Hint: look", "Log of the action:"]
    assert shown[3:] == [f"  info step {number}" for number in range(2, 12)]


@pytest.mark.parametrize("has_card", [False, True])
def test_what_a_terminal_would_obey_is_shown_as_text(has_card: bool) -> None:
    error = NangoServerError("a\x1b[2Jb\u202ec\x00d é\u200d\n\te", "f\x9bg")
    error.on_show = (lambda _: None) if has_card else None
    shown = error._render_traceback_()
    assert shown[0].startswith(r"NangoServerError: a\x1b[2Jb\u202ec\x00d " + "é\u200d")
    assert has_card or shown == [f"{shown[0][:-3]}\n\te", r"Hint: f\x9bg"]
