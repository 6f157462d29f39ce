"""Shows a place in what a person typed."""

from __future__ import annotations

from nango_jupyter.secrets import redact

__all__ = ["show_place"]

_WIDTH = 80


def show_place(text: str, line: int, column: int) -> str:
    """Return a place in words, and under them its line with a caret.

    Parameters
    ----------
    text : str
    line, column : int
        Counted from 1.
    """
    found = text.split("\n")[line - 1].replace("\t", " ")
    before = redact(found[: column - 1])  # masked first, or a window cuts secrets in two
    shown, at = before + redact(found[column - 1 :]), len(before)
    start = max(0, at - _WIDTH // 2)  # a long line is shown around the place
    return (
        f"line {line}, column {column}\n"
        f"    {shown[start : start + _WIDTH]}\n"
        f"    {' ' * (at - start)}^"
    )
