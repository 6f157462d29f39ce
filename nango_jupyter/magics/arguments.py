"""Reads a magic's line: its arguments, with variables in their place.

IPython's own splitting is a shell's, which eats the quotes of JSON, and its own expansion reads
``{"a": 1}`` as a Python expression. So the magics turn both off and use these.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from typing import Any

from IPython.core.error import UsageError

from nango_jupyter.conversion import to_json_value
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.expressions import DOLLAR, Expression, compile_alone, find_holes
from nango_jupyter.magics.fillers import text_of, value_of
from nango_jupyter.magics.template import InputTemplate, read_line_text
from nango_jupyter.magics.tokens import BRACED, Token, read_line, split
from nango_jupyter.secrets import redact
from nango_jupyter.suggestions import did_you_mean

__all__ = [
    "ArgumentTemplate",
    "Token",
    "expand",
    "parse",
    "read_line_input",
    "split",
]

_IN_A_WORD = re.compile(rf"{DOLLAR.pattern}|\{{([A-Za-z_][^{{}}:]*)\}}")


class ArgumentTemplate:
    """An argument with ``{{ expression }}``, filled once for each row.

    Parameters
    ----------
    text : str

    Raises
    ------
    NangoUsageError
        If an expression is no Python, with its place.
    """

    def __init__(self, text: str) -> None:
        self._text = str(text)
        self._pieces: list[str | Expression] = []
        at = 0
        for hole in find_holes(self._text):
            if hole.expression is None:
                raise hole.problem or AssertionError("a hole without expression has a problem")
            self._pieces += (self._text[at : hole.start], hole.expression)
            at = hole.end
        self._pieces = [piece for piece in [*self._pieces, self._text[at:]] if piece != ""]

    def __str__(self) -> str:
        return self._text

    @property
    def names(self) -> frozenset[str]:
        """The variables that it uses."""
        found = [piece.names for piece in self._pieces if isinstance(piece, Expression)]
        return frozenset(chain.from_iterable(found))

    @property
    def alone(self) -> Expression | None:
        """The expression, if there is nothing else."""
        first = self._pieces[0] if len(self._pieces) == 1 else None
        return first if isinstance(first, Expression) else None

    def fill(self, names: Mapping[str, Any]) -> Any:
        """Return the value of an expression that stands alone, as JSON; text else.

        Raises
        ------
        NangoUsageError
            With the place, if there is no such variable, an expression fails, or its value is
            None: what it stands for is missing.
        """
        if self.alone is not None:
            value = value_of(self.alone, names)
            if value is None:
                raise NangoUsageError(f"{self.alone.shown} is None{self.alone.where}")
            return value
        return "".join([self._fill_piece(piece, names) for piece in self._pieces])

    def _fill_piece(self, piece: str | Expression, names: Mapping[str, Any]) -> str:
        if isinstance(piece, Expression):
            return text_of(piece, names, is_needed=True)
        return piece if "://" in self._text else _expand_words(piece, names)


def parse(
    magic: Callable[..., Any],
    line: str,
    names: Mapping[str, Any],
    json: str = "",
    templates: Collection[str] = (),
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
    templates : collection of str
        The arguments that are filled for each row: with ``{{ }}``, they are an `ArgumentTemplate`.

    Returns
    -------
    argparse.Namespace
        With the arguments, and `assign_to` (str) and `is_silent` (bool) of the line.

    Raises
    ------
    NangoUsageError
        If the arguments don't fit. What was typed is not repeated: a token may be among it.
    """
    parser: argparse.ArgumentParser = magic.parser  # type: ignore[attr-defined]
    parser.allow_abbrev = False  # --token would be --token-env, and a token the name of a variable
    if parser.usage is None:  # or it is written anew for each line
        parser.usage = _usage_of(parser)
    read = read_line(line)
    try:
        # Options may stand anywhere.
        found, surplus = parser.parse_known_intermixed_args(read.tokens)
    except UsageError as error:
        raise NangoUsageError(redact(str(error)), _usage(parser)) from None
    if surplus:
        raise _surplus(surplus, parser)
    for name, value in vars(found).items():
        if not isinstance(value, str) or name == json:
            continue
        if name in templates and "{{" in value and not _is_literal(value):
            setattr(found, name, ArgumentTemplate(value))
        # None would be as if the argument was not there: --local $folder, a real broker.
        elif (expanded := expand(value, names)) is None:
            raise NangoUsageError(f"{value} is None", _usage(parser))
        else:
            setattr(found, name, expanded)
    if read.assign_to and not hasattr(found, "out"):
        raise NangoUsageError(
            f"This magic puts nothing into a variable by {read.assign_to} <<",
            f"Write: {read.assign_to} = %…",
        )
    found.assign_to, found.is_silent = read.assign_to, read.is_silent
    return found


