"""Opens the store's database: where it is, who may read it, and how its driver is set up."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import redact, remember

__all__ = [
    "cannot_open",
    "create_engine",
    "failures_of",
    "file_of",
    "is_in_memory",
    "reason_of",
    "sqlite_file",
]

_BUSY_SECONDS = 30
_CONNECT_SECONDS = 10
_OPTIONS: dict[str, Any] = {
    "hide_parameters": True,  # they are credentials, and would stand in error messages
    # Each call of the store is one statement. A transaction around it, and a rollback after it,
    # would be so many more trips to the database: with SQLite they double the time of a call.
    "isolation_level": "AUTOCOMMIT",
    "pool_reset_on_return": None,
}


def create_engine(url: str | None, folder: Path) -> AsyncEngine:
    """Make the engine for a store URL; without one, for a SQLite file in the folder.

    Raises
    ------
    NangoConfigError
        If the URL is none, its driver isn't installed, or the file can't be written.
    """
    try:
        address = _address(url, folder)
        if not address.get_dialect().is_async:
            name = address.drivername
            raise NangoConfigError(f"The store's driver {name} is not an async one", _URL_HINT)
        return _sqlite_engine(address) if _is_sqlite(address) else _network_engine(address)
    except OSError as error:
        where = error.filename or folder
        raise NangoConfigError(
            f"The store can't be written at {where}: {error.strerror}",
            "Is its folder there and writable? A URL gives the store another place.",
        ) from None
    except (ArgumentError, ValueError):  # the message would repeat the URL, with the password
        raise NangoConfigError("The store's URL can't be read", _URL_HINT) from None
    except (SQLAlchemyError, ImportError) as error:
        hint = _DRIVER_HINTS.get(getattr(error, "name", None) or "", _URL_HINT)
        raise NangoConfigError(f"The store's URL can't be used: {error}", hint) from None


_URL_HINT = (
    "For example sqlite+aiosqlite:////var/lib/nango.sqlite3, :memory:, or "
    "postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE."
)
_DRIVER_HINTS = {"asyncpg": 'Install it: pip install "nango-jupyter[postgres]"'}


def cannot_open(address: URL, error: BaseException) -> NangoConfigError:
    """Say that a database can't be used, without its password."""
    hint = "Is the place writable, and is the database one of this package?"
    if not _is_sqlite(address):
        hint = (
            "Does the database server run there, do user and password fit, and does the database "
            "exist?"
        )
    shown = redact(address.render_as_string())
    return NangoConfigError(f"The store {shown} can't be opened: {reason_of(error)}", hint)


def failures_of(engine: AsyncEngine) -> tuple[type[Exception], ...]:
    """Return what a statement may raise: SQLAlchemy wraps only most of the errors of asyncpg."""
    if engine.dialect.driver != "asyncpg":
        return (OSError, SQLAlchemyError)
    from asyncpg import InterfaceError, PostgresError

    return (OSError, SQLAlchemyError, InterfaceError, PostgresError)


def reason_of(error: BaseException) -> str:
    """Return what a database or its driver said, without the statement that it was about."""
    return redact(str(getattr(error, "orig", None) or error)) or "it didn't answer in time"


def is_in_memory(address: URL) -> bool:
    """Tell whether a database lives in this process alone, and ends with its one connection."""
    return _is_sqlite(address) and address.database in (None, "", ":memory:")


def sqlite_file(address: URL) -> str | None:
    """Return the path of a database that is a file with a plain name."""
    if not _is_sqlite(address) or is_in_memory(address):
        return None
    path = str(address.database)
    return None if path.startswith("file:") else path


def file_of(url: str) -> Path | None:
    """Return the path of the file that a store's URL names, if it is one."""
    try:
        path = sqlite_file(make_url(url))
    except SQLAlchemyError:
        return None
    return Path(path) if path else None


def _is_sqlite(address: URL) -> bool:
    return address.get_backend_name() == "sqlite"


def _address(url: str | None, folder: Path) -> URL:
    if url == ":memory:":
        return URL.create("sqlite+aiosqlite")
    if url is not None:
        return make_url(url)
    home = folder / ".nango-jupyter"
    home.mkdir(exist_ok=True)
    home.chmod(0o700)
    (home / ".gitignore").write_text("*\n")
    return URL.create("sqlite+aiosqlite", database=str(home / "connections.sqlite3"))


def _network_engine(address: URL) -> AsyncEngine:
    # A password that is the user's name as well hides nothing, and would blank it everywhere.
    if address.password and address.password not in (address.username, address.database):
        remember(address.password)
    limits = {"timeout": _CONNECT_SECONDS, "command_timeout": _BUSY_SECONDS}
    return create_async_engine(
        address,
        **_OPTIONS,
        connect_args=limits if address.get_driver_name() == "asyncpg" else {},
        # One more trip for each call: a connection that died meanwhile is replaced unnoticed.
        pool_pre_ping=True,
    )


def _sqlite_engine(address: URL) -> AsyncEngine:
    # aiosqlite logs statements with their values, the credentials, at debug.
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    in_memory = is_in_memory(address)
    options: dict[str, Any] = {
        **_OPTIONS,
        "connect_args": {"timeout": _BUSY_SECONDS},
        # In memory, a second connection would be a second, empty database.
        "poolclass": StaticPool if in_memory else AsyncAdaptedQueuePool,
    }
    engine = create_async_engine(address, **options)
    if not in_memory:
        event.listen(engine.sync_engine, "connect", _set_up_file)
    if path := sqlite_file(address):
        _create_for_owner(path)
    return engine


def _create_for_owner(path: str) -> None:
    """Create the file for its owner alone; SQLite gives its -wal and -shm the same mode.

    One that is there is not so much as opened: closing it would drop the locks that other
    connections of this process have on it.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for name in (path, f"{path}-wal", f"{path}-shm"):  # a copy, or a umask, may have changed it
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(name).chmod(0o600)


def _set_up_file(connection: Any, _: object) -> None:
    """Let readers and a writer work at once, also from several processes."""
    cursor = connection.cursor()
    # What was overwritten is wiped: credentials that are encrypted now must not stay readable.
    cursor.execute("PRAGMA secure_delete=ON")
    # The file remembers its mode. Of several servers that start on a new file at once, one
    # switches it, and SQLite refuses the others without waiting: they need do no more.
    with contextlib.suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
