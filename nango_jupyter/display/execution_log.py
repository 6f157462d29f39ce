"""What a card tells of an execution: its notes, and its log, folded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nango_jupyter.display.limits import Limits
from nango_jupyter.display.values import clip, count

if TYPE_CHECKING:
    from nango_jupyter.executions import Execution, LogLine

__all__ = ["Log", "LogRow", "read_log"]


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line of the log: the time of day, the level, the text."""

    time: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """The log of an execution as it is drawn; `title` counts its lines; a result's is folded."""

    title: str = ""
    lines: tuple[LogRow, ...] = ()
    cut: str = ""
    notes: tuple[str, ...] = ()
    is_open: bool = False


def read_log(execution: Execution | None, limits: Limits) -> Log:
    """Make what is drawn of an execution; an empty log where a server told nothing."""
    if execution is None:
        return Log()
    total = len(execution.log) + execution.omitted
    lines = execution.log[-limits.log_lines :]
    return Log(
        title=f"{count(total, 'log line')}, exec ID #{_text(execution.id, limits.key_chars)}",
        lines=tuple(_row(line, limits) for line in lines),
        cut=f"showing the last {len(lines):,} of {total:,}" if len(lines) < total else "",
        notes=tuple(_text(note, limits.error_chars) for note in execution.notes),
    )


def _row(line: LogLine, limits: Limits) -> LogRow:
    milliseconds = line.time.microsecond // 1000
    time = f"{line.time:%H:%M:%S}.{milliseconds:03d}"
    return LogRow(time, _text(line.level, limits.key_chars), _text(line.text, limits.string_chars))


def _text(text: str, most: int) -> str:
    shown, was_cut = clip(text, most)
    return f"{shown}…" if was_cut else shown
