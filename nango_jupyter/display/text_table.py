"""A list of objects as an aligned table of plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from nango_jupyter.display.limits import Limits
from nango_jupyter.display.shapes import columns_of, preview, shape_text, size_text
from nango_jupyter.display.values import (
    is_container,
    is_secret,
    key_text,
    leaf,
    line_text,
    normal,
)

__all__ = ["table_text", "width"]

_GAP = "  "
# Where a column may be narrowed to before the last columns are left out.
_NARROW = (24, 16)


def table_text(value: Sequence[Any], limits: Limits, more: str = "") -> str:
    """Return the first rows, and the columns that there is room for; say what is missing.

    Parameters
    ----------
    value : list of mappings
    limits : Limits
    more : str
        How to see what is missing.
    """
    rows = [normal(item) for item in islice(value, limits.text_rows)]
    names = columns_of(rows, limits.counted_columns)
    columns = _fit([_column(name, rows, limits) for name in names[: limits.columns]], limits)
    lines = [_GAP.join(column.line(at) for column in columns) for at in range(len(rows) + 1)]
    lines.insert(1, _GAP.join("─" * column.width for column in columns))
    if len(rows) < len(value) or len(columns) < len(names):
        shape = shape_text(
            (len(rows), len(value)), (len(columns), len(names)), limits.counted_columns
        )
        lines.append(f"({shape}; {more})" if more else f"({shape})")
    return "\n".join(line.rstrip() for line in lines)


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200c\u200d\ufe0e\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class _Column(NamedTuple):
    """The cells of a column, its name first."""

    cells: list[str]
    is_numeric: bool
    width: int

    def line(self, at: int) -> str:
        text = _narrow(self.cells[at], self.width)
        space = " " * (self.width - width(text))
        return f"{space}{text}" if self.is_numeric else f"{text}{space}"


def _column(name: Any, rows: Sequence[Mapping[Any, Any]], limits: Limits) -> _Column:
    secret = is_secret(name)
    cells, kinds = [key_text(name, limits.text_cell)], set()
    for row in rows:
        if name not in row:
            cells.append("")
            continue
        value = normal(row[name])
        if is_container(value) and value:
            cells.append(preview(value, name, limits) or size_text(value))
            kinds.add("branch")
        else:
            found = leaf(value, limits.text_cell, secret=secret)
            cells.append(line_text(found.text))
            kinds.add(found.kind)
    widest = min(max(map(width, cells)), limits.text_cell)
    return _Column(cells, "number" in kinds and kinds <= {"number", "nothing"}, widest)


def _fit(columns: list[_Column], limits: Limits) -> list[_Column]:
    """Narrow the columns until they fit, and leave out the last ones if they still don't."""
    for most in (limits.text_cell, *_NARROW):
        columns = [column._replace(width=min(column.width, most)) for column in columns]
        if _total(columns) <= limits.text_width:
            return columns
    while len(columns) > 1 and _total(columns) > limits.text_width:
        columns = columns[:-1]
    return columns


def _total(columns: Sequence[_Column]) -> int:
    return sum(column.width + len(_GAP) for column in columns) - len(_GAP)


def _narrow(text: str, most: int) -> str:
    """Cut a text to a width; a wide character is left out as a whole."""
    if width(text) <= most:
        return text
    kept = ""
    for char in text:
        if width(kept) + _char_width(char) > most - 1:
            break
        kept += char
    return f"{kept}…"
