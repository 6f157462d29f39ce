"""The plain text face of a value: an aligned table, or JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

from nango_jupyter.display.limits import SHOW_ALL, Limits
from nango_jupyter.display.shapes import entries, is_table
from nango_jupyter.display.text_table import table_text
from nango_jupyter.display.values import (
    count,
    cut,
    is_container,
    is_number,
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


def value_text(value: Any, limits: Limits, name: str = "", *, is_fact: bool = False) -> str:
    """Return a value as text: a list of objects as an aligned table, anything else as JSON.

    So is the only list of objects in an object that is too long for JSON: what stands beside it is
    told in the note below.

    Parameters
    ----------
    value : object
    limits : Limits
        What they leave out stands as a string inside of the JSON, which stays valid; a note in
        parentheses on a last line of its own says so.
    name : str
        What it stands under.
    is_fact : bool
        Whether it is one of a card's facts: text stands without quotes there.
    """
    value = normal(value)
    more = "" if is_fact or limits.is_all else SHOW_ALL
    if is_table(value, limits.text_rows) and (table := table_text(value, limits, more)):
        return table
    if isinstance(value, str) and is_fact:
        found = leaf(value, limits.string_chars, secret=is_secret(name))
        return f"{found.text} ({found.note})" if found.note else found.text or '""'
    writer = _JsonWriter(limits)
    writer.write(value, name)
    if not writer.cuts:
        return "\n".join(writer.lines)
    table = _with_table(value, limits, more)
    if table:
        return table
    cuts = f"not shown: {writer.cut_text()}"
    return "\n".join([*writer.lines, f"({cuts}; {more})" if more else f"({cuts})"])


def _with_table(value: Any, limits: Limits, more: str) -> str:
    """Return the only list of objects in an object, and what is beside it; "" if that is much."""
    if not isinstance(value, Mapping) or len(value) > limits.text_items:
        return ""
    tables = [key for key, item in value.items() if is_table(normal(item), limits.text_rows)]
    if len(tables) != 1:
        return ""
    rest = {key: item for key, item in value.items() if key != tables[0]}
    writer = _JsonWriter(limits)
    writer.write(rest, "")
    if writer.cuts:
        return ""
    facts = writer.lines[0] if len(writer.lines) == 1 else count(len(rest), "other key")
    name = key_text(tables[0], limits.key_chars)
    beside = f"beside it {facts}" if rest else ""
    return table_text(normal(value[tables[0]]), limits, more, name, beside)


def _is_long(value: Any) -> bool:
    """Tell whether an item of a list needs a line of its own."""
    return bool(is_container(value) and value) or (isinstance(value, str) and len(value) > _SHORT)


class _JsonWriter:
    """Writes JSON, line by line, until there are enough lines.

    Attributes
    ----------
    lines : list of str
    cuts : Counter of str
        What was left out, and how much of it.
    """

    def __init__(self, limits: Limits) -> None:
        self.lines: list[str] = []
        self.cuts: Counter[str] = Counter()
        self._limits = limits

    def write(self, value: Any, name: Any, depth: int = 0, head: str = "", tail: str = "") -> None:
        """Write a value; head and tail are what stands before and after it on its lines."""
        value = normal(value)
        pad = "  " * depth
        line = self._line(value, name, len(pad) + len(head))
        if line is not None:
            self.lines.append(f"{pad}{head}{line}{tail}")
        elif depth >= self._limits.text_depth:
            what = "key" if isinstance(value, Mapping) else "item"
            self.cuts["level"] = max(self.cuts["level"], self._limits.text_depth)
            size = count(len(value), what)
            shown = f"{{… {size}}}" if what == "key" else f"[… {size}]"
            self.lines.append(f'{pad}{head}"{shown}"{tail}')
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
            self.cuts[what] += number
            more = f"{number:,} more {what if number == 1 else f'{what}s'}"
            pad = "  " * (depth + 1)
            self.lines.append(f'{pad}"…": "{more}"' if what == "key" else f'{pad}"… {more}"')

    def cut_text(self) -> str:
        """Say what was left out."""
        words = {
            "level": f"what is nested deeper than {self._limits.text_depth} levels",
            "character": f"texts beyond {self._limits.string_chars:,} characters",
            "name": f"keys beyond {self._limits.key_chars:,} characters",
        }
        parts = [words.get(what) or count(number, what) for what, number in self.cuts.items()]
        return ", ".join(parts)

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
        text, was_cut = cut(key, self._limits.key_chars)
        if was_cut:
            self.cuts["name"] += 1
        return _quoted(f"{text}…" if was_cut else text)

    def _scalar(self, value: Any, name: Any) -> str:
        secret = is_secret(name)
        if isinstance(value, str):
            if secret and value:
                return f'"{MASK}"'
            text, was_cut = cut(value, self._limits.string_chars)
            if was_cut:
                self.cuts["character"] += 1
            return _quoted(f"{text}… ({count(len(value), 'character')})" if was_cut else text)
        found = leaf(value, self._limits.string_chars, secret=secret)
        if found.note:
            self.cuts["character"] += 1
            return _quoted(f"{found.text} ({found.note})")
        # NaN, a number that is masked, one that is too long: JSON has no words for them.
        is_json = is_number(found.text) if found.kind == "number" else found.kind != "text"
        return found.text if is_json else _quoted(found.text)


def _quoted(text: str) -> str:
    """Return a JSON string: what is invisible in it stays JSON, as an escape."""
    return visible(json.dumps(text, ensure_ascii=False))
