"""Runs an action so that nothing it raises gets past, and tells what it raised in few words."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from types import TracebackType
from typing import Any

from nango_jupyter.exceptions import NangoInputError
from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.secrets import redact
from nango_jupyter.server.actions import ActionRuntime
from nango_jupyter.server.definitions import ActionDefinition, InvalidInputError
from nango_jupyter.server.response import JsonBody
from nango_jupyter.server.threads import in_thread
from nango_jupyter.wire_json import check_json

__all__ = ["clean", "failed_execution", "perform"]

_PREFIX = "There was an error during the action execution: "
_MOST_FRAMES = 10
_MOST_CHARACTERS = 10_000


async def perform(
    definition: ActionDefinition, runtime: ActionRuntime, value: Any, folder: Path
) -> NangoMessageHandlerResult:
    """Run an action to its end; whatever it raises or returns is a result that JSON can hold.

    Raises
    ------
    asyncio.CancelledError
        If the task was cancelled, and nothing else.
    """
    try:
        found = await _call(definition, runtime, value)
    except InvalidInputError as error:
        return NangoMessageHandlerResult(False, clean(error.message))
    except BaseException as error:  # also SystemExit, which would end the event loop
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        return failed_execution(_message(error, folder), _stack(error, definition, folder))
    if isinstance(found, JsonBody):  # what response.json is for a body that is no dict or list
        found = found.value
    try:
        check_json(found, "return value")
    except NangoInputError as error:
        return failed_execution(error.message, error.hint)
    except BaseException as error:  # a dict of the action's own kind may do anything
        return failed_execution(_message(error, folder), _stack(error, definition, folder))
    return NangoMessageHandlerResult(True, return_value=found)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _call(definition: ActionDefinition, runtime: ActionRuntime, value: Any) -> Any:
    if definition.is_async:
        return await definition.call(runtime, value)
    try:
        found = await in_thread(lambda: definition.call(runtime, value))
    finally:
        for future in list(runtime.waiting):
            future.cancel()
    return await found if inspect.isawaitable(found) else found


def failed_execution(message: str, stack: str) -> NangoMessageHandlerResult:
    """Return the reply of 0.2.1 for an action that threw."""
    return NangoMessageHandlerResult(False, clean(f"{_PREFIX}{message} - {stack}"))


def clean(text: str) -> str:
    """Return a text that a reply can hold: secrets masked, not endless, without half characters."""
    # Masking megabytes takes seconds, so they are cut before, and what the cut may have left of a
    # secret goes as well.
    is_endless = len(text) > 3 * _MOST_CHARACTERS
    text = text[: 3 * _MOST_CHARACTERS].encode(errors="backslashreplace").decode()
    text = redact(text)[: -_MOST_CHARACTERS if is_endless else None]
    is_long = is_endless or len(text) > _MOST_CHARACTERS
    return f"{text[:_MOST_CHARACTERS]}…" if is_long else text


def _message(error: BaseException, folder: Path) -> str:
    try:
        if isinstance(error, SyntaxError) and error.filename:
            return f"{error.msg} ({_relative(Path(error.filename), folder)}, line {error.lineno})"
        if isinstance(error, BaseExceptionGroup):
            inner = [f"{type(one).__name__}: {_message(one, folder)}" for one in error.exceptions]
            return f"{error}: {'; '.join(inner)}"
        return str(error) or type(error).__name__
    except BaseException:
        return f"{type(error).__name__}, which has no message that can be shown"


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _stack(error: BaseException, definition: ActionDefinition, folder: Path) -> str:
    """Name the error's type and where it was raised: the frames in action files, innermost first.

    No other frames: they say nothing to an action's author, and show where the server is installed.
    """
    frames = _frames(error.__traceback__, definition, folder)[-_MOST_FRAMES:]
    return "".join([type(error).__name__, *reversed(frames)])


def _frames(
    traceback: TracebackType | None, definition: ActionDefinition, folder: Path
) -> list[str]:
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        path = Path(code.co_filename)
        if path.is_relative_to(folder):
            name = _relative(path, folder)
        else:  # one that was defined in a notebook is in no file
            name = definition.label if code.co_filename == definition.filename else ""
        if name:
            found.append(f"\n    at {code.co_qualname} ({name}:{traceback.tb_lineno})")
        traceback = traceback.tb_next
    return found
