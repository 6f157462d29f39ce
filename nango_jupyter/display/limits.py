"""How much of a result is drawn: every cap, in one place."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LIMITS", "Limits"]


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


LIMITS = Limits()
