"""How much of a result is drawn: every cap, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nango_jupyter.exceptions import NangoUsageError

__all__ = ["LIMITS", "SHOW_ALL", "Limits"]

SHOW_ALL = ".show(all=True) shows all"

# "All" of something that a computer holds.
_ALL = 10**12
# Nesting that a browser, and a recursive template, can still draw.
_DEEPEST = 100
# A text table pads each row to the longest cell.
_WIDEST_CELL = 1_000
# Roughly what a cell costs, where somebody asks for many.
_CELL_COST = 200


@dataclass(frozen=True)
class Limits:
    """The caps of one output. Whatever a cap leaves out, the output says so.

    Attributes
    ----------
    cell_chars, string_chars, key_chars, error_chars : int
        Characters of a string in a table, of one elsewhere, of a key, of an error message.
    error_lines : int
        Lines of an error message that stand open; longer ones are folded.
    preview_chars, preview_items : int
        What the summary of a folded object or list tells of its content.
    log_lines : int
        Of an execution's log: the last ones.
    rows, columns : int
        Of a table.
    counted_columns : int
        Where counting the columns of a table stops.
    children : int
        Keys of an object, or items of a list that is no table.
    depth : int
        Levels of a tree.
    total : int
        Characters of HTML of the whole output, roughly, beside its style.
    text_rows, text_width, text_cell : int
        Of a table in plain text: rows, columns of the terminal, width of a cell.
    text_lines, text_items, text_depth : int
        Of JSON in plain text: lines, items of a list or object, levels.
    is_all : bool
        Whether there is no way to see more.
    """

    cell_chars: int = 120
    string_chars: int = 400
    key_chars: int = 60
    error_chars: int = 4_000
    error_lines: int = 8
    log_lines: int = 100
    preview_chars: int = 56
    preview_items: int = 4
    rows: int = 100
    columns: int = 20
    counted_columns: int = 1_000
    children: int = 100
    depth: int = 10
    total: int = 90_000
    text_rows: int = 20
    text_width: int = 100
    text_cell: int = 32
    text_lines: int = 100
    text_items: int = 50
    text_depth: int = 10
    is_all: bool = False

    def wider(
        self,
        *,
        all: bool = False,  # noqa: A002
        rows: int | None = None,
        columns: int | None = None,
    ) -> Limits:
        """Return limits by which more is drawn, or less, of rows and columns.

        Parameters
        ----------
        all : bool
            Leave nothing out, but what is nested deeper than a browser can draw.
        rows, columns : int, optional
            Of a table; for lists that are no tables, `rows` are items.

        Raises
        ------
        NangoUsageError
            If a number is not a whole one above zero.
        """
        found = _unlimited(self) if all else self
        if rows is not None:
            rows = _checked(rows, "rows")
            items = max(rows, found.children)
            found = replace(
                found,
                rows=rows,
                text_rows=rows,
                children=items,
                text_items=max(rows, found.text_items),
                text_lines=max(2 * rows, found.text_lines),
            )
        if columns is not None:
            columns = _checked(columns, "columns")
            room = (
                max(found.text_width, columns * found.text_cell) if columns > LIMITS.columns else 0
            )
            found = replace(
                found,
                columns=columns,
                counted_columns=max(columns + 1, found.counted_columns),
                text_width=max(room, found.text_width),
            )
        return replace(found, total=max(found.total, found.rows * found.columns * _CELL_COST))


def _unlimited(limits: Limits) -> Limits:
    return Limits(
        cell_chars=_ALL,
        string_chars=_ALL,
        key_chars=_ALL,
        error_chars=_ALL,
        error_lines=limits.error_lines,
        log_lines=_ALL,
        rows=_ALL,
        columns=_ALL,
        counted_columns=_ALL,
        children=_ALL,
        depth=_DEEPEST,
        total=_ALL,
        text_rows=_ALL,
        text_width=_ALL,
        text_cell=_WIDEST_CELL,
        text_lines=_ALL,
        text_items=_ALL,
        text_depth=_DEEPEST,
        is_all=True,
    )


def _checked(number: Any, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise NangoUsageError(
            f"{name} is not a whole number above 0", f"Such as {name}=500, or all=True."
        )
    return number


LIMITS = Limits()
