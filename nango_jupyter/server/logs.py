"""What actions log: the reference's levels, secrets masked, and the documented line."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

from nango_jupyter.messages import UserId
from nango_jupyter.secrets import redact, redact_value

__all__ = ["LEVELS", "ActionLogFormatter", "ActionLogger", "redact_logger"]

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

_NAMES = {number: name for name, number in LEVELS.items()}

# A library prints nothing by itself: without a handler of the application's, nothing is shown.
logging.getLogger("nango_jupyter").addHandler(logging.NullHandler())


class _Redaction(logging.Filter):
    """Masks known secrets in a record, before any handler gets it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            if isinstance(record.args, tuple):  # objects are masked by their keys, too
                record.args = tuple(redact_value(value) for value in record.args)
            record.msg, record.args = redact(record.getMessage()), None
        except Exception:  # the action's own format string: logging doesn't raise for it either
            record.msg, record.args = redact(f"{record.msg} {record.args}"), None
        if record.exc_info:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)))
        return True


_REDACTION = _Redaction()


def redact_logger(name: str) -> logging.Logger:
    """Return the logger of this name; it masks secrets from now on."""
    logger = logging.getLogger(name)
    logger.addFilter(_REDACTION)  # adding the same one again does nothing
    return logger


class ActionLogger(logging.LoggerAdapter[logging.Logger]):
    """The logger of one execution of an action.

    Its level is the integration's ``log_level``; what passes goes to the Python logger
    ``nango_jupyter.action.INTEGRATION.ACTION`` with `integration`, `action`, `user_id` and
    `execution_id` on each record.
    """

    def __init__(
        self, integration: str, action: str, user_id: UserId, execution_id: str, level: int
    ) -> None:
        names = [name.replace(".", "_") for name in (integration, action)]
        about = {
            "integration": integration,
            "action": action,
            "user_id": user_id,
            "execution_id": execution_id,
        }
        super().__init__(redact_logger(".".join(["nango_jupyter.action", *names])), about)
        self._level = level

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of logging
        """Tell whether both the integration's level and Python's let this level pass."""
        return level >= self._level and super().isEnabledFor(level)

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Add what each record carries to what the action's own `extra` says."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        return msg, kwargs

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


class ActionLogFormatter(logging.Formatter):
    """The documented line: ``TIME LEVEL [INTEGRATION] [ACTION] [user-id: U] [exec ID: #ID] TEXT``.

    Records that are not an action's get ``TIME LEVEL TEXT``. Times are in UTC.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of logging
        """Put the line together."""
        level = _NAMES.get(record.levelno, record.levelname.lower())
        parts = [self.formatTime(record), level]
        about = vars(record)
        if "execution_id" in about:
            parts += [f"[{about['integration']}]", f"[{about['action']}]"]
            parts += [f"[user-id: {about['user_id']}]", f"[exec ID: #{about['execution_id']}]"]
        return " ".join([*parts, record.message])
