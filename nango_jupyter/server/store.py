"""Keeps the connections, with their credentials, in a database."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Executable, Row, Select, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateTable

from nango_jupyter.exceptions import NangoClosedError, NangoError
from nango_jupyter.messages import NangoConnection, UserId
from nango_jupyter.server import tables
from nango_jupyter.server.database import (
    cannot_open,
    create_engine,
    failures_of,
    is_in_memory,
    reason_of,
    sqlite_file,
)
from nango_jupyter.server.encryption import Cipher
from nango_jupyter.server.logs import redact_logger
from nango_jupyter.server.recall import FileVersion, Recall
from nango_jupyter.wire_json import encode

__all__ = ["ConnectionStore", "StoredConnection"]

log = redact_logger(__name__)

_T = TypeVar("_T")

_REMEMBERED_LENGTH = 10_000  # of one connection's texts: a thousand of them must fit into memory


@dataclass(frozen=True, kw_only=True)
class StoredConnection(NangoConnection):
    """A connection with its credentials, which never leave the server."""

    credentials: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Readable:
    """A connection as it is remembered: what could be changed in place is text."""

    fields: Mapping[str, Any]
    additional_config: str | None
    credentials: str = field(repr=False)

    def connection(self) -> StoredConnection:
        return StoredConnection(
            **self.fields,
            additional_config=_value(self.additional_config),
            credentials=_value(self.credentials),
        )

    def is_small(self) -> bool:
        texts = (self.fields["user_id"], self.additional_config, self.credentials)
        return sum(len(str(one)) for one in texts) <= _REMEMBERED_LENGTH


class ConnectionStore:
    """The connections of one server, or of several on one database.

    Parameters
    ----------
    url : str or None
        ``:memory:``, or a URL of SQLAlchemy for an async driver: of SQLite or PostgreSQL. None
        is a SQLite file in `folder`.
    folder : Path
        The integrations folder.
    encryption_key : str, optional
        Fernet keys, separated by commas: credentials are written with the first, and read with
        whichever fits. Without one they are written as they are.

    Raises
    ------
    NangoConfigError
        If a key is none.
    """

    def __init__(self, url: str | None, folder: Path, *, encryption_key: str | None = None) -> None:
        self._url = url
        self._folder = folder
        self._cipher = Cipher(encryption_key)
        self._owner = str(uuid4())  # of what this store claims
        self._engine: AsyncEngine | None = None
        self._failures: tuple[type[Exception], ...] = ()
        self._watch: FileVersion | None = None
        self._writes = 0
        self._recall: Recall[_Readable] = Recall(self._version)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Connect, and create the tables if they aren't there.

        Raises
        ------
        NangoConfigError
            If the database can't be used, or credentials in it can't be decrypted.
        """
        engine = create_engine(self._url, self._folder)
        self._failures = failures_of(engine)
        # The last two: the options in a URL go to the driver as they are.
        expected: tuple[type[Exception], ...]
        expected = (*self._failures, sqlite3.Error, TypeError, ValueError)
        try:
            async with engine.connect() as connection:
                await _create_tables(connection)
            path = sqlite_file(engine.url)
            self._watch = FileVersion(path) if path else None
        except expected as error:
            await engine.dispose()
            raise cannot_open(engine.url, error) from None
        self._engine = engine
        self._recall = Recall(self._version)  # what an earlier database had is forgotten
        try:
            await self._check_key()
        except NangoError:
            await self.close()
            raise

    async def close(self) -> None:
        """Let what is under way end, and disconnect; closing twice does nothing."""
        engine, self._engine = self._engine, None
        watch, self._watch = self._watch, None
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if watch:
            watch.close()
        if engine:
            await engine.dispose()

    async def add(
        self,
        integration: str,
        user_id: UserId,
        credentials: Mapping[str, Any],
        additional_config: Mapping[str, Any] | None,
    ) -> bool:
        """Add a connection; False if this user has one for this integration."""
        values = {
            "uuid": str(uuid4()),
            "integration": integration,
            "user_id": json.dumps(user_id),
            "credentials": self._encrypted(credentials),
            "additional_config": _text(additional_config, "additionalConfig"),
            "now": _now(),
        }
        return await self._finish(self._write(tables.ADD, values)) > 0

    async def find(self, integration: str, user_id: UserId) -> StoredConnection | None:
        """Return a user's connection for an integration, if there is one.

        One that was found before is returned at once, unless the database was written to since.

        Raises
        ------
        NangoConfigError
            If its credentials can't be decrypted.
        """
        pair = _pair(integration, user_id)
        key = tuple(pair.values())
        if (known := self._recall.get(key)) is not None:
            return known.connection()
        version = self._recall.version
        rows = await self._finish(self._read(tables.FIND, pair))
        if not rows:
            return None
        [row] = rows
        credentials = self._cipher.decrypt(row.credentials)
        found = _Readable(_fields(row), row.additional_config, credentials)
        if found.is_small():
            self._recall.keep(key, found, version)
        return found.connection()

    async def of_user(self, user_id: UserId) -> list[NangoConnection]:
        """Return a user's connections, the oldest first."""
        return await self._list(tables.OF_USER, {"of_user": json.dumps(user_id)})

    async def of_integration(self, integration: str) -> list[NangoConnection]:
        """Return an integration's connections, the oldest first."""
        return await self._list(tables.OF_INTEGRATION, {"of_integration": integration})

    async def users(self, integration: str, limit: int) -> list[UserId]:
        """Return users who have a connection to an integration, the newest first."""
        values = {"of_integration": integration, "most": limit}
        rows = await self._finish(self._read(tables.USERS, values))
        return [json.loads(row.user_id) for row in rows]

    async def set_credentials(
        self, integration: str, user_id: UserId, credentials: Mapping[str, Any]
    ) -> bool:
        """Replace a connection's credentials; False if there is no such connection."""
        changed = {"credentials": self._encrypted(credentials)}
        return await self._update(integration, user_id, changed)

    async def set_config(
        self, integration: str, user_id: UserId, additional_config: Mapping[str, Any]
    ) -> bool:
        """Replace a connection's additional config; False if there is no such connection."""
        changed = {"additional_config": _text(additional_config, "additionalConfig")}
        return await self._update(integration, user_id, changed)

    async def claim_refresh(self, connection: StoredConnection, seconds: float) -> bool:
        """Claim to be the one who refreshes a connection's credentials.

        Whoever did should `find` the connection again: another may just have refreshed it.

        Parameters
        ----------
        connection : StoredConnection
        seconds : float
            When the claim ends by itself, should its owner die.

        Returns
        -------
        bool
            False if somebody, or this store itself, has claimed it already.
        """
        values = {"uuid": connection.uuid, "owner": self._owner, "seconds": seconds}
        statement = tables.claim(self._opened().dialect.name)
        return await self._finish(self._write(statement, values)) > 0

    async def release_refresh(self, connection: StoredConnection) -> None:
        """Give up a claim; one that ended, and is another's now, stays."""
        values = {"of_uuid": connection.uuid, "of_owner": self._owner}
        await self._finish(self._write(tables.RELEASE, values))

    async def rotate(self) -> int:
        """Encrypt all credentials with the first key, those too that were not encrypted before.

        Servers may run meanwhile, with that key as their first one. What the database itself
        keeps of rows as they were is wiped on SQLite; PostgreSQL wipes it with its next vacuum.

        Returns
        -------
        int
            How many connections were encrypted anew.

        Raises
        ------
        NangoConfigError
            If there is no key, or none that a connection was encrypted with.
        """
        renewed = 0
        async for row in self._credentials(tables.ALL_CREDENTIALS):
            new = self._cipher.renew(row.credentials)
            if new is not None:
                values = {"of_id": row.id, "old": row.credentials, "new": new}
                renewed += await self._finish(self._write(tables.RECRYPT, values))
        if self._watch:
            await self._finish(self._write(text("PRAGMA wal_checkpoint(TRUNCATE)"), {}))
        return renewed

    async def _check_key(self) -> None:
        async for row in self._credentials(tables.ENCRYPTED):
            self._cipher.decrypt(row.credentials)

    async def _credentials(self, statement: Select[Any]) -> AsyncIterator[Row[Any]]:
        after = 0
        while rows := await self._finish(self._read(statement, {"after": after})):
            for row in rows:
                yield row
            after = rows[-1].id

    async def _update(self, integration: str, user_id: UserId, changed: Mapping[str, Any]) -> bool:
        values = {**changed, "last_modified": _now()}
        statement = update(tables.CONNECTIONS).where(tables.IS_PAIR).values(values)
        return await self._finish(self._write(statement, _pair(integration, user_id))) > 0

    async def _list(
        self, statement: Select[Any], parameters: Mapping[str, str]
    ) -> list[NangoConnection]:
        rows = await self._finish(self._read(statement, parameters))
        return [
            NangoConnection(**_fields(row), additional_config=_value(row.additional_config))
            for row in rows
        ]

    def _encrypted(self, credentials: Mapping[str, Any]) -> str:
        return self._cipher.encrypt(encode(credentials, "credentials").decode())

    def _version(self) -> int | None:
        """Return what changes with each write; None if only the database itself can tell."""
        if self._watch:
            return self._watch()
        is_ours_alone = self._engine is not None and is_in_memory(self._engine.url)
        return self._writes if is_ours_alone else None

    async def _finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Let a statement end even when its caller is cancelled, and say in short why it failed.

        SQLAlchemy closes a connection whose statement was cancelled, and a database in memory
        ends with its connection: one request given up would lose everybody's connections.
        """
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(task)
        except self._failures as error:
            failure = NangoError(
                f"The store failed: {reason_of(error)}",
                "Does the database run, and does its disk have room?",
            )
            log.error("%s", failure.message)  # noqa: TRY400
            raise failure from None

    async def _read(self, statement: Select[Any], values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        async with self._connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(statement, values)).all()
            return rows

    async def _write(self, statement: Executable, values: Mapping[str, Any]) -> int:
        try:
            async with self._connect() as connection:
                return (await connection.execute(statement, values)).rowcount
        finally:
            self._writes += 1

    def _connect(self) -> AsyncConnection:
        return self._opened().connect()

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            raise NangoClosedError("The store is closed")
        return self._engine


async def _create_tables(connection: AsyncConnection) -> None:
    for table in (tables.CONNECTIONS, tables.REFRESHES):
        refusal: DBAPIError | None = None
        try:
            await connection.execute(CreateTable(table, if_not_exists=True))
        except DBAPIError as error:
            # Several servers that start at once find no table; PostgreSQL lets one create it, and
            # fails the others when it is there.
            refusal = error
        try:
            await connection.execute(select(table).limit(1))  # is it ours?
        except DBAPIError as error:
            raise refusal or error from None


def _pair(integration: str, user_id: UserId) -> dict[str, str]:
    return {"of_integration": integration, "of_user": json.dumps(user_id)}


def _fields(row: Row[Any]) -> dict[str, Any]:
    return {
        "uuid": row.uuid,
        "user_id": json.loads(row.user_id),
        "integration": row.integration,
        "date_created": row.date_created.replace(tzinfo=UTC),
        "last_modified": row.last_modified.replace(tzinfo=UTC),
    }


def _value(stored: str | None) -> Any:
    return None if stored is None else json.loads(stored)


def _text(value: Mapping[str, Any] | None, name: str) -> str | None:
    return None if value is None else encode(value, name).decode()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
