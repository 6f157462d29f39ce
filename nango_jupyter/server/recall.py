"""Remembers what was read from a database, for as long as nobody has written to it."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["FileVersion", "Recall"]

_T = TypeVar("_T")

_MOST = 1024


class Recall(Generic[_T]):
    """A bounded memory, emptied by any change of what it was read from.

    Ask `get` first. If it has nothing, take `version`, read, and `keep` what was read: what a
    write may have overtaken meanwhile is not kept.

    Parameters
    ----------
    look : callable
        Returns a number that changes with each write, or None if that can't be told just now;
        nothing is remembered then.
    most : int
        How many values are kept: those used last.
    """

    def __init__(self, look: Callable[[], int | None], most: int = _MOST) -> None:
        self._look = look
        self._most = most
        self._kept: OrderedDict[Hashable, _T] = OrderedDict()
        self.version: int | None = None

    def get(self, key: Hashable) -> _T | None:
        """Return what was kept, if it is still what a read would find."""
        version = self._look()
        if version is None or version != self.version:
            self._kept.clear()
            self.version = version
            return None
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, value: _T, version: int | None) -> None:
        """Remember a value that was read when `version` was this."""
        if version is None or version != self.version:
            return
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


class FileVersion:
    """Tells whether an SQLite file was written to, by whatever process, in a few microseconds.

    SQLite counts for each connection the commits of all others. So this one never writes; it
    looks into the shared memory of the write-ahead log, in the caller's own thread.

    Parameters
    ----------
    path : str
        A database that exists.
    """

    def __init__(self, path: str) -> None:
        # Without waiting: where a lock is in the way, the store asks the database itself.
        self._connection = sqlite3.connect(
            path, timeout=0, isolation_level=None, check_same_thread=False
        )

    def __call__(self) -> int | None:
        """Return a number that changes with each commit; None if it can't be told."""
        with suppress(sqlite3.Error):
            [(version,)] = self._connection.execute("PRAGMA data_version")
            return int(version)
        return None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
