"""Finds ``{{ expression }}`` in what a person typed, and evaluates it.

A hole ends at the first ``}}`` that makes Python of what stands before it, so that the braces of a
dict, an f-string or a text are no trouble. Each hole is compiled once and evaluated many times.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.places import show_index
from nango_jupyter.secrets import redact
from nango_jupyter.suggestions import did_you_mean

__all__ = ["DOLLAR", "Expression", "Hole", "compile_alone", "find_holes"]

DOLLAR = re.compile(r"\$([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
"""A variable on the line of a magic: ``$name`` or ``$name.attribute``."""

_QUOTES_AND_HOLES = re.compile(r'\\["\\]|"|\{\{')
_QUOTES_HOLES_AND_DOLLARS = re.compile(rf"{_QUOTES_AND_HOLES.pattern}|{DOLLAR.pattern}")
# A hole that never becomes Python must not be tried against a whole book; nor must a thousand.
_TRIES = 100
_TRIES_IN_ALL = 1_000
_SHOWN = 60
_LONGEST_REASON = 500
# Of Jinja2, in whose templates {{ }} stands too.
_FILTERS = frozenset({"default", "join", "lower", "safe", "tojson", "trim", "upper"})
_LITERAL = 'Two braces as text are {{ "{{" }}.'
# What parsing and compiling a person's text raises.
_NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """Python to evaluate, and where it stands.

    Attributes
    ----------
    text : str
        All that a person typed; "" if there is no place to show.
    start : int
        Where in it the expression begins, with its braces.
    shown : str
        How messages name it.
    code : code
    names : tuple of str
        The names that it uses, at any depth.
    """

    text: str
    start: int
    shown: str
    code: CodeType
    names: tuple[str, ...]

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """Return the value.

        Raises
        ------
        NangoUsageError
            With the place, if there is no such name or the expression fails.
        """
        # In one dict, as globals, so that lambdas and comprehensions see them too; and what
        # := binds stays here.
        scope: dict[str, Any] = {"__builtins__": builtins}
        for name in self.names:
            try:
                scope[name] = names[name]
            except KeyError:
                continue
        try:
            return eval(self.code, scope)  # noqa: S307 - the user's own code, as in IPython
        except NameError as error:
            if error.name in self.names and error.name not in names:
                raise self._unknown(error.name, names) from None
            raise self._failed(error) from None
        except Exception as error:
            raise self._failed(error) from None

    @property
    def where(self) -> str:
        """The end of a message: where it stands, in words and with a caret."""
        return f", {show_index(self.text, self.start)}" if self.text else ""

    def _unknown(self, name: str, names: Mapping[str, Any]) -> NangoUsageError:
        return NangoUsageError(f"There is no variable {name}{self.where}", self._hint(name, names))

    def _hint(self, name: str, names: Mapping[str, Any]) -> str:
        if name == "row":
            return "row is there with --each only, as {{ row.name }}."
        if name in _FILTERS and "|" in self.shown:
            return "Between {{ and }} stands Python, which has no filters."
        if name in {"true", "false", "null"}:
            return "Between {{ and }} stands Python: True, False and None."
        known = [name for name in names if not name.startswith("_")]
        guess = did_you_mean(name, known) or "Define it first."
        return guess if self.text else f"{guess} Single quotes keep $ and {{}}."

    def _failed(self, error: Exception) -> NangoUsageError:
        try:
            reason = redact(str(error))[:_LONGEST_REASON]
        except Exception:  # the user's own class
            reason = ""
        what = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        return NangoUsageError(f"{self.shown} failed: {what}{self.where}")


@dataclass(slots=True)
class Hole:
    """``{{ expression }}`` or ``$name`` in a text.

    Attributes
    ----------
    start, end : int
    expression : Expression or None
        None if it is broken; `problem` is then the error to raise, should the hole matter: in a
        comment it doesn't.
    in_string : bool
        Whether it stands between double quotes.
    is_variable : bool
        Whether it is a ``$name``.
    """

    start: int
    end: int
    expression: Expression | None
    problem: NangoUsageError | None
    in_string: bool
    is_variable: bool = False


def find_holes(text: str, *, dollars: bool = False) -> list[Hole]:
    """Find all holes of a text.

    Parameters
    ----------
    text : str
    dollars : bool
        Take ``$name`` outside of double quotes for a hole too.
    """
    if "{{" not in text and not (dollars and "$" in text):
        return []
    pattern = _QUOTES_HOLES_AND_DOLLARS if dollars else _QUOTES_AND_HOLES
    holes: list[Hole] = []
    at, in_string, tries = 0, False, _TRIES_IN_ALL
    while match := pattern.search(text, at):
        at = match.end()
        if match[0] == '"':
            in_string = not in_string
        elif match[0] == "{{":
            hole, tried = _read_hole(text, match.start(), in_string, max(1, min(tries, _TRIES)))
            holes.append(hole)
            at, tries = hole.end, tries - tried + 1
        elif match[0].startswith("$") and not in_string and (tree := _parse(match[0][1:])):
            expression = _compiled(tree, text, match.start(), match[0])
            holes.append(Hole(match.start(), at, expression, None, False, is_variable=True))
    return holes


def compile_alone(expression: str, shown: str) -> Expression:
    """Return an expression that is all there is: its errors have no place.

    Raises
    ------
    NangoUsageError
        If it is no Python.
    """
    shown = redact(shown)
    if (tree := _parse(expression)) is not None:
        with contextlib.suppress(*_NO_PYTHON):
            return _compiled(tree, "", 0, shown)
    raise NangoUsageError(f"{shown} is not a Python expression", "Quote it as text: '…'.")


def _show(expression: str) -> str:
    """Return an expression for a message: on one line, short, without secrets."""
    words = redact(" ".join(expression.split()))
    shown = words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
    return f"{{{{ {shown} }}}}"


def _read_hole(text: str, start: int, in_string: bool, tries: int) -> tuple[Hole, int]:
    """Return the hole that begins somewhere, and how often its end was tried."""
    candidates: list[str] = []
    for end in _ends(text, start, tries):
        inside = text[start + 2 : end - 2]
        if (tree := _parse(inside)) is not None:
            hole = Hole(start, end, None, None, in_string)
            try:
                hole.expression = _compiled(tree, text, start, _show(inside))
            except _NO_PYTHON as error:
                hole.problem = _explain(error, text, start, inside)
            return hole, len(candidates) + 1
        candidates.append(inside)
        if not inside.strip():
            break
    problem = _what_is_wrong(candidates, text, start)
    return Hole(start, start + 2, None, problem, in_string), len(candidates)


def _ends(text: str, start: int, tries: int) -> Iterator[int]:
    end = start + 1
    for _ in range(tries):
        # From the second brace on: }}} may be a dict's and then the hole's.
        if (end := text.find("}}", end + 1)) < 0:
            return
        yield end + 2


def _what_is_wrong(candidates: list[str], text: str, start: int) -> NangoUsageError:
    if not candidates:
        return _problem("{{ has no }} behind it", text, start, _LITERAL)
    if not candidates[0].strip():
        return _problem("There is nothing between {{ and }}", text, start, _LITERAL)
    likely = next(filter(_is_balanced, candidates), candidates[0])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(_wrapped(likely) if "\n" in likely else likely.strip(), mode="eval")
    except _NO_PYTHON as error:
        return _explain(error, text, start, likely)
    return _problem(f"{_show(likely)} is not a Python expression", text, start, _LITERAL)


def _wrapped(inside: str) -> str:
    return f"({inside}\n)"  # an expression may go over several lines, or end in a comment


def _parse(inside: str) -> ast.Expression | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(_wrapped(inside), mode="eval")
            if ")" in inside:  # a) + (b is only Python because of the brackets around
                ast.parse(f"[{inside}\n]", mode="eval")
    except _NO_PYTHON:
        return None
    # Nothing but a comment is the empty tuple of the brackets around.
    is_nothing = isinstance(tree.body, ast.Tuple) and tree.body.col_offset == 0
    return None if is_nothing and not tree.body.elts else tree  # type: ignore[attr-defined]


def _compiled(tree: ast.Expression, text: str, start: int, shown: str) -> Expression:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(tree, "<expression>", "eval", dont_inherit=True)
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    return Expression(text, start, shown, code, tuple(names))


def _is_balanced(inside: str) -> bool:
    return all(inside.count(a) == inside.count(b) for a, b in ("()", "[]", "{}"))


def _explain(error: BaseException, text: str, start: int, inside: str) -> NangoUsageError:
    reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
    hint = _LITERAL
    if "await" in inside and "outside" in reason:
        reason = "it can't wait for an await"
        hint = "Await it in a cell of its own, and name what it gave here."
    elif inside.strip().endswith("\\") or '\\"' in inside:
        hint = "Quotes between {{ and }} need no backslash."
    return _problem(
        f"{_show(inside)} is not a Python expression: {redact(reason)}", text, start, hint
    )


def _problem(message: str, text: str, start: int, hint: str) -> NangoUsageError:
    return NangoUsageError(f"{message}, {show_index(text, start)}", hint)
