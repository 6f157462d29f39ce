"""Reads the JSON that a person typed, and shows where it is wrong."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.places import show_place

__all__ = ["read_json"]


def read_json(text: str, name: str) -> Any:
    """Return the value of a JSON text; None if the text is blank.

    Parameters
    ----------
    text : str
    name : str
        What the text is called in the message, such as "input".

    Raises
    ------
    NangoUsageError
        With line, column and a caret under the place.
    """
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_constant=lambda word: _refuse(word, text))
    except json.JSONDecodeError as error:
        raise _explain(error, name) from None
    except (ValueError, RecursionError) as error:
        raise NangoUsageError(f"The {name} is not JSON: {error}") from None


def _refuse(word: str, text: str) -> NoReturn:
    """Refuse NaN and Infinity, which json passes on without their place."""
    places = re.finditer(r'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b', text)
    place = next((match.start() for match in places if match[0] == word), 0)
    raise json.JSONDecodeError(f"{word} is not a JSON number", text, place)


def _explain(error: json.JSONDecodeError, name: str) -> NangoUsageError:
    place = show_place(error.doc, error.lineno, error.colno)
    return NangoUsageError(f"The {name} is not JSON: {error.msg}, {place}", _guess(error))


def _guess(error: json.JSONDecodeError) -> str:
    """Guess what a person who writes Python meant."""
    rest = error.doc[error.pos :]
    if rest.startswith("'"):
        return 'JSON\'s strings and keys stand in double quotes: "…".'
    if rest.startswith("$"):
        return "$name stands for a variable on the line of %nango_trigger, not inside a cell."
    if rest.startswith(("NaN", "Infinity", "-Infinity")):
        return "Use null."
    if rest.startswith(("True", "False", "None")):
        return "JSON writes true, false and null."
    follows_comma = error.doc[: error.pos].rstrip().endswith(",")
    if (rest.startswith(("}", "]")) and follows_comma) or "trailing comma" in error.msg:
        return "JSON has no comma after the last item: remove it."
    return ""
