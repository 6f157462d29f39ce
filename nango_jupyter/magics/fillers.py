"""Makes one function of an input with holes, which is called once for each row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from numbers import Number
from typing import Any

from nango_jupyter.conversion import to_json_value
from nango_jupyter.exceptions import NangoInputError, NangoUsageError
from nango_jupyter.magics.expressions import Expression, Hole
from nango_jupyter.magics.marks import MARK, mark_number, split_marks
from nango_jupyter.secrets import Secret, redact

__all__ = ["Filler", "make_filler", "text_of", "value_of"]

Names = Mapping[str, Any]
Filler = Callable[[Names], Any]
_AS_THEY_ARE = frozenset({bool, type(None)})
# What JSON refuses of these is no text either: infinities, and whatever holds something.
_NO_TEXT = (Secret, Iterable, Number)


def make_filler(
    value: Any, holes: list[Hole], alone: set[int], variables: Names | None = None
) -> Filler | None:
    """Return a function from names to the filled value; None if there is nothing to fill.

    Parameters
    ----------
    value : JSON value
        With marks in the place of holes.
    holes : list of Hole
    alone : set of int
        The holes that are a value, and not a part of a text.
    variables : mapping of str to object, optional
        What each ``$name`` stands for; it is looked up now.

    Raises
    ------
    NangoUsageError
        What is wrong with a hole.
    """
    if not holes:
        return None
    return _Maker(holes, alone, variables or {}).make(value)


class _Maker:
    def __init__(self, holes: list[Hole], alone: set[int], variables: Names) -> None:
        self._holes = holes
        self._alone = alone
        self._variables = variables

    def make(self, value: Any) -> Filler | None:
        if isinstance(value, str):
            if MARK.fullmatch(value) and (number := mark_number(value)) in self._alone:
                return self._single(number)
            return self._text(value)
        if isinstance(value, dict):
            return self._object(value)
        return self._list(value) if isinstance(value, list) else None

    def _single(self, number: int) -> Filler:
        expression = self._expression(number)
        if not self._holes[number].is_variable:
            return lambda names: value_of(expression, names)
        value = value_of(expression, self._variables)  # once, and not for each row
        return lambda _: value

    def _expression(self, number: int) -> Expression:
        hole = self._holes[number]
        if hole.expression is None:
            raise hole.problem or AssertionError("a hole without expression has a problem")
        return hole.expression

    def _text(self, text: str) -> Filler | None:
        if not MARK.search(text):
            return None
        pieces = [
            self._piece(piece) if isinstance(piece, int) else piece for piece in split_marks(text)
        ]
        return lambda names: "".join(
            [piece if isinstance(piece, str) else text_of(piece, names) for piece in pieces]
        )

    def _piece(self, number: int) -> Expression | str:
        """Return a part of a text, in which a $ is nothing but a $."""
        expression = self._expression(number)
        return expression.shown if self._holes[number].is_variable else expression

    def _key(self, key: str) -> Filler | None:
        if MARK.fullmatch(key) and self._holes[number := mark_number(key)].is_variable:
            name = text_of(self._expression(number), self._variables)
            return lambda _: name
        return self._text(key)

    def _list(self, items: list[Any]) -> Filler | None:
        makers = [self.make(item) for item in items]
        fillers = [(index, fill) for index, fill in enumerate(makers) if fill]
        if not fillers:
            return None

        def fill_list(names: Names) -> list[Any]:
            filled = items.copy()
            for index, fill in fillers:
                filled[index] = fill(names)
            return filled

        return fill_list

    def _object(self, value: dict[str, Any]) -> Filler | None:
        makers = {key: self.make(item) for key, item in value.items()}
        if any(MARK.search(key) for key in value):
            return self._object_with_keys(value, makers)
        fillers = [(key, fill) for key, fill in makers.items() if fill]
        if not fillers:
            return None

        def fill_object(names: Names) -> dict[str, Any]:
            filled = value.copy()  # keeps the order
            for key, fill in fillers:
                filled[key] = fill(names)
            return filled

        return fill_object

    def _object_with_keys(self, value: dict[str, Any], makers: dict[str, Filler | None]) -> Filler:
        entries = [(key, self._key(key), makers[key], item) for key, item in value.items()]
        at = next(piece for key in value for piece in split_marks(key) if isinstance(piece, int))
        first = self._expression(at)

        def fill_object(names: Names) -> dict[str, Any]:
            filled: dict[str, Any] = {}
            for key, fill_key, fill, item in entries:
                name = fill_key(names) if fill_key else key
                if name in filled:
                    raise NangoUsageError(
                        f"The key {redact(repr(name))} stands twice{first.where}", "Rename one."
                    )
                filled[name] = fill(names) if fill else item
            return filled

        return fill_object


def value_of(expression: Expression, names: Names) -> Any:
    """Return the value of an expression as JSON.

    Raises
    ------
    NangoUsageError
        With the place.
    """
    value = expression.evaluate(names)
    if type(value) in _AS_THEY_ARE:
        return value
    try:
        return to_json_value(value, expression.shown)
    except NangoInputError as error:
        raise _with_place(error, expression) from None


def text_of(expression: Expression, names: Names, *, is_needed: bool = False) -> str:
    """Return the value of an expression as a part of a text.

    Parameters
    ----------
    expression : Expression
    names : mapping of str to object
    is_needed : bool
        Whether None, which is "null" in a text, is an error.

    Raises
    ------
    NangoUsageError
        With the place.
    """
    value = expression.evaluate(names)
    if type(value) is str:
        return value
    try:
        text = _written(value, expression.shown)
    except NangoInputError as error:
        raise _with_place(error, expression) from None
    if is_needed and text == "null":
        raise NangoUsageError(f"{expression.shown} is None{expression.where}")
    return text


def _written(value: Any, name: str) -> str:
    """Return a value as text: as JSON writes it, or as the value itself says."""
    try:
        plain = to_json_value(value, name)
    except NangoInputError:
        # str() of most objects is for their makers: <function f at 0x7f…>.
        kind: Any = type(value)
        if kind.__str__ is object.__str__ or isinstance(value, _NO_TEXT):
            raise
        return str(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _with_place(error: NangoInputError, expression: Expression) -> NangoInputError:
    return NangoInputError(f"{error.message}{expression.where}", error.hint)
