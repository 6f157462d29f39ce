"""Runs an action so that nothing it raises gets past, and tells what it raised in few words."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.secrets import redact
from nango_jupyter.server.actions import NangoAction

__all__ = ["clean", "execute", "failed_execution", "run_guarded"]

_PREFIX = "There was an error during the action execution: "
_MOST_FRAMES = 10
_MOST_CHARACTERS = 10_000


async def execute(action: NangoAction, input_value: Any) -> Any:
    """Call the action's method; a plain function runs in a thread."""
    method = action.execute_action
    if inspect.iscoroutinefunction(method):
        return await method(input_value)
    result, error = await asyncio.to_thread(_call, method, input_value)
    if error is not None:
        raise error
    return await result if inspect.isawaitable(result) else result


def _call(method: Callable[[Any], Any], value: Any) -> tuple[Any, BaseException | None]:
    # Caught inside the thread: a StopIteration can't cross into a future, which then never ends.
    try:
        return method(value), None
    except BaseException as error:
        return None, error


async def run_guarded(
    work: Callable[[], Awaitable[Any]], folder: Path
) -> NangoMessageHandlerResult:
    """Run an action to its end in a task of its own; whatever it raises is an error reply.

    A task of its own tells the two cancellations apart: that of the caller's task cancels the
    action and is passed on; one that the action brings on itself is an error as any other.
    """
    task = asyncio.create_task(_guard(work, folder))
    try:
        return await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
        return failed_execution("the action cancelled itself", "CancelledError")


async def _guard(work: Callable[[], Awaitable[Any]], folder: Path) -> NangoMessageHandlerResult:
    try:
        return NangoMessageHandlerResult(True, return_value=await work())
    except BaseException as error:  # also SystemExit, which would end the event loop
        current = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and current and current.cancelling():
            raise
        return failed_execution(_message(error, folder), _stack(error, folder))


def failed_execution(message: str, stack: str) -> NangoMessageHandlerResult:
    """Return the reply of 0.2.1 for an action that threw."""
    return NangoMessageHandlerResult(False, clean(f"{_PREFIX}{message} - {stack}"))


def clean(text: str) -> str:
    """Return a text that a reply can hold: secrets masked, not endless, without half characters."""
    text = redact(text.encode(errors="backslashreplace").decode())
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


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


def _stack(error: BaseException, folder: Path) -> str:
    """Name the error's type and where it was raised: the frames in action files, innermost first.

    No other frames: they say nothing to an action's author, and show where the server is installed.
    """
    frames = _frames(error.__traceback__, folder)[-_MOST_FRAMES:]
    return "".join([type(error).__name__, *reversed(frames)])


def _frames(traceback: TracebackType | None, folder: Path) -> list[str]:
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        path = Path(code.co_filename)
        if path.is_relative_to(folder):
            place = f"{_relative(path, folder)}:{traceback.tb_lineno}"
            found.append(f"\n    at {code.co_qualname} ({place})")
        traceback = traceback.tb_next
    return found
