"""``[tool.nango-jupyter]`` of pyproject.toml, and ``[tool.nango-jupyter.connections.NAME]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.preferences.sources import CONNECTION_KEYS, COUNTS, PLACES, Source, check, shown
from nango_jupyter.secrets import is_secret_name, redact, remember
from nango_jupyter.settings import password_in
from nango_jupyter.suggestions import did_you_mean

__all__ = ["Project", "ProjectFile"]

_FILE = "pyproject.toml"
_TABLE = "nango-jupyter"
_HINT = (
    "The file is committed with the project. Put the password into an environment variable and "
    'its name here, as password-env = "NAME"; or into the keyring: '
    "keyring set nango-jupyter USER@HOST:PORT."
)


class Project(NamedTuple):
    """What pyproject.toml says."""

    path: Path | None
    table: Source
    connections: Mapping[str, Source]


_NOTHING = Project(None, Source({}, str, is_table=True), {})


class ProjectFile:
    """The nearest pyproject.toml with a table of ours; read again when it has changed."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, ...], Project]] = {}

    def read(self) -> Project:
        """Return what it says; nothing if there is none."""
        try:
            folder = self._folder()
        except OSError:  # it was removed while the kernel runs
            return _NOTHING
        for path in _candidates(folder):
            found = self._of(path)
            if found is not _NOTHING:
                return found
        return _NOTHING

    def _of(self, path: Path) -> Project:
        try:
            status = path.stat()
        except OSError:
            return _NOTHING
        if not S_ISREG(status.st_mode):
            return _NOTHING
        signature = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._read.get(path)
        if known is None or known[0] != signature:
            known = self._read[path] = signature, _read_project(path)
        return known[1]


@lru_cache(maxsize=8)
def _candidates(folder: Path) -> list[Path]:
    return [above / _FILE for above in (folder, *folder.parents)]


def _read_project(path: Path) -> Project:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise NangoUsageError(
            f"{path} can't be read: {error.strerror}", "It may say where to connect."
        ) from None
    if _TABLE.encode() not in raw:
        return _NOTHING  # somebody else's, in whatever state it is
    table = _parse(path, raw).get("tool", {})
    table = table.get(_TABLE) if isinstance(table, dict) else None
    if table is None:
        return _NOTHING
    connections = table.pop("connections", {}) if isinstance(table, dict) else {}
    if not isinstance(connections, dict):
        raise NangoUsageError(
            f"connections in {path} is {shown(connections)}",
            f"Write a table for each: [tool.{_TABLE}.connections.NAME].",
        )
    return Project(
        path,
        _table(path, table, "", (*CONNECTION_KEYS, *COUNTS)),
        {
            name: _table(path, found, f"connections.{name}.", CONNECTION_KEYS)
            for name, found in connections.items()
        },
    )


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(raw.decode())
    except UnicodeDecodeError:
        raise NangoUsageError(f"{path} is not UTF-8", "Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        reason, _, place = redact(str(error)).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = int(line[1]) if line else raw.count(b"\n") + 1
        raise NangoUsageError(f"{path}:{number} is not TOML: {reason}", "Mend it.") from None


def _table(path: Path, values: object, prefix: str, known: Sequence[str]) -> Source:
    def label(key: str) -> str:
        return f"{prefix}{key} in {path}"

    if not isinstance(values, dict):
        raise NangoUsageError(f"{label('')} is {shown(values)}", "Write a table.")
    for key, value in values.items():
        if is_secret_name(key):
            remember(value if isinstance(value, str) else "")
            raise NangoUsageError(f"{path} holds a password: {prefix}{key}", _HINT)
        if key not in known:
            guess = did_you_mean(key, [*known, "connections"]) or f"Known are {', '.join(known)}."
            raise NangoUsageError(f"There is no setting {label(redact(key))}", guess)
        check(key, value, label(key))
    if password := password_in(values.get("url", "")):
        remember(password)
        raise NangoUsageError(f"{path} holds a password: {prefix}url", _HINT)
    places = [key for key in PLACES if key in values]
    if len(places) > 1:
        raise NangoUsageError(
            f"{label(' and '.join(places))} don't go together", "Keep one of them."
        )
    if isinstance(folder := values.get("local"), str):
        with suppress(RuntimeError):  # ~somebody who is not known here
            folder = str(Path(folder).expanduser())
        values = {**values, "local": str(path.parent / folder)}
    return Source(values, label, is_table=True)
