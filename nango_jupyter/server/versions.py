"""Tells, at the price of one `stat`, whether a file is still what it was when it was read."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["TrackedFile"]

# File systems count time in steps, some of 2 s: two writes within one step may leave the same
# stamp. So a file that had been written shortly before it was read is compared byte by byte.
_STEP_NS = 2_500_000_000

_Stamp = tuple[int, int, int, int, int]


class TrackedFile:
    """A file, and what it held when it was last read.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = os.fspath(path)
        self._stamp: _Stamp | None = None
        self._content: bytes | None = None
        self._is_settled = True

    def read(self) -> bytes | None:
        """Read the file; None if there is none, or nothing that can be read like one.

        Raises
        ------
        OSError
            If it can't be read.
        """
        self.pass_over()  # before reading: what is written in between is seen later
        self._is_settled = self._has_settled()
        if self._stamp is not None and self._path.is_file():
            self._content = self._path.read_bytes()
        return self._content

    def pass_over(self) -> None:
        """Note the file as it is without reading it: a named pipe would make us wait."""
        self._stamp, self._content, self._is_settled = _stamp(self._name), None, True

    def is_unchanged(self) -> bool:
        """Tell whether the file is still what it was at the last `read` or `pass_over`."""
        if _stamp(self._name) != self._stamp:
            return False
        return self._is_settled or self._is_same()

    def _has_settled(self) -> bool:
        return self._stamp is None or time.time_ns() - max(self._stamp[2:4]) > _STEP_NS

    def _is_same(self) -> bool:
        has_settled = self._has_settled()
        try:
            content = self._path.read_bytes()
        except OSError:
            return self._content is None
        if content != self._content:
            return False
        self._is_settled = has_settled
        return True


def _stamp(name: str) -> _Stamp | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - Path.stat costs twice as much, for each trigger
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
