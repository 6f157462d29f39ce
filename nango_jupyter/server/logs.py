"""What actions log: the reference's levels, secrets masked, and the documented line."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from nango_jupyter.executions import LogLine
from nango_jupyter.messages import UserId
from nango_jupyter.secrets import redact, redact_value

__all__ = [
    "LEVELS",
    "ActionLogFormatter",
    "ActionLogger",
    "ExecutionLog",
    "redact_handler",
    "redact_logger",
]

LEVELS: Mapping[str, int] = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "http": 18,
    "verbose": 15,
    "debug": logging.DEBUG,
    "silly": 5,
}
"""The levels of the folder's files, as Python's numbers."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_INDENT = "\n    "

_NAMES = {number: name for name, number in LEVELS.items()}

# What of one execution's log goes back with the reply: the last lines, and how long they may be.
_MOST_LINES = 1_000
_MOST_CHARACTERS = 200_000
_MOST_IN_A_LINE = 10_000

# A library prints nothing by itself: without a handler of the application's, nothing is shown.
logging.getLogger("nango_jupyter").addHandler(logging.NullHandler())


class _Redaction(logging.Filter):
    """Masks known secrets in a record, before any handler gets it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _text(record.msg, record.args), None
        if record.exc_info:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)))
        return True


def _text(msg: object, args: Any) -> str:
    """Put a message together as logging does, without its secrets; objects are masked by key."""
    if not isinstance(msg, str):
        msg = redact_value(msg)
    if isinstance(args, tuple):
        args = tuple(redact_value(value) for value in args)
    elif args:
        args = redact_value(args)
    try:
        return redact(str(msg) % args if args else str(msg))
    except Exception:  # the action's own format string: logging doesn't raise for it either
        return redact(f"{msg} {args}")


_REDACTION = _Redaction()


def redact_logger(name: str) -> logging.Logger:
    """Return the logger of this name; it masks secrets from now on."""
    logger = logging.getLogger(name)
    logger.addFilter(_REDACTION)  # adding the same one again does nothing
    return logger


def redact_handler(handler: logging.Handler) -> None:
    """Let a handler mask secrets in everything that it writes, whoever logged it."""
    handler.addFilter(_REDACTION)


class ExecutionLog:
    """The last lines that one execution logged; may be written from any thread."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque()
        self._characters = 0
        self._lock = threading.RLock()  # what is collected while it is held may log, too
        self.omitted = 0

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """What is kept; `omitted` lines came before."""
        with self._lock:
            return tuple(self._lines)

    def add(self, level: int, text: str) -> None:
        """Keep a line; the oldest ones go when there are too many."""
        if len(text) > _MOST_IN_A_LINE:
            text = f"{text[:_MOST_IN_A_LINE]}…"
        text = text.encode(errors="backslashreplace").decode()
        with self._lock:
            self._lines.append(LogLine(datetime.now(UTC), _level_name(level), text))
            self._characters += len(text)
            while len(self._lines) > _MOST_LINES or self._characters > _MOST_CHARACTERS:
                self._characters -= len(self._lines.popleft().text)
                self.omitted += 1


def _level_name(level: int) -> str:
    return _NAMES.get(level) or logging.getLevelName(level).lower()


@lru_cache(maxsize=1024)
def _action_logger(integration: str, action: str) -> logging.Logger:
    names = [name.replace(".", "_") for name in (integration, action)]
    return redact_logger(".".join(["nango_jupyter.action", *names]))


class ActionLogger(logging.LoggerAdapter[logging.Logger]):
    """The logger of one execution of an action.

    Its level is the integration's ``log_level``. What passes is kept in `kept`, for the reply, and
    goes to the Python logger ``nango_jupyter.action.INTEGRATION.ACTION`` with `integration`,
    `action`, `user_id` and `execution_id` on each record.
    """

    def __init__(
        self, integration: str, action: str, user_id: UserId, execution_id: str, level: int
    ) -> None:
        about = {
            "integration": integration,
            "action": action,
            "user_id": user_id,
            "execution_id": execution_id,
        }
        super().__init__(_action_logger(integration, action), about)
        self._level = level
        self.kept = ExecutionLog()

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of logging
        """Tell whether the integration's level lets this level pass."""
        return level >= self._level

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a message, as Python's loggers do."""
        if not self.isEnabledFor(level):
            return
        text = _text(msg, args[0] if _is_mapping(args) else args)
        stack = _stack(kwargs.get("exc_info"))
        self.kept.add(level, f"{text}\n{stack}" if stack else text)
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        self.logger.log(level, msg, *args, **kwargs)

    def warn(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at the reference's level ``warn``, which is Python's ``warning``."""
        self.log(logging.WARNING, msg, *args, **kwargs)

    def http(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at the reference's level ``http``, between info and verbose."""
        self.log(LEVELS["http"], msg, *args, **kwargs)

    def verbose(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at the reference's level ``verbose``, between http and debug."""
        self.log(LEVELS["verbose"], msg, *args, **kwargs)

    def silly(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at the reference's level ``silly``, below debug."""
        self.log(LEVELS["silly"], msg, *args, **kwargs)


def _is_mapping(args: tuple[object, ...]) -> bool:
    # logging's own rule: one mapping fills a format with names.
    return len(args) == 1 and isinstance(args[0], Mapping) and bool(args[0])


def _stack(exc_info: Any) -> str:
    """Return the traceback that a message asks for, without its secrets."""
    if isinstance(exc_info, BaseException):
        found: Any = (type(exc_info), exc_info, exc_info.__traceback__)
    elif isinstance(exc_info, tuple):
        found = exc_info
    else:
        found = sys.exc_info() if exc_info else (None, None, None)
    return redact("".join(traceback.format_exception(*found)).rstrip()) if found[0] else ""


class ActionLogFormatter(logging.Formatter):
    """The documented line: ``TIME LEVEL [INTEGRATION] [ACTION] [user-id: U] [exec ID: #ID] TEXT``.

    Records that are not an action's get ``TIME LEVEL TEXT``. Times are in UTC.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of logging
        """Put the line together."""
        parts = [self.formatTime(record), _level_name(record.levelno)]
        about = vars(record)
        if "execution_id" in about:
            parts += [f"[{about['integration']}]", f"[{about['action']}]"]
            parts += [f"[user-id: {about['user_id']}]", f"[exec ID: #{about['execution_id']}]"]
        # What came with a message begins no line: it could look like one of the log.
        head = _CONTROL.sub("�", " ".join(parts))
        return f"{head} {_LINE_END.sub(_INDENT, record.message)}"
