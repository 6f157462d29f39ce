"""The card of a list of things of ours: connections, history, jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nango_jupyter.display.html import render
from nango_jupyter.display.limits import LIMITS, Limits
from nango_jupyter.display.state import ICONS, State
from nango_jupyter.display.text_table import width
from nango_jupyter.display.values import clip, key_text, line_text, number_text

__all__ = ["render_table"]

_GAP = "  "
# Longer text is wrapped.
_LONG = 40


def render_table(
    title: str,
    state: State,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    notes: Sequence[str] = (),
    limits: Limits = LIMITS,
) -> dict[str, str]:
    """Draw a card with a table.

    Parameters
    ----------
    title : str
        What is the case, in a word or two.
    state : {"ok", "bad", "idle"}
    columns : sequence of str
        Their names; "" for one that needs none.
    rows : sequence of rows
        Texts and numbers, the first of which says what the row is about. All of them are drawn:
        the caller chooses which, and says so in a note.
    notes : sequence of str, optional
        Lines below the table.
    limits : Limits, optional
        How much of each text to draw.

    Returns
    -------
    dict of str to str
        A MIME bundle: ``text/html`` and ``text/plain``.
    """
    title = key_text(title, limits.string_chars)
    notes = [key_text(note, limits.string_chars) for note in notes]
    cells = [[_cell(value, limits) for value in row] for row in rows]
    heads = [
        _Cell("ng-n" if _is_numeric([row[at] for row in cells]) else "", name)
        for at, name in enumerate(columns)
    ]
    html = render(
        "table",
        state=state,
        icon=ICONS[state],
        title=title,
        about=(),
        columns=heads,
        rows=cells,
        notes=notes,
    )
    text = [f"{ICONS[state]} {title}", *_lines(heads, cells), *(f"({note})" for note in notes)]
    return {"text/html": html, "text/plain": "\n".join(text)}


class _Cell(NamedTuple):
    style: str
    text: str


def _cell(value: object, limits: Limits) -> _Cell:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _Cell("ng-n", number_text(value))
    text, was_cut = clip("" if value is None else str(value), limits.cell_chars)
    text = f"{line_text(text)}{'…' * was_cut}"
    return _Cell("ng-w" if len(text) > _LONG else "", text)


def _is_numeric(cells: Sequence[_Cell]) -> bool:
    return bool(cells) and all(cell.style == "ng-n" for cell in cells)


def _lines(heads: Sequence[_Cell], rows: Sequence[Sequence[_Cell]]) -> list[str]:
    lines = [heads, *rows]
    widths = [max(width(line[at].text) for line in lines) for at in range(len(heads))]
    texts = [
        _GAP.join(_padded(cell, most) for cell, most in zip(line, widths, strict=True))
        for line in lines
    ]
    texts.insert(1, _GAP.join("─" * most for most in widths))
    return [text.rstrip() for text in texts]


def _padded(cell: _Cell, most: int) -> str:
    space = " " * (most - width(cell.text))
    return f"{space}{cell.text}" if cell.style == "ng-n" else f"{cell.text}{space}"
