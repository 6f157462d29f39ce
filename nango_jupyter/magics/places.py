"""Shows a place in what a person typed."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

from nango_jupyter.secrets import redact

__all__ = ["show_index", "show_place"]

_WIDTH = 80
_WIDE_BLANK = "\u3000"  # as wide as a Chinese character, or an emoji


def show_index(text: str, index: int) -> str:
    """Return the place of a character, counted from 0, as `show_place` does."""
    before = text[:index]
    return show_place(text, before.count("\n") + 1, index - before.rfind("\n"))


def show_place(text: str, line: int, column: int) -> str:
    """Return a place in words, and under them its line with a caret.

    Parameters
    ----------
    text : str
    line, column : int
        Counted from 1.
    """
    found = text.split("\n")[line - 1]
    before = redact(found[: column - 1])  # masked first, or a window cuts secrets in two
    start = max(0, len(before) - _WIDTH // 2)  # a long line is shown around the place
    shown = (before + redact(found[column - 1 :]))[start : start + _WIDTH]
    return (
        f"line {line}, column {column}\n"
        f"    {''.join(map(_visible, shown)).rstrip()}\n"
        f"    {''.join(map(_blank, shown[: len(before) - start]))}^"
    )


def _visible(char: str) -> str:
    """Return what stands for a character on one line: nothing that moves the ones around it."""
    if char.isprintable() or char == _WIDE_BLANK:
        return char
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


def _blank(char: str) -> str:
    """Return a blank as wide as a character."""
    if combining(char):
        return ""
    return _WIDE_BLANK if east_asian_width(char) in "WF" else " "
