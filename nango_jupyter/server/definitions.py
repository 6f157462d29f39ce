"""Actions as they are written: `action` marks a function, and a class or function is defined."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar, overload

from nango_jupyter.exceptions import NangoConfigError, NangoUsageError
from nango_jupyter.server.actions import ActionContext, ActionRuntime, NangoAction
from nango_jupyter.server.inputs import Inputs, InvalidInputError, innermost

__all__ = ["ActionDefinition", "InvalidInputError", "action", "define", "find_definition"]

_MARK = "_nango_action"
_FunctionT = TypeVar("_FunctionT", bound=Callable[..., Any])


@dataclass(frozen=True)
class _Mark:
    idempotent: bool


@overload
def action(function: _FunctionT, /) -> _FunctionT: ...
@overload
def action(*, idempotent: bool = False) -> Callable[[_FunctionT], _FunctionT]: ...
def action(function: Any = None, /, *, idempotent: bool = False) -> Any:
    """Mark a function as the action of its file, ``INTEGRATION/ACTION.action.py``.

    The function gets the context first, an `ActionContext`; its other parameters are the
    action's inputs, which are checked by their type hints before it is run. An ``async def``
    runs on an event loop, a plain ``def`` in a thread.

    Parameters
    ----------
    function : callable
    idempotent : bool
        Whether the server may run it again for a message that the broker delivers a second time.

    Returns
    -------
    callable
        The function itself: it can be called, and tested, as any.

    Raises
    ------
    NangoUsageError
        If it is used on something else than a function.

    Examples
    --------
    ::

        from nango_jupyter import action

        @action
        async def notify(ctx, channel_id: str, msg: str = "hi") -> dict:
            body = {"channel": channel_id, "text": msg}
            response = await ctx.http_request("chat.postMessage", "POST", body=body)
            return response.json()
    """
    if function is None:
        return functools.partial(_mark, idempotent=idempotent)
    return _mark(function, idempotent=idempotent)


def _mark(function: Any, *, idempotent: bool) -> Any:
    if isinstance(function, type) or not callable(function):
        raise NangoUsageError(
            "@action is for functions",
            "Write @action or @action(idempotent=True) above a def; a class that derives from "
            "NangoAction needs neither.",
        )
    try:
        setattr(function, _MARK, _Mark(idempotent))
    except AttributeError:
        raise NangoUsageError(
            f"@action can't mark a {type(function).__name__}", "Write a def around it."
        ) from None
    return function


@dataclass(frozen=True, kw_only=True)
class ActionDefinition:
    """An action, ready to be run.

    Attributes
    ----------
    label : str
        What its file is called in errors.
    name : str
        Of the function or class.
    description : str
        The first paragraph of its docstring; "" without one.
    is_async : bool
        Whether `call` belongs on an event loop; if not, in a thread.
    idempotent : bool
        Whether it may run again for a message that is delivered a second time.
    input_schema : dict or None
        The JSON schema of its input; None for a class, which takes whatever comes.
    filename : str
        Of its code, as tracebacks have it.
    call : callable
        Takes the `ActionRuntime` and the input; returns the result, or its awaitable if
        `is_async`. Raises `InvalidInputError` before anything of the author's has run.
    """

    label: str
    name: str
    description: str
    is_async: bool
    idempotent: bool
    input_schema: dict[str, Any] | None
    filename: str
    call: Callable[[ActionRuntime, Any], Any] = field(repr=False)


def define(item: Any, label: str) -> ActionDefinition:
    """Make the definition of a function or of a subclass of `NangoAction`.

    Parameters
    ----------
    item : callable or type
    label : str
        What errors start with, such as the name of its file.

    Raises
    ------
    NangoConfigError
        If it can't be an action; the message says what to write.
    """
    try:
        if isinstance(item, type) and issubclass(item, NangoAction):
            return _define_class(item, label)
        return _define_function(item, label)
    except NangoConfigError as error:
        raise NangoConfigError(f"{label}: {error.message}") from None


def find_definition(module: ModuleType, label: str) -> ActionDefinition:
    """Make the definition of the one action that a module defines.

    What the module has imported is not its own.

    Raises
    ------
    NangoConfigError
        If there is not exactly one, or it can't be an action.
    """
    found = {id(item): item for item in vars(module).values() if _is_action_of(item, module)}
    if len(found) == 1:
        return define(found.popitem()[1], label)
    names = ", ".join(sorted(map(_name, found.values()))) or "none"
    raise NangoConfigError(
        f"{label} must define one action, a function with @action or a subclass of NangoAction; "
        f"it defines {names}"
    )


def _is_action_of(item: Any, module: ModuleType) -> bool:
    if isinstance(item, type):
        return issubclass(item, NangoAction) and item.__module__ == module.__name__
    if not isinstance(getattr(item, _MARK, None), _Mark):
        return False
    # A partial object says of its module only where functools is.
    return isinstance(item, functools.partial) or item.__module__ == module.__name__


def _define_class(item: type[NangoAction], label: str) -> ActionDefinition:
    method = item.execute_action
    _check_method(item)
    _refuse_generator(method, f"{item.__name__}.execute_action")

    def call(runtime: ActionRuntime, value: Any) -> Any:
        made = item()
        made._runtime = runtime
        return made.execute_action(value)

    return ActionDefinition(
        label=label,
        name=item.__name__,
        description=_description(item),
        is_async=inspect.iscoroutinefunction(method),
        idempotent=bool(item.idempotent),
        input_schema=None,
        filename=_filename(method),
        call=call,
    )


def _check_method(item: type[NangoAction]) -> None:
    what = "write async def execute_action(self, input)"
    if item.execute_action is NangoAction.execute_action:
        raise NangoConfigError(f"{item.__name__} has no method execute_action: {what}")
    try:
        inspect.signature(item.execute_action).bind(None, None)
    except TypeError as error:
        raise NangoConfigError(f"{item.__name__}.execute_action: {error}: {what}") from None


def _define_function(function: Any, label: str) -> ActionDefinition:
    if isinstance(function, type) or not callable(function):
        raise NangoConfigError("an action is a function, or a subclass of NangoAction")
    name = _name(function)
    _refuse_generator(function, name)
    inputs = Inputs(function, name)

    def call(runtime: ActionRuntime, value: Any) -> Any:
        arguments = inputs.read(value)
        context = ActionContext()
        context._runtime = runtime
        return function(context, **arguments)

    mark = getattr(function, _MARK, None)
    return ActionDefinition(
        label=label,
        name=name,
        description=_description(innermost(function)),
        is_async=inspect.iscoroutinefunction(function),
        idempotent=isinstance(mark, _Mark) and mark.idempotent,
        input_schema=inputs.schema,
        filename=_filename(function),
        call=call,
    )


def _refuse_generator(function: Callable[..., Any], name: str) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise NangoConfigError(f"{name} yields, but an action returns: collect a list, return it")


def _name(item: Any) -> str:
    return str(getattr(innermost(item), "__name__", type(item).__name__))


def _description(item: Any) -> str:
    text = inspect.cleandoc(item.__doc__ or "")
    return " ".join(text.partition("\n\n")[0].split())


def _filename(function: Any) -> str:
    code = getattr(innermost(function), "__code__", None)
    return str(code.co_filename) if code else ""
