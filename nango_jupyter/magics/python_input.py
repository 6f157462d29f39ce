"""Says what is wrong with Python that a person typed."""

from __future__ import annotations

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.places import show_place
from nango_jupyter.secrets import redact

__all__ = ["explain_python"]


def explain_python(error: SyntaxError, cell: str) -> NangoUsageError:
    """Return the error that shows the place in the cell."""
    reason = redact(f"The cell is not Python: {error.msg}")
    line, lines = error.lineno or 0, cell.split("\n")
    if not 0 < line <= len(lines):
        return NangoUsageError(reason)
    column = min(max(error.offset or 1, 1), len(lines[line - 1]) + 1)
    return NangoUsageError(f"{reason}, {show_place(cell, line, column)}", _guess(lines[line - 1]))


def _guess(line: str) -> str:
    word = line.lstrip()
    if word.startswith(("%", "!", "?")) or word.rstrip().endswith("?"):
        return "An action file is plain Python: it has no lines with %, ! and ?."
    if word.startswith("await "):
        return "await stands inside of an async def."
    return ""
