"""The card of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_jupyter.display.execution_log import Log, read_log
from nango_jupyter.display.html import render
from nango_jupyter.display.limits import LIMITS, Limits
from nango_jupyter.display.nodes import build
from nango_jupyter.display.plain import value_text
from nango_jupyter.display.state import ICONS, State
from nango_jupyter.display.values import clip, count, duration_text, key_text, user_text

if TYPE_CHECKING:
    from nango_jupyter.messages import NangoMessageHandlerResult

__all__ = ["render_result"]

_REQUEST_CHARS = 120
_SUMMARY_CHARS = 200


def render_result(result: NangoMessageHandlerResult, limits: Limits = LIMITS) -> dict[str, str]:
    """Draw a result: its state, what was asked, and the value or the error.

    Parameters
    ----------
    result : NangoMessageHandlerResult
        A `NangoResult` also tells what was asked, for whom, and how long it took.
    limits : Limits, optional
        How much of it to draw.

    Returns
    -------
    dict of str to str
        A MIME bundle: ``text/html`` and ``text/plain``. No terminal colours, no script.
    """
    state: State = "ok" if result.success else "bad"
    about = _about(result)
    error = None if result.success else _error(result.error_msg, limits)
    value = result.return_value
    is_empty = result.success and value is None and getattr(result, "is_action", True)
    log = read_log(result.execution, limits)
    html = render(
        "result",
        state=state,
        icon=ICONS[state],
        title="success" if result.success else "failed",
        about=about,
        error=error,
        node=None if value is None else build(value, limits),
        is_empty=is_empty,
        log=log,
    )
    # In a terminal the check mark is word enough, where something follows it.
    words = about if result.success and about else ["success" if result.success else "failed"]
    words = words if words is about else words + about
    text = [f"{ICONS[state]} {' · '.join(words)}"]
    if error:
        text += [error.text, *([f"({error.note})"] if error.note else [])]
    if value is not None:
        text.append(value_text(value, limits))
    elif is_empty:
        text.append("nothing returned")
    return {"text/html": html, "text/plain": "\n".join([*text, *_log_text(log)])}


def _log_text(log: Log) -> list[str]:
    """Tell of the log in a line: what was returned is what was asked for."""
    notes = [f"! {note}" for note in log.notes]
    return [*notes, f"({log.title}: result.execution.log)"] if log.lines else notes


def _about(result: Any) -> list[str]:
    """Return what the header tells beside the state."""
    found = []
    if request := getattr(result, "request", ""):
        found.append(key_text(request, _REQUEST_CHARS))
    user_id = getattr(result, "user_id", None)
    if user_id is not None:
        found.append(f"user {user_text(user_id)}")
    if duration := duration_text(getattr(result, "duration", None)):
        found.append(duration)
    return found


@dataclass(frozen=True, slots=True)
class _Error:
    """A message; the summary is "" unless it is long enough to be folded."""

    text: str
    summary: str = ""
    note: str = ""


def _error(message: Any, limits: Limits) -> _Error:
    message = "" if message is None else str(message)
    text, was_cut = clip(message, limits.error_chars)
    text = text.strip("\n").rstrip()
    if not text:
        return _Error("The server gave no reason.")
    total = count(len(message), "character")
    note = f"showing {limits.error_chars:,} of {total}" if was_cut else ""
    lines = text.splitlines()
    if len(lines) <= limits.error_lines and len(text) <= limits.string_chars * 2:
        return _Error(text, "", note)
    # Python tells what happened at the end of a traceback, everyone else at the beginning.
    ends_with_it = text.startswith("Traceback (") and not was_cut
    summary = lines[-1] if ends_with_it else next(filter(str.strip, lines))
    if len(summary) > _SUMMARY_CHARS:
        summary = f"{summary[:_SUMMARY_CHARS]}…"
    return _Error(text, summary, note)
