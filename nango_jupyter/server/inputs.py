"""What a function's parameters say of an action's input: how it is checked, and its schema."""

from __future__ import annotations

import difflib
import functools
import inspect
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from inspect import Parameter
from types import SimpleNamespace
from typing import Any, NoReturn, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from nango_jupyter.exceptions import NangoConfigError, NangoUsageError
from nango_jupyter.secrets import redact

__all__ = ["Inputs", "InvalidInputError", "innermost"]

_MOST_LINES = 20
_MOST_CHARACTERS = 200
# What a first parameter that is annotated like this was meant for.
_PLAIN_TYPES = (bool, int, float, str, list, dict, tuple, set)


class InvalidInputError(NangoUsageError):
    """An action's input can't be used; the message has a line for each thing that is wrong."""


class Inputs:
    """The inputs of an action that is a function: all of its parameters but the first.

    Parameters
    ----------
    function : callable
    name : str
        What the function is called in messages.

    Attributes
    ----------
    schema : dict
        The JSON schema of the input.

    Raises
    ------
    NangoConfigError
        If the function can't be an action; the message says what to write.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._name = name
        context, parameters = _split(function, name)
        named = [one.name for one in parameters if one.kind is not Parameter.VAR_KEYWORD]
        # Fields have names of our own: a parameter may be called schema, json or _x.
        self._fields = {f"input_{at}": name for at, name in enumerate(named)}
        # Of what goes into **rest, nothing may stand for another parameter.
        self._taken = {*named, context.name} - (
            {context.name} if context.kind is Parameter.POSITIONAL_ONLY else set()
        )
        self._model = _model(function, name, parameters, self._fields)
        self.schema = _schema(self._model, name)

    def read(self, value: Any) -> dict[str, Any]:
        """Check an input, and return what the function is called with, by name.

        Raises
        ------
        InvalidInputError
            It repeats no value of the input: a secret may be among them.
        """
        value = {} if value is None else value
        if not isinstance(value, dict):
            self._refuse([f"It should be an object ({self._known()})"])
        try:
            found = self._model.model_validate(value)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            lines = [self._line(one, value) for one in details[:_MOST_LINES]]
            self._refuse(lines, len(details) - len(lines))
        rest = found.model_extra or {}
        if clash := sorted(self._taken & rest.keys()):
            lines = [self._unknown(key) for key in clash[:_MOST_LINES]]
            self._refuse(lines, len(clash) - len(lines))
        return {name: getattr(found, field) for field, name in self._fields.items()} | rest

    def _refuse(self, lines: Sequence[str], more: int = 0) -> NoReturn:
        shown = [line[:_MOST_CHARACTERS] for line in lines]
        if more:
            shown.append(f"and {more:,} more")
        head = f"The input of {self._name} can't be used, and the action was not run:"
        raise InvalidInputError(redact("\n- ".join([head, *shown])))

    def _line(self, error: ErrorDetails, value: Any) -> str:
        place = error["loc"]
        if error["type"] == "extra_forbidden" and len(place) == 1:
            return self._unknown(str(place[0]))
        return f"{_path(error, value)}: {_message(error)}"

    def _unknown(self, key: str) -> str:
        close = difflib.get_close_matches(key, self._names(), n=1)
        guess = f"; did you mean {close[0]}?" if close else ""
        return f"{key}: There is no such input ({self._known()}){guess}"

    def _known(self) -> str:
        return f"it takes: {', '.join(self._names()) or 'nothing'}"

    def _names(self) -> Collection[str]:
        names: Mapping[str, object] = self.schema.get("properties", {})
        return names.keys()


def _split(function: Callable[..., Any], name: str) -> tuple[Parameter, list[Parameter]]:
    """Return the context's parameter, and those of the inputs."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise NangoConfigError(f"{name} has no signature that can be read") from None
    first = parameters[0] if parameters else None
    if first is None or first.kind not in (
        Parameter.POSITIONAL_ONLY,
        Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise NangoConfigError(f"{name} has no parameter for the context: write {name}(ctx, …)")
    if _is_plain_type(first.annotation):
        raise NangoConfigError(
            f"the first parameter of {name} is the context, and {first.name} looks like an "
            f"input: write {name}(ctx, {first.name}, …)"
        )
    for one in parameters[1:]:
        if one.kind is Parameter.VAR_POSITIONAL:
            raise NangoConfigError(
                f"{name} takes *{one.name}, but inputs have names: write each one out, or "
                f"**{one.name} for any"
            )
        if one.kind is Parameter.POSITIONAL_ONLY:
            raise NangoConfigError(
                f"{name} takes {one.name} by its position only, but inputs are passed by name: "
                "remove the / behind it"
            )
    return first, parameters[1:]


def _is_plain_type(annotation: Any) -> bool:
    if isinstance(annotation, str):  # from __future__ import annotations
        return annotation.partition("[")[0] in {one.__name__ for one in _PLAIN_TYPES}
    return (get_origin(annotation) or annotation) in _PLAIN_TYPES


def _model(
    function: Callable[..., Any],
    name: str,
    parameters: Sequence[Parameter],
    fields: Mapping[str, str],
) -> type[BaseModel]:
    """Make the model that checks the input; the aliases of its fields are the inputs' names."""
    hints = _hints(function, name, parameters)
    by_name = {one.name: one for one in parameters}
    found: dict[str, Any] = {
        field: (hints.get(own, Any), _default(by_name[own])) for field, own in fields.items()
    }
    rest = [one for one in parameters if one.kind is Parameter.VAR_KEYWORD]
    if rest:
        kind = hints.get(rest[0].name, Any)
        found["__pydantic_extra__"] = (dict[str, kind], Field(init=False))  # type: ignore[valid-type]
    config = ConfigDict(
        extra="allow" if rest else "forbid",
        # Not as each field's alias, which would win over one that its author gave.
        alias_generator=lambda field: fields.get(field, field),
        title=name,
    )
    module = getattr(innermost(function), "__module__", None) or __name__
    try:
        return create_model("Inputs", __config__=config, __module__=module, **found)
    except (PydanticUserError, TypeError, NameError) as error:
        raise _unfit(name, error) from None


def _default(parameter: Parameter) -> Any:
    return ... if parameter.default is Parameter.empty else parameter.default


def _hints(
    function: Callable[..., Any], name: str, parameters: Sequence[Parameter]
) -> dict[str, Any]:
    """Return the parameters' type hints; nobody needs those of the context and the result."""
    annotations = {
        one.name: one.annotation for one in parameters if one.annotation is not Parameter.empty
    }
    names = getattr(innermost(function), "__globals__", {})
    try:
        holder = SimpleNamespace(__annotations__=annotations)
        return get_type_hints(holder, globalns=names, include_extras=True)
    except Exception as error:  # a hint is an expression of the author's
        raise _unfit(name, error) from None


def innermost(function: Any) -> Any:
    """Return the function as it was written, without what was wrapped around it."""
    while True:
        inner = function.func if isinstance(function, functools.partial) else function
        inner = inspect.unwrap(inner)
        if inner is function:
            return function
        function = inner


class _SchemaMaker(GenerateJsonSchema):
    # A default that JSON can't hold is left out of the schema; that is nobody's mistake.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012


def _schema(model: type[BaseModel], name: str) -> dict[str, Any]:
    try:
        return model.model_json_schema(schema_generator=_SchemaMaker)
    except PydanticUserError as error:
        raise _unfit(name, error) from None


def _unfit(name: str, error: Exception) -> NangoConfigError:
    reason = str(error).partition("\n")[0]
    return NangoConfigError(
        f"the type hints of {name} can't be used for inputs: {type(error).__name__}: {reason}"
    )


def _path(error: ErrorDetails, value: Any) -> str:
    """Return the place of an error, such as ``rows[3].when``.

    pydantic's own place has more parts: which member of a union did not fit. They are told from
    keys by what the input is there.
    """
    path, member = "", ""
    place = error["loc"]
    for at, part in enumerate(place):
        is_missing = error["type"] == "missing" and at == len(place) - 1
        if isinstance(value, list) and isinstance(part, int):
            path, value = f"{path}[{part}]", value[part] if part < len(value) else None
        elif isinstance(value, dict) and (part in value or is_missing):
            path, value = _child(path, str(part)), value.get(part)
        else:
            member = f", as {part}"
    return f"{path}{member}" or "it"


def _child(path: str, key: str) -> str:
    if not path:
        return key
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key)}]"


def _message(error: ErrorDetails) -> str:
    if error["type"] == "union_tag_invalid":  # pydantic's text repeats the value
        return f"Its tag should be one of {error.get('ctx', {}).get('expected_tags')}"
    return error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
