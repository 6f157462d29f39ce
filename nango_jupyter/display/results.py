"""The card of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_jupyter.display.error_text import read_error
from nango_jupyter.display.execution_log import Log, read_log
from nango_jupyter.display.html import render
from nango_jupyter.display.limits import LIMITS, Limits
from nango_jupyter.display.nodes import draw
from nango_jupyter.display.plain import value_text
from nango_jupyter.display.state import ICONS, State
from nango_jupyter.display.values import duration_text, key_text, user_text

if TYPE_CHECKING:
    from nango_jupyter.messages import NangoMessageHandlerResult

__all__ = ["about_result", "log_lines", "render_result"]

_REQUEST_CHARS = 120


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
    about = about_result(result)
    error = None if result.success else read_error(result.error_msg, limits)
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
        hint="",
        drawing=None if value is None else draw(value, limits),
        is_empty=is_empty,
        log=log,
    )
    # In a terminal the check mark is word enough, where something follows it.
    words = about if result.success and about else ["success" if result.success else "failed"]
    words = words if words is about else words + about
    text = [f"{ICONS[state]} {' · '.join(words)}"]
    if error:
        text += error.lines
    if value is not None:
        text.append(value_text(value, limits))
    elif is_empty:
        text.append("nothing returned")
    return {"text/html": html, "text/plain": "\n".join([*text, *_log_text(log)])}


def about_result(result: Any) -> list[str]:
    """Return what a header tells beside the state: what was asked, for whom, how long it took."""
    found = []
    if request := getattr(result, "request", ""):
        found.append(key_text(request, _REQUEST_CHARS))
    user_id = getattr(result, "user_id", None)
    if user_id is not None:
        found.append(f"user {user_text(user_id)}")
    if duration := duration_text(getattr(result, "duration", None)):
        found.append(duration)
    return found


def log_lines(log: Log) -> list[str]:
    """Return the notes and the lines of a log as plain text."""
    found = [f"! {note}" for note in log.notes]
    if log.lines:
        found.append(f"{log.title}{f', {log.cut}' if log.cut else ''}:")
        found += [f"  {line.time} {line.level} {line.text}" for line in log.lines]
    return found


def _log_text(log: Log) -> list[str]:
    """Tell of the log in a line: what was returned is what was asked for."""
    notes = [f"! {note}" for note in log.notes]
    return [*notes, f"({log.title}: result.execution.log)"] if log.lines else notes
