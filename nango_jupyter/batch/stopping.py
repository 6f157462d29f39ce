"""Lets Stop strike in the user's own code, which may block the event loop."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["StopPressed", "stoppable"]

# What the module signal is made of. Its own functions look for an enum of each handler, and write
# an error message when they find none: 0.2 ms, and for each row.
_signal: Any = importlib.import_module("_signal")


class StopPressed(BaseException):
    """Stop, or Ctrl-C, was pressed while the user's own code ran."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `StopPressed` inside when Stop is pressed, after whoever is told of it usually.

    What waits on the loop is cancelled by the loop; but a generator that waits for its database
    would go on until it has a row. The user's code is the one place where an exception can strike:
    in the middle of ours it would break a connection.
    """
    usual = _signal.getsignal(_signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield
        return

    def strike(number: int, frame: FrameType | None) -> None:
        usual(number, frame)
        raise StopPressed

    _signal.signal(_signal.SIGINT, strike)
    try:
        yield
    finally:
        _signal.signal(_signal.SIGINT, usual)
