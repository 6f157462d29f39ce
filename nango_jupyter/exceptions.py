"""Everything that nango-jupyter raises on purpose.

::

    NangoError
    ├── NangoUsageError         a call was given something it can't use (ValueError)
    │   ├── NangoInputError     a value that JSON can't hold (TypeError)
    │   └── NangoKeyError       a key or an index that a result doesn't have (LookupError)
    ├── NangoClosedError        no connection: not connected yet, or closed
    ├── NangoConnectionError    the broker is out of reach, or refuses us (ConnectionError)
    │   └── NangoConnectionLostError   it went away with the request under way
    ├── NangoTimeoutError       no answer within the time limit (TimeoutError)
    ├── NangoProtocolError      a message that isn't the protocol's
    ├── NangoServerError        the server answered that the request failed
    ├── NangoHttpError          an action's API answered with an error
    └── NangoConfigError        the integrations folder can't be used
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nango_jupyter.messages import NangoMessageHandlerResult
    from nango_jupyter.server.response import NangoResponse

__all__ = [
    "NangoClosedError",
    "NangoConfigError",
    "NangoConnectionError",
    "NangoConnectionLostError",
    "NangoError",
    "NangoHttpError",
    "NangoInputError",
    "NangoKeyError",
    "NangoProtocolError",
    "NangoServerError",
    "NangoTimeoutError",
    "NangoUsageError",
]

_LOG_LINES = 10
# Of a message whose rest stands in a card above it.
_LINE_CHARS = 200


class NangoError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    message : str
        What happened, in one sentence, without secrets.
    hint : str, optional
        What to do about it.

    Attributes
    ----------
    message, hint : str
        As given; `hint` is "" when there is none.
    result : NangoMessageHandlerResult or None
        The reference promises this object to those who catch an error as well: calls of
        `Nango` set it on every error that they raise, with ``success`` False.
    on_show : callable or None
        Called with the error when IPython shows it, to draw what is told of it elsewhere: an
        error that somebody catches draws nothing.
    """

    on_show: Callable[[NangoError], None] | None = None
    _shown: TracebackType | None = None

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self._hint = ""
        self.result: NangoMessageHandlerResult | None = None
        self.hint = hint

    @property
    def hint(self) -> str:
        """What to do about it; Python's own tracebacks show it as a note."""
        return self._hint

    @hint.setter
    def hint(self, hint: str) -> None:
        notes = [note for note in getattr(self, "__notes__", []) if note != f"Hint: {self._hint}"]
        self._hint = hint
        if hint:
            notes.append(f"Hint: {hint}")
        if notes or hasattr(self, "__notes__"):
            self.__notes__ = notes

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.hint), {"result": self.result}

    def _render_traceback_(self) -> list[str]:
        """Draw the error for IPython: the user's line, the message, the hint; no inner stack."""
        # IPython asks twice: to show it, and to keep it in its history.
        if self.on_show is not None and self._shown is not self.__traceback__:
            self._shown = self.__traceback__
            self.on_show(self)
        name = type(self).__name__
        if self.on_show is not None:
            lines = [f"{name}: {_first_line(self.message)}"]
        else:
            lines = [f"{name}: {self.message}", *([f"Hint: {self.hint}"] if self.hint else [])]
            lines += _log_lines(self.result)
        return [*_user_line(self.__traceback__), *map(_visible, lines)]


class NangoUsageError(NangoError, ValueError):
    """A call or a magic was given something that it can't use."""


class NangoInputError(NangoUsageError, TypeError):
    """A value that JSON can't hold; the message names its path, as in ``input.rows[3].when``."""


class NangoKeyError(NangoUsageError, KeyError, IndexError):
    """A key or an index that a result's value doesn't have."""

    __str__ = Exception.__str__  # KeyError's would put the message in quotes


class NangoClosedError(NangoError):
    """There is no connection: `connect` was not called yet, or `close` was."""


class NangoConnectionError(NangoError, ConnectionError):
    """The broker can't be reached, or refuses us."""


class NangoConnectionLostError(NangoConnectionError):
    """The connection went away while the request was under way: the action may have run."""


class NangoTimeoutError(NangoError, TimeoutError):
    """No answer came within the time limit: the action may have run, or still run."""


class NangoProtocolError(NangoError):
    """A message that does not follow the protocol."""


class NangoServerError(NangoError):
    """The server answered that the request failed; `result` is its answer."""


class NangoHttpError(NangoError):
    """An HTTP API answered an action with an error, and the action can't go on without it.

    Attributes
    ----------
    response : NangoResponse or None
        The answer; it is not kept in a pickle or a copy, and None where it may hold a secret.
    """

    response: NangoResponse | None = None


class NangoConfigError(NangoError):
    """The integrations folder can't be used as it is."""


def _visible(text: str) -> str:
    """Show what a terminal would obey, or what turns text around, as escapes."""
    if text.isprintable():
        return text
    # Joiners are part of emoji and of scripts.
    plain = "\n\t\xa0\u200c\u200d"
    return "".join(
        char if char.isprintable() or char in plain else ascii(char)[1:-1] for char in text
    )


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0].rstrip()
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}…"


def _log_lines(result: NangoMessageHandlerResult | None) -> list[str]:
    """Return the end of the action's log, which may tell why it failed."""
    if result is None or result.execution is None or not result.execution.log:
        return []
    lines = result.execution.log[-_LOG_LINES:]
    return ["Log of the action:", *(f"  {line.level} {line.text}" for line in lines)]


def _user_line(traceback: TracebackType | None) -> list[str]:
    """Name the innermost line of the user's own code, where a cell has more than one."""
    import linecache

    found: list[str] = []
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__") == "__main__":
            has_more = len(linecache.getlines(frame.f_code.co_filename)) > 1
            # Its number, and not the line itself, which may hold a password.
            found = [f"In line {traceback.tb_lineno}"] if has_more else []
        traceback = traceback.tb_next
    return found
