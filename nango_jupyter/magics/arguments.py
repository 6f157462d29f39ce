"""Splits a magic's line into arguments, and puts variables in their place.

IPython's own splitting is a shell's, which eats the quotes of JSON, and its own expansion reads
``{"a": 1}`` as a Python expression. So the magics turn both off and use these.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.error import UsageError

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import redact
from nango_jupyter.wire_json import encode

__all__ = ["Token", "expand", "expand_json", "is_variable", "parse", "split"]

_QUOTED = re.compile(r"""'[^']*'(?=\s|$)|"(?:[^"\\]|\\.)*"(?=\s|$)""")
# JSON never has a letter behind its brace; a colon may be meant as JSON whose keys lack quotes.
_BRACED = re.compile(r"\{([A-Za-z_][^{}:]*)\}(?=\s|$)")
_DOLLAR = re.compile(r"\$([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_IN_A_WORD = re.compile(rf"{_DOLLAR.pattern}|\{{([A-Za-z_][^{{}}:]*)\}}")
_JSON_STRING = r'"(?:[^"\\]|\\.)*"'
_JSON_STRING_OR_DOLLAR = re.compile(f"{_JSON_STRING}|{_DOLLAR.pattern}")
_JSON_STRING_OR_BRACKET = re.compile(rf"{_JSON_STRING}|([\[{{])|([\]}}])")
_OPTION = re.compile(r"(--[a-z][a-z-]*)=")


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
    # IPython leaves a comment behind a magic on the line; quotes keep a # in front of a word.
    while rest and not rest.startswith("#"):
        # As two words, --config={"a": 1} keeps its JSON whole.
        if option := _OPTION.match(rest):
            tokens.append(Token(option[1]))
            rest = rest[option.end() :]
        else:
            end = _token_end(rest)
            tokens.append(Token(rest[:end]))
            rest = rest[end:].lstrip()
    return tokens


def _token_end(text: str) -> int:
    for pattern in (_QUOTED, _BRACED):
        if match := pattern.match(text):
            return match.end()
    if text[0] in "{[":
        return _json_end(text)
    return len(text.split(maxsplit=1)[0])


def _json_end(text: str) -> int:
    """Find the bracket that closes the first one; there may be $variables between them."""
    depth = 0
    for match in _JSON_STRING_OR_BRACKET.finditer(text):
        depth += bool(match[1]) - bool(match[2])
        if depth == 0:
            return match.end()
    return len(text)  # broken JSON: the rest belongs to it, and is shown


def parse(
    magic: Callable[..., Any], line: str, names: Mapping[str, Any], json: str = ""
) -> argparse.Namespace:
    """Parse a line by the arguments that were declared on a magic.

    Parameters
    ----------
    magic : function
        With arguments declared by IPython's `magic_arguments`.
    line : str
    names : mapping of str to object
        The user's variables.
    json : str
        The argument that is JSON, and stays as it was typed; in all others, variables are put in
        their place.

    Raises
    ------
    NangoUsageError
        If the arguments don't fit. What was typed is not repeated: a token may be among it.
    """
    parser: argparse.ArgumentParser = magic.parser  # type: ignore[attr-defined]
    parser.allow_abbrev = False  # --token would be --token-env, and a token the name of a variable
    tokens = split(line)
    try:
        found, surplus = parser.parse_known_intermixed_args(tokens)  # options may stand anywhere
    except UsageError as error:
        raise NangoUsageError(redact(str(error)), _usage(parser)) from None
    if surplus:
        unknown = [word.partition("=")[0] for word in surplus if word.startswith("--")]
        reason = f"There is no option {unknown[0]}" if unknown else "There are too many arguments"
        raise NangoUsageError(reason, f"{_usage(parser)}. Quote what has blanks in it.")
    for name, value in vars(found).items():
        if isinstance(value, str) and name != json:
            # None would be as if the argument was not there: --local $folder, a real broker.
            if (expanded := expand(value, names)) is None:
                raise NangoUsageError(f"{value} is None", _usage(parser))
            setattr(found, name, expanded)
    return found


def _usage(parser: argparse.ArgumentParser) -> str:
    # IPython writes it as reStructuredText, behind "::".
    return "Usage: " + " ".join(parser.format_usage().removeprefix("::").split())


def is_variable(text: str) -> bool:
    """Tell whether an argument is nothing but ``$name`` or ``{expression}``."""
    return _alone(text) is not None


def _alone(text: str) -> re.Match[str] | None:
    return _DOLLAR.fullmatch(text) or _BRACED.fullmatch(text)


def expand(text: str, names: Mapping[str, Any]) -> Any:
    """Put variables in their place in one argument.

    ``$name`` and ``{expression}`` alone are the object itself; inside a word they are its text.
    A URL, which may have a $ in its password, and what stands in single quotes are left alone.

    Raises
    ------
    NangoUsageError
        If there is no such variable, or the expression fails.
    """
    if isinstance(text, Token) and text.raw.startswith("'"):
        return str(text)
    if alone := _alone(text):
        return _evaluate(alone[1], names)
    if "://" in text:
        return str(text)
    return _IN_A_WORD.sub(lambda match: str(_evaluate(match[1] or match[2], names)), text)


def expand_json(text: str, names: Mapping[str, Any]) -> str:
    """Put the JSON of variables in the place of each ``$name`` that is not inside a string."""

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        return encode(_evaluate(match[1], names), f"${match[1]}").decode()

    return _JSON_STRING_OR_DOLLAR.sub(replace, text)


def _evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    try:
        return eval(expression, dict(names))  # noqa: S307 - the user's own code, as in IPython
    except NameError as error:
        raise NangoUsageError(
            f"There is no variable {error.name}", "Define it first; single quotes keep $ and {}."
        ) from None
    except Exception as error:
        raise NangoUsageError(f"{{{expression}}} failed: {type(error).__name__}: {error}") from None
