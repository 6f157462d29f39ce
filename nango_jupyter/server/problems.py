"""What is wrong with an integrations folder, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nango_jupyter.exceptions import NangoConfigError

__all__ = ["Problem", "in_order", "unusable"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file; `str` gives ``file:line: text``.

    Attributes
    ----------
    file : str
        From the folder on, with slashes.
    line : int or None
        Counted from 1; None where no line is to blame.
    text : str
    """

    file: str
    line: int | None
    text: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.text}"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort problems by file and line."""
    return sorted(problems, key=lambda problem: (problem.file, problem.line or 0))


def unusable(folder: Path, problems: Iterable[Problem]) -> NangoConfigError:
    """Return the error that lists everything that is wrong with a folder."""
    listed = "".join(f"\n- {problem}" for problem in in_order(problems))
    return NangoConfigError(f"The integrations folder {folder} can't be used:{listed}")
