"""Reads the JSON that a person typed, and shows where it is wrong."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.marks import Document

__all__ = ["decode", "explain", "explain_limit", "has_unquoted_key", "load_json"]

_STRING = r'"(?:[^"\\]|\\.)*"'
_CONSTANT = re.compile(rf"{_STRING}|-?\b(?:NaN|Infinity)\b")
_STRUCTURE = re.compile(rf"({_STRING})(\s*:)?|[{{}}]", re.DOTALL)
_UNQUOTED_KEY = re.compile(r"[^\W\d][\w.-]*\s*:")


class _TwiceError(Exception):
    """A key that stands twice in one object."""


def load_json(document: Document) -> Any:
    """Return the value of a document; marks in the place of values are text in it.

    Raises
    ------
    NangoUsageError
        With line, column and a caret under the place.
    """
    try:
        return decode(document.text)
    except json.JSONDecodeError as error:
        raise explain(error, document) from None
    except (ValueError, RecursionError) as error:
        raise explain_limit(error, document) from None


def decode(text: str) -> Any:
    """Return the value of a JSON text, each of whose keys stands once.

    Raises
    ------
    json.JSONDecodeError
        With the place.
    ValueError, RecursionError
        For numbers of too many digits, and nesting too deep.
    """
    try:
        return json.loads(
            text,
            parse_constant=lambda word: _refuse(word, text),
            object_pairs_hook=_once,
        )
    except _TwiceError:
        key, place = _second(text)
        raise json.JSONDecodeError(f"The key {key} stands twice", text, place) from None


def explain(error: json.JSONDecodeError, document: Document) -> NangoUsageError:
    """Return the error that shows the place."""
    reason = f"The {document.name} is not JSON: {error.msg}"
    return document.error(reason, error.pos, _guess(error, document))


def explain_limit(error: ValueError | RecursionError, document: Document) -> NangoUsageError:
    """Return the error for what is JSON, but more than Python can hold."""
    if isinstance(error, RecursionError):
        return NangoUsageError(f"The {document.name} is not JSON: it is nested too deeply")
    return NangoUsageError(f"The {document.name} is not JSON that Python can read: {error}")


def has_unquoted_key(error: json.JSONDecodeError) -> bool:
    """Tell whether it is a key without quotes that JSON fails at, as in YAML's ``{a: 1}``."""
    return "property name" in error.msg and bool(_UNQUOTED_KEY.match(error.doc, error.pos))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


def _second(text: str) -> tuple[str, int]:
    """Find the first key that stands twice in one object."""
    objects: list[set[str]] = []
    for match in _STRUCTURE.finditer(text):
        if match[0] == "{":
            objects.append(set())
        elif match[0] == "}":
            objects.pop()
        elif match[2] and objects:
            key = json.loads(match[1])
            if key in objects[-1]:
                return match[1], match.start()
            objects[-1].add(key)
    raise AssertionError("no key stands twice")


def _refuse(word: str, text: str) -> NoReturn:
    """Refuse NaN and Infinity, which json passes on without their place."""
    places = _CONSTANT.finditer(text)
    place = next((match.start() for match in places if match[0] == word), 0)
    raise json.JSONDecodeError(f"{word} is not a JSON number", text, place)


def _guess(error: json.JSONDecodeError, document: Document) -> str:
    """Guess what a person who writes Python meant."""
    rest = document.rest(error.pos)
    if rest.startswith("'"):
        return 'JSON\'s strings and keys stand in double quotes: "…".'
    if rest.startswith("$"):
        return "$name is for the line of a magic, not inside a cell: write {{ name }} here."
    if rest.startswith("\\{{"):
        return 'Two braces as text are {{ "{{" }}; one backslash is \\\\.'
    if rest.startswith(("NaN", "Infinity", "-Infinity")):
        return "Use null."
    if rest.startswith(("True", "False", "None")):
        return "JSON writes true, false and null."
    follows_comma = error.doc[: error.pos].rstrip().endswith(",")
    if (rest.startswith(("}", "]")) and follows_comma) or "trailing comma" in error.msg:
        return "JSON has no comma after the last item: remove it."
    return ""
