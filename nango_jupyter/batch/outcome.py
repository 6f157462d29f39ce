"""How a batch goes, and how it ends."""

from __future__ import annotations

import time

__all__ = ["Outcome"]


class Outcome:
    """How a batch goes, and how it ends.

    Attributes
    ----------
    begun : float or None
        When.
    ran : int
        How many rows are done.
    reason : str
        Why no more rows are begun; "" if there is no reason.
    error : Exception or None
        The one that is the reason.
    interrupt : BaseException or None
        What the user's own code raised to leave Python, or as Stop does.
    is_complete : bool
        Whether all rows were read.
    is_settled : bool
        Whether nothing changes any more.
    """

    def __init__(self) -> None:
        self.begun: float | None = None
        self.ran = 0
        self.reason = ""
        self.error: Exception | None = None
        self.interrupt: BaseException | None = None
        self.is_complete = False
        self.is_settled = False
        self._ended: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether no more rows are begun."""
        return bool(self.reason) or self.is_settled

    @property
    def duration(self) -> float:
        """How long it took, or has taken so far, in seconds."""
        if self.begun is None:
            return 0.0
        return (self._ended or time.perf_counter()) - self.begun

    def stop(self, reason: str, error: Exception | None = None) -> None:
        """Begin no more rows; the first reason counts."""
        if not self.reason:
            self.reason, self.error = reason, error

    def end(self) -> None:
        """Note that nothing changes any more."""
        self._ended = time.perf_counter()
        self.is_settled = True
