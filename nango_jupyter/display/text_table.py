"""A list of objects as an aligned table of plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from nango_jupyter.display.limits import Limits
from nango_jupyter.display.plain_columns import MISSING, column_values, plain_texts
from nango_jupyter.display.shapes import columns_of, entries, preview, shape_text, size_text
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


def table_text(
    value: Sequence[Any], limits: Limits, more: str = "", name: str = "", beside: str = ""
) -> str:
    """Return the first rows, and the columns that there is room for; say what is missing.

    Where all is asked for, what has no room in a cell makes it "": JSON has room.

    Parameters
    ----------
    value : list of mappings
    limits : Limits
    more : str
        How to see what is missing.
    name : str
        What the table is called; "" if it needs no name.
    beside : str
        What there is beside the table.
    """
    rows = [normal(item) for item in islice(value, limits.text_rows)]
    names = columns_of(rows, limits.counted_columns)
    columns = _fit([_column(name, rows, limits) for name in names[: limits.columns]], limits)
    is_cut = any(column.is_cut for column in columns)
    if is_cut and limits.is_all:
        return ""
    lines = list(map(_GAP.join, zip(*(column.aligned() for column in columns), strict=True)))
    lines.insert(1, _GAP.join("─" * column.width for column in columns))
    shape = shape_text((len(rows), len(value)), (len(columns), len(names)), limits.counted_columns)
    is_whole = len(rows) == len(value) and len(columns) == len(names)
    notes = [f"{name}: {shape}"] if name else [] if is_whole else [shape]
    notes += ["values in cells cut short"] if is_cut else []
    if notes:
        lines.append(f"({'; '.join(filter(None, [*notes, beside, more]))})")
    return "\n".join(line.rstrip() for line in lines)


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


@lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200c\u200d\ufe0e\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class _Column(NamedTuple):
    """The cells of a column, its name first; `is_short` where one stands for more than it says."""

    cells: list[str]
    is_numeric: bool
    width: int
    is_short: bool

    @property
    def is_cut(self) -> bool:
        """Whether a cell doesn't show all that it holds."""
        return self.is_short or any(width(cell) > self.width for cell in self.cells)

    def aligned(self) -> list[str]:
        """Return the cells at the column's width."""
        cells = [_narrow(cell, self.width) for cell in self.cells]
        if all(map(str.isascii, cells)):
            align = str.rjust if self.is_numeric else str.ljust
            return [align(cell, self.width) for cell in cells]
        spaces = [" " * (self.width - width(cell)) for cell in cells]
        pairs = zip(spaces, cells, strict=True)
        return [f"{space}{cell}" if self.is_numeric else f"{cell}{space}" for space, cell in pairs]


def _column(name: Any, rows: Sequence[Mapping[Any, Any]], limits: Limits) -> _Column:
    secret = is_secret(name)
    head = key_text(name, limits.text_cell)
    values = column_values(rows, name)
    plain = None if secret else plain_texts(values, limits.text_cell)
    is_short = isinstance(name, str) and len(name) > limits.text_cell
    if plain:
        cells, is_numeric = [head, *plain], not isinstance(values[0], str)
    else:
        kinds: set[str] = set()
        cells = [head, *(_cell(value, name, secret, limits, kinds) for value in values)]
        is_numeric = "number" in kinds and kinds <= {"number", "nothing", "short"}
        is_short |= "short" in kinds
    return _Column(cells, is_numeric, min(max(map(width, cells)), limits.text_cell), is_short)


def _cell(value: Any, name: Any, secret: bool, limits: Limits, kinds: set[str]) -> str:
    if value is MISSING:
        return ""
    value = normal(value)
    if is_container(value) and value:
        kinds.add("branch")
        text = preview(value, name, limits)
        # A list inside of it is told by its size.
        if not text or "…" in text or any(is_container(normal(item)) for _, item in entries(value)):
            kinds.add("short")
        return text or size_text(value)
    found = leaf(value, limits.text_cell, secret=secret)
    kinds.update([found.kind, "short"] if found.note else [found.kind])
    return line_text(found.text)


def _fit(columns: list[_Column], limits: Limits) -> list[_Column]:
    """Narrow the columns of texts until all fit; if they still don't, leave out the last ones."""
    for most in (limits.text_cell, *_NARROW):
        columns = [
            column if column.is_numeric else column._replace(width=min(column.width, most))
            for column in columns
        ]
        if _total(columns) <= limits.text_width:
            return columns
    while len(columns) > 1 and _total(columns) > limits.text_width:
        columns = columns[:-1]
    return columns


def _total(columns: Sequence[_Column]) -> int:
    return sum(column.width + len(_GAP) for column in columns) - len(_GAP)


def _narrow(text: str, most: int) -> str:
    """Cut a text to a width; a wide character is left out as a whole."""
    if len(text) <= most and (text.isascii() or width(text) <= most):
        return text
    if text.isascii():
        return f"{text[: most - 1]}…"
    room, kept = most - 1, 0
    for char in text:
        room -= _char_width(char)
        if room < 0:
            break
        kept += 1
    return f"{text[:kept]}…"
