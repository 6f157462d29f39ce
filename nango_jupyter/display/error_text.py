"""An error message as it is drawn: open when it is short, folded when it is long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nango_jupyter.display.limits import Limits
from nango_jupyter.display.values import clip, count

__all__ = ["ErrorText", "read_error"]

_SUMMARY_CHARS = 200


@dataclass(frozen=True, slots=True)
class ErrorText:
    """A message; the summary is "" unless it is long enough to be folded."""

    text: str
    summary: str = ""
    note: str = ""

    @property
    def lines(self) -> list[str]:
        """The message as plain text."""
        return [self.text, *([f"({self.note})"] if self.note else [])]


def read_error(message: Any, limits: Limits) -> ErrorText:
    """Return what is drawn of a message."""
    message = "" if message is None else str(message)
    text, was_cut = clip(message, limits.error_chars)
    text = text.strip("\n").rstrip()
    if not text:
        return ErrorText("The server gave no reason.")
    total = count(len(message), "character")
    note = f"showing {limits.error_chars:,} of {total}" if was_cut else ""
    lines = text.splitlines()
    if len(lines) <= limits.error_lines and len(text) <= limits.string_chars * 2:
        return ErrorText(text, "", note)
    # Python tells what happened at the end of a traceback, everyone else at the beginning.
    ends_with_it = text.startswith("Traceback (") and not was_cut
    summary = lines[-1] if ends_with_it else next(filter(str.strip, lines))
    if len(summary) > _SUMMARY_CHARS:
        summary = f"{summary[:_SUMMARY_CHARS]}…"
    return ErrorText(text, summary, note)
