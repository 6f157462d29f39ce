"""Objects and lists: what they hold, and a word or two about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from nango_jupyter.display.limits import Limits
from nango_jupyter.display.values import (
    count,
    is_ambiguous,
    is_container,
    is_secret,
    key_text,
    leaf,
    line_text,
    normal,
)

__all__ = ["brief", "columns_of", "entries", "is_table", "preview", "shape_text", "size_text"]

_BRIEF_CHARS = 24
_BRIEF_KEY = 20
# Rows that are looked at to call a list a table in a summary.
_LOOK_AT = 4


def entries(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the keys, or the indexes, of a container and their values."""
    return iter(value.items()) if isinstance(value, Mapping) else iter(enumerate(value))


def size_text(value: Any) -> str:
    """Return "3 keys", "3 rows" or "3 items"."""
    if isinstance(value, Mapping):
        return count(len(value), "key")
    return count(len(value), "row" if is_table(value, _LOOK_AT) else "item")


def is_table(value: Any, rows: int) -> bool:
    """Tell whether the first rows of a normal value make a table."""
    if not isinstance(value, list | tuple) or not value:
        return False
    first = [normal(item) for item in islice(value, rows)]
    return all(isinstance(item, Mapping) for item in first) and any(first)


def columns_of(rows: Iterable[Mapping[Any, Any]], most: int) -> list[Any]:
    """Return the keys of all rows in the order in which they first appear, `most` at most."""
    found: dict[Any, None] = {}
    for row in rows:
        found.update(dict.fromkeys(islice(row, most)))
        if len(found) >= most:
            break
    return list(found)[:most]


def shape_text(rows: tuple[int, int], columns: tuple[int, int], counted: int) -> str:
    """Return "60 rows", or "showing 100 of 10,000 rows, 20 of 40 columns"."""
    plus = "+" if columns[1] >= counted else ""
    parts = [
        f"{shown:,} of {total:,}{sign} {name}s"
        for (shown, total), name, sign in ((rows, "row", ""), (columns, "column", plus))
        if shown < total
    ]
    if parts:
        return f"showing {', '.join(parts)}"
    return f"{count(rows[1], 'row')}, {count(columns[1], 'column')}"


def preview(value: Any, name: Any, limits: Limits) -> str:
    """Return the beginning of a container on one line, as in {city: Berlin, zip: "10115", …}.

    Of a list of objects there is nothing to tell but its size: "".
    """
    if is_table(value, _LOOK_AT):
        return ""
    is_object = isinstance(value, Mapping)
    parts: list[str] = []
    length = 0
    for key, item in islice(entries(value), limits.preview_items):
        text = brief(normal(item), key if is_object else name)
        part = f"{key_text(key, _BRIEF_KEY)}: {text}" if is_object else text
        length += len(part) + 2
        if parts and length > limits.preview_chars:
            break
        parts.append(part)
    if len(parts) < len(value):
        parts.append("…")
    inner = ", ".join(parts)
    return f"{{{inner}}}" if is_object else f"[{inner}]"


def brief(value: Any, name: Any) -> str:
    """Return a normal value in a few characters, as it stands in a preview."""
    if is_container(value) and value:
        return "{…}" if isinstance(value, Mapping) else f"[{count(len(value), 'item')}]"
    found = leaf(value, _BRIEF_CHARS, secret=is_secret(name))
    text = line_text(found.text)
    return f'"{text}"' if found.kind == "text" and is_ambiguous(text) else text
