"""Splits a magic's line into arguments, and puts variables in their place.

IPython's own splitting is a shell's, which eats the quotes of JSON, and its own expansion reads
``{"a": 1}`` as a Python expression. So the magics turn both off and use these.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.error import UsageError

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import redact
from nango_jupyter.wire_json import encode

__all__ = ["Token", "expand", "expand_json", "parse", "split"]

_QUOTED = re.compile(r"""'[^']*'(?=\s|$)|"(?:[^"\\]|\\.)*"(?=\s|$)""")
_BRACED = re.compile(r"\{[^{}\s\"':]+\}(?=\s|$)")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_JSON_STRING_OR_VARIABLE = re.compile(r'"(?:[^"\\]|\\.)*"|\$([A-Za-z_]\w*)')


class Token(str):
    """One argument: its text without quotes, and `raw`, as it was typed."""

    raw: str

    def __new__(cls, raw: str) -> Token:
        """Make a token of what was typed."""
        quoted = len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "'\""
        token = super().__new__(cls, raw[1:-1] if quoted else raw)
        token.raw = raw
        return token

    @property
    def json(self) -> str:
        """The text as JSON, whose strings keep their quotes."""
        return str(self) if self.raw.startswith("'") else self.raw


def split(line: str) -> list[Token]:
    """Split a line at blanks, but not inside quotes or JSON."""
    rest = line.strip().removesuffix(";").strip()  # a ; out of habit is no part of the JSON
    tokens = []
    while rest:
        end = _token_end(rest)
        tokens.append(Token(rest[:end]))
        rest = rest[end:].lstrip()
    return tokens


def _token_end(text: str) -> int:
    for pattern in (_QUOTED, _BRACED):
        if match := pattern.match(text):
            return match.end()
    if text[0] in "{[":
        try:
            return json.JSONDecoder().raw_decode(text)[1]
        except (ValueError, RecursionError):
            return len(text)  # broken JSON, or JSON with $variables: the rest belongs to it
    return len(text.split(maxsplit=1)[0])


def parse(magic: Callable[..., Any], line: str) -> argparse.Namespace:
    """Parse a line by the arguments that were declared on a magic.

    Raises
    ------
    NangoUsageError
        With the usage line, if the arguments don't fit.
    """
    parser: argparse.ArgumentParser = magic.parser  # type: ignore[attr-defined]
    try:
        return parser.parse_intermixed_args(split(line))  # options may stand anywhere
    except UsageError as error:
        reason, _, usage = redact(str(error)).partition("\n")
        raise NangoUsageError(
            reason, usage or f"%{magic.__name__}? shows the options and examples."
        ) from None


def expand(text: str | None, names: Mapping[str, Any]) -> Any:
    """Return the variable that an argument names, as ``$name`` or ``{expression}``, or its text.

    Raises
    ------
    NangoUsageError
        If there is no such variable, or the expression fails.
    """
    if text is None:
        return None
    if match := _VARIABLE.fullmatch(text):
        return _look_up(match[1], names)
    if _BRACED.fullmatch(text):
        try:
            return eval(text[1:-1], dict(names))  # noqa: S307 - the user's own code, as in IPython
        except Exception as error:
            raise NangoUsageError(f"{text} failed: {type(error).__name__}: {error}") from None
    return str(text)


def expand_json(text: str, names: Mapping[str, Any]) -> str:
    """Put the JSON of variables in the place of each ``$name`` that is not inside a string."""

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        return encode(_look_up(match[1], names), f"${match[1]}").decode()

    return _JSON_STRING_OR_VARIABLE.sub(replace, text)


def _look_up(name: str, names: Mapping[str, Any]) -> Any:
    try:
        return names[name]
    except KeyError:
        raise NangoUsageError(f"There is no variable {name}", f"Define {name} first.") from None
