"""The plain text face of a value: an aligned table, or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from nango_jupyter.display.limits import Limits
from nango_jupyter.display.shapes import entries, is_table
from nango_jupyter.display.text_table import table_text
from nango_jupyter.display.values import (
    count,
    cut,
    is_container,
    is_secret,
    key_text,
    leaf,
    normal,
    visible,
)
from nango_jupyter.secrets import MASK

__all__ = ["value_text"]

_INLINE_ITEMS = 10
# Longer texts in a list stand on a line each.
_SHORT = 40
_CUT = "(cut: this is not the whole value)"


def value_text(value: Any, limits: Limits, name: str = "") -> str:
    """Return a value as text.

    A list of objects is an aligned table, a text is itself, anything else is JSON. An object too
    long to be shown as JSON, with lists of objects in it, becomes its facts and tables.
    """
    value = normal(value)
    if is_table(value, limits.text_rows):
        return table_text(value, limits)
    if isinstance(value, str):
        found = leaf(value, limits.string_chars, secret=is_secret(name))
        return f"{found.text} ({found.note})" if found.note else found.text or '""'
    writer = _JsonWriter(limits)
    writer.write(value, name)
    if not writer.is_cut:
        return "\n".join(writer.lines)
    if isinstance(value, Mapping) and len(value) <= limits.text_items:
        tables = {key for key, item in value.items() if is_table(normal(item), limits.text_rows)}
        if tables:
            return _with_tables(value, tables, limits)
    return "\n".join([*writer.lines, _CUT])


def _with_tables(value: Mapping[Any, Any], tables: set[Any], limits: Limits) -> str:
    rest = {key: item for key, item in value.items() if key not in tables}
    parts = []
    if rest:
        writer = _JsonWriter(limits)
        writer.write(rest, "")
        parts.append("\n".join([*writer.lines, *([_CUT] if writer.is_cut else [])]))
    for key in value:
        if key in tables:
            label = key_text(key, limits.key_chars)
            parts.append(f"{label}:\n{table_text(normal(value[key]), limits)}")
    return "\n\n".join(parts)


def _is_long(value: Any) -> bool:
    """Tell whether an item of a list needs a line of its own."""
    return bool(is_container(value) and value) or (isinstance(value, str) and len(value) > _SHORT)


class _JsonWriter:
    """Writes JSON, line by line, until there are enough lines.

    Attributes
    ----------
    lines : list of str
    is_cut : bool
        Whether something was left out; what was written is not JSON then.
    """

    def __init__(self, limits: Limits) -> None:
        self.lines: list[str] = []
        self.is_cut = False
        self._limits = limits

    def write(self, value: Any, name: Any, depth: int = 0, head: str = "", tail: str = "") -> None:
        """Write a value; head and tail are what stands before and after it on its lines."""
        value = normal(value)
        pad = "  " * depth
        line = self._line(value, name, len(pad) + len(head))
        if line is not None:
            self.lines.append(f"{pad}{head}{line}{tail}")
        elif depth >= self._limits.text_depth:
            self.is_cut = True
            self.lines.append(f"{pad}{head}{'{…}' if isinstance(value, Mapping) else '[…]'}{tail}")
        else:
            first, last = "{}" if isinstance(value, Mapping) else "[]"
            self.lines.append(f"{pad}{head}{first}")
            self._items(value, name, depth)
            self.lines.append(f"{pad}{last}{tail}")

    def _items(self, value: Any, name: Any, depth: int) -> None:
        is_object, total = isinstance(value, Mapping), len(value)
        if not is_object and self._fill(value, name, depth):
            return
        shown = 0
        for key, item in islice(entries(value), self._limits.text_items):
            if len(self.lines) >= self._limits.text_lines:
                break
            shown += 1
            head = f"{self._key(key)}: " if is_object else ""
            tail = "," if shown < total else ""
            self.write(item, key if is_object else name, depth + 1, head, tail)
        self._more(total - shown, "key" if is_object else "item", depth)

    def _fill(self, value: Any, name: Any, depth: int) -> bool:
        """Write many short items of a list to a line; tell whether they were."""
        first = [normal(item) for item in islice(value, self._limits.text_items)]
        if any(_is_long(item) for item in first):
            return False
        texts = [self._scalar(item, name) for item in first]
        pad, line = "  " * (depth + 1), ""
        for at, text in enumerate(texts, start=1):
            part = f"{text}," if at < len(value) else text
            if line and len(pad) + len(line) + len(part) + 1 > self._limits.text_width:
                self.lines.append(pad + line)
                line = ""
            line = f"{line} {part}" if line else part
        self.lines.append(pad + line)
        self._more(len(value) - len(texts), "item", depth)
        return True

    def _more(self, number: int, what: str, depth: int) -> None:
        if number:
            self.is_cut = True
            what = what if number == 1 else f"{what}s"
            self.lines.append(f"{'  ' * (depth + 1)}… {number:,} more {what}")

    def _line(self, value: Any, name: Any, indent: int) -> str | None:
        """Return a value on one line; None for what holds too much."""
        if not (is_container(value) and value):
            return self._scalar(value, name)
        if len(value) > _INLINE_ITEMS:
            return None
        is_object = isinstance(value, Mapping)
        room = self._limits.text_width - indent - 4
        parts: list[str] = []
        for key, item in entries(value):
            inner = normal(item)
            if is_container(inner) and inner:
                return None
            text = self._scalar(inner, key if is_object else name)
            parts.append(f"{self._key(key)}: {text}" if is_object else text)
            room -= len(parts[-1]) + 2
            if room < 0:
                return None
        return f"{{{', '.join(parts)}}}" if is_object else f"[{', '.join(parts)}]"

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            return json.dumps(key_text(key, self._limits.key_chars), ensure_ascii=False)
        text, was_cut = self._string(key, self._limits.key_chars)
        self.is_cut |= was_cut
        return text

    def _scalar(self, value: Any, name: Any) -> str:
        secret = is_secret(name)
        if isinstance(value, str):
            if secret and value:
                return f'"{MASK}"'
            text, was_cut = self._string(value, self._limits.string_chars)
            self.is_cut |= was_cut
            return f"{text} ({count(len(value), 'character')})" if was_cut else text
        found = leaf(value, self._limits.string_chars, secret=secret)
        if found.kind == "text" or found.note:
            self.is_cut |= bool(found.note)
            return json.dumps(found.text, ensure_ascii=False)
        return found.text

    @staticmethod
    def _string(value: str, most: int) -> tuple[str, bool]:
        """Return a JSON string: what is invisible in it stays JSON, as an escape."""
        text, was_cut = cut(value, most)
        return visible(json.dumps(f"{text}…" if was_cut else text, ensure_ascii=False)), was_cut
