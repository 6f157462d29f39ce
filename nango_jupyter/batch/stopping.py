"""Lets Stop strike in the user's own code, which may block the event loop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopPressed", "stoppable"]


class StopPressed(BaseException):
    """Stop, or Ctrl-C, was pressed while the user's own code ran."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `StopPressed` inside when Stop is pressed, after whoever is told of it usually.

    What waits on the loop is cancelled by the loop; but a generator that waits for its database
    would go on until it has a row. The user's code is the one place where an exception can strike:
    in the middle of ours it would break a connection.
    """
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield
        return

    def strike(number: int, frame: FrameType | None) -> None:
        usual(number, frame)
        raise StopPressed

    signal.signal(signal.SIGINT, strike)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