def _surplus(words: list[str], parser: argparse.ArgumentParser) -> NangoUsageError:
    unknown = [word.partition("=")[0] for word in words if word.startswith("--")]
    if not unknown:
        return NangoUsageError(
            "There are too many arguments",
            f"{_usage(parser)}. Quote what has blanks in it; $name and {{name}} stand alone.",
        )
    options = [name for action in parser._actions for name in action.option_strings]
    guess = did_you_mean(unknown[0], options)
    return NangoUsageError(
        redact(f"There is no option {unknown[0]}"), guess or f"{_usage(parser)}."
    )


def _usage(parser: argparse.ArgumentParser) -> str:
    return f"Usage: %{parser.usage}"


def _usage_of(parser: argparse.ArgumentParser) -> str:
    # IPython writes it as reStructuredText, behind "::".
    return " ".join(parser.format_usage().removeprefix("::").split()).removeprefix("%")


def _alone(text: str) -> re.Match[str] | None:
    return DOLLAR.fullmatch(text) or BRACED.fullmatch(text)


def _is_literal(text: str) -> bool:
    return isinstance(text, Token) and text.raw.startswith("'")


def expand(text: str, names: Mapping[str, Any]) -> Any:
    """Put variables in their place in one argument.

    ``$name``, ``{expression}`` and ``{{ expression }}`` alone are the object itself, but for
    numpy's scalars, which become Python's; inside a word they are text. A URL, which may have a $
    in its password, and what stands in single quotes are left alone.

    Raises
    ------
    NangoUsageError
        If there is no such variable, or the expression fails.
    """
    if _is_literal(text):
        return str(text)
    if alone := _alone(text):
        return _plain(_evaluate(alone[1], names))
    if "://" in text:
        return str(text)
    if "{{" not in text:
        return _expand_words(text, names)
    template = ArgumentTemplate(text)
    if template.alone is not None:
        return _plain(template.alone.evaluate(names))
    return template.fill(names)


def _expand_words(text: str, names: Mapping[str, Any]) -> str:
    return _IN_A_WORD.sub(lambda match: str(_evaluate(match[1] or match[2], names)), text)


def _plain(value: Any) -> Any:
    """Return Python's own for one of numpy's numbers: no user's id is a numpy.int64."""
    numpy = sys.modules.get("numpy")
    return value.item() if numpy is not None and isinstance(value, numpy.generic) else value


def read_line_input(token: Any, name: str, names: Mapping[str, Any]) -> InputTemplate:
    """Read the JSON input of a line.

    ``$name`` that is not inside a string is read now; ``{{ expression }}`` is filled later.

    Parameters
    ----------
    token : Token or None
    name : str
        What the input is called in messages.
    names : mapping of str to object

    Raises
    ------
    NangoUsageError
        If it is not JSON, or there is no such variable.
    """
    if token is None or not isinstance(token, str):
        return InputTemplate.of(to_json_value(token, name))
    if _alone(token):
        return InputTemplate.of(to_json_value(expand(token, names), str(token)))
    text = token.json if isinstance(token, Token) else token
    return read_line_text(text, name, names)


def _evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    return compile_alone(expression, f"{{{expression}}}").evaluate(names)
