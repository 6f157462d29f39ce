"""From rows to columns: objects inside of rows become columns of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

__all__ = ["column_text", "flatten"]

Path = tuple[str, ...]

# What is nested deeper stays an object: names of columns that long help nobody.
_DEPTH = 100


def flatten(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Return the columns of rows, by name, each as long as there are rows.

    Nested objects become columns such as ``address.city``, lists stay lists, and what a row doesn't
    have is None. Rows that aren't all objects make one column, ``value``.
    """
    rows = [_record(row) for row in rows]
    if not all(isinstance(row, Mapping) for row in rows):
        return {"value": rows}
    columns: dict[Path, list[Any]] = {}
    for at, row in enumerate(rows):
        for path, value in _leaves(row, (), 0):
            column = columns.setdefault(path, [])
            column.extend([None] * (at - len(column)))
            column.append(value)
    for column in columns.values():
        column.extend([None] * (len(rows) - len(column)))
    return _named(_without_gaps(columns))


def column_text(value: Any) -> str | None:
    """Return a value as text, for a column of several types."""
    if value is None:
        return None
    is_text = isinstance(value, str)
    return _writable(value if is_text else json.dumps(value, ensure_ascii=False, default=str))


def _writable(text: str) -> str:
    """Replace half of a pair of surrogates, which JSON can say and UTF-8 can't."""
    return text.encode(errors="backslashreplace").decode()


def _record(row: Any) -> Any:
    """Return a dataclass, such as a connection, as the object that it is."""
    if is_dataclass(row) and not isinstance(row, type):
        return {item.name: getattr(row, item.name) for item in fields(row)}
    return row


def _leaves(row: Mapping[Any, Any], parents: Path, depth: int) -> Iterator[tuple[Path, Any]]:
    for key, value in row.items():
        path = (*parents, key if isinstance(key, str) else str(key))
        if isinstance(value, Mapping) and depth < _DEPTH:
            if value:
                yield from _leaves(value, path, depth + 1)
            else:
                yield path, None
        else:
            yield path, value


def _without_gaps(columns: dict[Path, list[Any]]) -> dict[Path, list[Any]]:
    """Leave out the column of an object that is null in some rows, and has columns from others."""
    parents = {path[:end] for path in columns for end in range(1, len(path))}
    return {
        path: column
        for path, column in columns.items()
        if path not in parents or any(value is not None for value in column)
    }


def _named(columns: dict[Path, list[Any]]) -> dict[str, list[Any]]:
    """Give the columns their names; ``{"a.b": 1, "a": {"b": 2}}`` would have one twice."""
    found: dict[str, list[Any]] = {}
    for path, column in columns.items():
        name = wanted = _writable(".".join(path))
        number = 2
        while name in found:
            name, number = f"{wanted}_{number}", number + 1
        found[name] = column
    return found
