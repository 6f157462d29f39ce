"""Where something is inside a value: ``contacts``, ``orders[0].items``, ``orders.0.items``."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from nango_jupyter.exceptions import NangoKeyError, NangoUsageError
from nango_jupyter.secrets import redact
from nango_jupyter.suggestions import did_you_mean

__all__ = ["find_rows", "find_value", "name_list", "path_text"]

Part = str | int

_PART = re.compile(r"""\[(-?\d+)\]|\[("(?:[^"\\]|\\.)*"|'[^']*')\]|\.?([^.\[\]]+)""")
_SHOWN_CHARS = 60
_SHOWN_NAMES = 10
_LOOK_AT = 1_000
_DEPTH = 6


def find_rows(value: Any, path: str | None = None, call: str = "to_pandas") -> list[Any]:
    """Return the list that a person means by "the rows" of a value.

    It is the value itself, or the only list in an object; an object without any is one row.

    Parameters
    ----------
    value : JSON value
    path : str, optional
        Where in it to look.
    call : str
        The method that a hint names.

    Raises
    ------
    NangoUsageError
        If there are no rows, or several lists.
    """
    found = value if path is None else find_value(value, path)
    if isinstance(found, list | tuple):
        return list(found) if isinstance(found, tuple) else found
    if not isinstance(found, Mapping):
        where = "The value" if path is None else _shown(path)
        lists = _lists_in(value) if path is not None else ""
        raise NangoUsageError(
            f"{where} is {type_name(found)}, not rows", lists or "It is in result.return_value."
        )
    lists_in = [key for key, item in found.items() if isinstance(item, list | tuple)]
    if len(lists_in) > 1:
        start = split(path) if path else ()
        names = [path_text((*start, key)) for key in lists_in]
        raise NangoUsageError(
            f"{'The value' if path is None else _shown(path)} holds several lists: "
            f"{name_list(names)}",
            f"Choose one: .{call}({_quoted(names[0])})",
        )
    return list(found[lists_in[0]]) if lists_in else [found]


def find_value(value: Any, path: str) -> Any:
    """Return what stands at a path.

    Raises
    ------
    NangoKeyError
        If nothing does; the hint says what is like it, and where there are lists.
    """
    parts = split(path)
    try:
        return _walk(value, parts)
    except LookupError:
        raise _not_there(value, path) from None


def split(path: str) -> tuple[Part, ...]:
    """Read a path.

    Raises
    ------
    NangoUsageError
        If it isn't one.
    """
    if not isinstance(path, str):
        raise NangoUsageError(
            f"A path is a text, not {type_name(path)}", 'Such as "contacts" or "orders[0].items".'
        )
    parts: list[Part] = []
    at = 0
    while at < len(path):
        found = _PART.match(path, at)
        if found is None:
            raise NangoUsageError(
                f"{_shown(path)} is not a path", 'Such as "contacts" or "orders[0].items".'
            )
        index, quoted, key = found.groups()
        parts.append(int(index) if index else _unquote(quoted) if quoted else key)
        at = found.end()
    return tuple(parts)


def path_text(parts: Sequence[Part]) -> str:
    """Return a path as a person writes it, secrets masked; `split` reads it."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return redact(text)


def name_list(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = [name if len(name) <= _SHOWN_CHARS else f"{name[:_SHOWN_CHARS]}…" for name in names]
    more = len(names) - _SHOWN_NAMES
    return f"{', '.join(shown[:_SHOWN_NAMES])}{f' and {more:,} more' if more > 0 else ''}"


def type_name(value: Any) -> str:
    """Return "a text", "a number", … as a sentence has it."""
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number"}
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an object"
    return names.get(type(value), f"a {type(value).__name__}")


def _unquote(quoted: str) -> str:
    if quoted.startswith("'"):
        return quoted[1:-1]
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]


def _walk(value: Any, parts: Sequence[Part]) -> Any:
    if not parts:
        return value
    if isinstance(value, Mapping):
        # Keys may have dots in them: the shortest one that leads on is meant.
        for end in range(1, len(parts) + 1):
            key = str(parts[0]) if end == 1 else ".".join(map(str, parts[:end]))
            if key in value:
                try:
                    return _walk(value[key], parts[end:])
                except LookupError:
                    continue
    elif isinstance(value, list | tuple):
        index = parts[0] if isinstance(parts[0], int) else _index(parts[0])
        if index is not None:
            return _walk(value[index], parts[1:])
    raise LookupError


def _index(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else None


def _not_there(value: Any, path: str) -> NangoKeyError:
    known = [path_text(parts) for parts, _ in islice(_places(value), _LOOK_AT)]
    hint = did_you_mean(path, _list_paths(value)) or did_you_mean(path, known)
    return NangoKeyError(f"There is no {_shown(path)}", f"{hint} {_lists_in(value)}".strip())


def _lists_in(value: Any) -> str:
    lists = _list_paths(value)
    return f"Lists in it: {name_list(lists)}." if lists else "There are no lists in it."


def _list_paths(value: Any) -> list[str]:
    places = islice(_places(value), _LOOK_AT)
    return [path_text(parts) for parts, item in places if isinstance(item, list | tuple)]


def _places(value: Any) -> Iterator[tuple[tuple[Part, ...], Any]]:
    """Yield what is inside a value, the outer ones first; of a list, only its first item."""
    queue: deque[tuple[tuple[Part, ...], Any]] = deque([((), value)])
    while queue:
        parts, item = queue.popleft()
        if parts:
            yield parts, item
        if len(parts) >= _DEPTH:
            continue
        if isinstance(item, Mapping):
            queue.extend(((*parts, str(key)), inner) for key, inner in item.items())
        elif isinstance(item, list | tuple) and item:
            queue.append(((*parts, 0), item[0]))


def _shown(text: str) -> str:
    """Return what somebody wrote, in quotes, masked, cut, without characters that deceive."""
    text = redact(text)
    return _quoted(text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…")


def _quoted(text: str) -> str:
    return repr(text)
