"""What a server tells of one execution of an action: a key of ours beside the reference's three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nango_jupyter.secrets import redact

__all__ = ["Execution", "LogLine"]


@dataclass(frozen=True)
class LogLine:
    """One line that an action logged.

    Attributes
    ----------
    time : datetime.datetime
        In UTC.
    level : str
        One of the reference's: error, warn, info, http, verbose, debug, silly.
    text : str
        With secrets masked.
    """

    time: datetime
    level: str
    text: str

    def __str__(self) -> str:
        return f"{_write_time(self.time)} {self.level} {self.text}"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution of an action, as the server saw it.

    The original clients ignore it, and the original servers don't send it.

    Attributes
    ----------
    id : str
        The ``exec ID`` of the server's log.
    start : datetime.datetime
        In UTC.
    duration : float
        In seconds: of the action alone, without the way there and back.
    log : tuple of LogLine
        What the action logged, at the integration's ``log_level`` and above.
    omitted : int
        How many lines are missing before the first one of `log`.
    notes : tuple of str
        What the caller should know, such as that a broken file's previous version was run.
    """

    id: str
    start: datetime
    duration: float
    log: tuple[LogLine, ...] = ()
    omitted: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def from_wire(cls, found: Any) -> Execution | None:
        """Read what came with a reply; None for anything that is not ours."""
        if not isinstance(found, Mapping):
            return None
        try:
            return cls(
                id=str(found["id"]),
                start=_read_time(found["start"]),
                duration=float(found["duration"]),
                log=tuple(_read_line(line) for line in found.get("log", ())),
                omitted=int(found.get("omitted", 0)),
                notes=tuple(redact(str(note)) for note in found.get("notes", ())),
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return None

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the wire; what is empty is left out."""
        found: dict[str, Any] = {
            "id": self.id,
            "start": _write_time(self.start),
            "duration": self.duration,
        }
        if self.log:
            found["log"] = [
                {"time": _write_time(line.time), "level": line.level, "text": line.text}
                for line in self.log
            ]
        if self.omitted:
            found["omitted"] = self.omitted
        if self.notes:
            found["notes"] = list(self.notes)
        return found


def _read_line(found: Mapping[str, Any]) -> LogLine:
    # Masked once more: this process may know secrets that the server does not.
    return LogLine(_read_time(found["time"]), str(found["level"]), redact(str(found["text"])))


def _read_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _write_time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
