"""Opens the store's database: where it is, who may read it, and how SQLite is set up."""

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

__all__ = ["cannot_open", "create_engine"]

_BUSY_SECONDS = 30
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
        if address.get_backend_name() == "sqlite":
            return _sqlite_engine(address)
        return create_async_engine(address, **_OPTIONS, pool_pre_ping=True)
    except OSError as error:
        raise NangoConfigError(
            f"The store can't be written in {folder}: {error.strerror}",
            "Make the folder writable, or give the store another place by its URL.",
        ) from None
    except (ArgumentError, ValueError):  # the message would repeat the URL, with the password
        raise NangoConfigError("The store's URL can't be read", _URL_HINT) from None
    except (SQLAlchemyError, ImportError) as error:
        raise NangoConfigError(f"The store's URL can't be used: {error}", _URL_HINT) from None


_URL_HINT = "For example sqlite+aiosqlite:////var/lib/nango.sqlite3, or :memory:."


def cannot_open(address: URL, error: BaseException) -> NangoConfigError:
    """Say that a database can't be used, without its password."""
    reason = str(getattr(error, "orig", None) or error)
    return NangoConfigError(
        f"The store {address.render_as_string()} can't be opened: {reason}",
        "Is the place writable, and is the database one of this package?",
    )


def _address(url: str | None, folder: Path) -> URL:
    if url == ":memory:":
        return URL.create("sqlite+aiosqlite")
    if url is not None:
        return make_url(url)
    home = folder / ".nango-jupyter"
    home.mkdir(mode=0o700, exist_ok=True)
    (home / ".gitignore").write_text("*\n")
    return URL.create("sqlite+aiosqlite", database=str(home / "connections.sqlite3"))


def _sqlite_engine(address: URL) -> AsyncEngine:
    # aiosqlite logs statements with their values, the credentials, at debug.
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    in_file = bool(address.database) and address.database != ":memory:"
    options: dict[str, Any] = {
        **_OPTIONS,
        "connect_args": {"timeout": _BUSY_SECONDS},
        # In memory, a second connection would be a second, empty database.
        "poolclass": AsyncAdaptedQueuePool if in_file else StaticPool,
    }
    engine = create_async_engine(address, **options)
    if in_file:
        event.listen(engine.sync_engine, "connect", _use_wal)
        if not str(address.database).startswith("file:"):
            # Created here, for the owner alone; SQLite gives its -wal and -shm the same mode.
            os.close(os.open(str(address.database), os.O_RDWR | os.O_CREAT, 0o600))
    return engine


def _use_wal(connection: Any, _: object) -> None:
    """Let readers and a writer work at once, also from several processes."""
    cursor = connection.cursor()
    # The file remembers its mode. Of several servers that start on a new file at once, one
    # switches it, and SQLite refuses the others without waiting: they need do no more.
    with contextlib.suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
