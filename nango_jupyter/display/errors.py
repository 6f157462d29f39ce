"""The card of an error: what was asked, what went wrong, what to try next, and the log."""

from __future__ import annotations

from dataclasses import replace

from nango_jupyter.display.error_text import read_error
from nango_jupyter.display.execution_log import read_log
from nango_jupyter.display.html import render
from nango_jupyter.display.limits import LIMITS, Limits
from nango_jupyter.display.results import about_result, log_lines
from nango_jupyter.display.state import ICONS
from nango_jupyter.display.values import clip
from nango_jupyter.exceptions import (
    NangoConnectionError,
    NangoConnectionLostError,
    NangoError,
    NangoServerError,
    NangoTimeoutError,
)

__all__ = ["render_error"]

# Of the log: why it failed stands at its end.
_LOG_LINES = 10
_TITLES = {
    NangoTimeoutError: "no answer in time",
    NangoConnectionLostError: "connection lost",
    NangoConnectionError: "no connection",
}


def render_error(error: NangoError, limits: Limits = LIMITS) -> dict[str, str]:
    """Draw an error.

    Parameters
    ----------
    error : NangoError
        Its `result`, if it has one, tells what was asked, for whom, and has the action's log.
    limits : Limits, optional
        How much of it to draw.

    Returns
    -------
    dict of str to str
        A MIME bundle: ``text/html`` and ``text/plain``.
    """
    result = error.result
    title = next((text for kind, text in _TITLES.items() if isinstance(error, kind)), "failed")
    about = [] if result is None else about_result(result)
    message = read_error(error.message, limits)
    hint, was_cut = clip(error.hint or _next(error), limits.error_chars)
    hint = f"{hint}…" if was_cut else hint
    log = read_log(
        None if result is None else result.execution, replace(limits, log_lines=_LOG_LINES)
    )
    html = render(
        "result",
        state="bad",
        icon=ICONS["bad"],
        title=title,
        about=about,
        error=message,
        hint=hint,
        drawing=None,
        is_empty=False,
        log=replace(log, is_open=True),
    )
    text = [" · ".join([f"{ICONS['bad']} {title}", *about]), *message.lines]
    text += [f"Next: {hint}"] if hint else []
    text += log_lines(log)
    return {"text/html": html, "text/plain": "\n".join(text)}


def _next(error: NangoError) -> str:
    """Return what can be done about an action of which nobody knows why it fails."""
    if not (isinstance(error, NangoServerError) and getattr(error.result, "is_action", False)):
        return ""
    return "Change the input, mend the action, or check the user's token; then trigger it again."
