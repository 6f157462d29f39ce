"""Keeps the connections, with their credentials, in a database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import (
    Column,
    DateTime,
    Insert,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    Update,
    and_,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateTable

from nango_jupyter.exceptions import NangoClosedError
from nango_jupyter.messages import NangoConnection, UserId
from nango_jupyter.server.database import cannot_open, create_engine
from nango_jupyter.wire_json import encode

__all__ = ["ConnectionStore", "StoredConnection"]

_T = TypeVar("_T")

_CONNECTIONS = Table(
    "connections",
    MetaData(),
    Column("id", Integer, primary_key=True),  # also the order of creation
    Column("uuid", String(36), nullable=False, unique=True),
    Column("integration", Text, nullable=False),
    # As JSON: user 1 and user "1" are two users. The original servers keep text, and give the
    # number 1 back as "1.0", under which nobody knows that user; here it comes back as it was.
    Column("user_id", Text, nullable=False),
    Column("credentials", Text, nullable=False),
    Column("additional_config", Text),
    Column("date_created", DateTime, nullable=False),
    Column("last_modified", DateTime, nullable=False),
    # The database decides which of two servers registered first.
    UniqueConstraint("integration", "user_id"),
)
_IS_USER = _CONNECTIONS.c.user_id == bindparam("of_user")
_IS_INTEGRATION = _CONNECTIONS.c.integration == bindparam("of_integration")
_IS_PAIR = and_(_IS_INTEGRATION, _IS_USER)
_OLDEST_FIRST = select(_CONNECTIONS).order_by(_CONNECTIONS.c.id)
_FIND = _OLDEST_FIRST.where(_IS_PAIR)
_OF_USER = _OLDEST_FIRST.where(_IS_USER)
_OF_INTEGRATION = _OLDEST_FIRST.where(_IS_INTEGRATION)


@dataclass(frozen=True, kw_only=True)
class StoredConnection(NangoConnection):
    """A connection with its credentials, which never leave the server."""

    credentials: dict[str, Any] = field(repr=False)


class ConnectionStore:
    """The connections of one server, or of several on one database.

    Parameters
    ----------
    url : str or None
        ``:memory:``, or a URL of SQLAlchemy for an async driver. None is a SQLite file in
        `folder`.
    folder : Path
        The integrations folder.
    """

    def __init__(self, url: str | None, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._engine: AsyncEngine | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Connect, and create the table if it isn't there.

        Raises
        ------
        NangoConfigError
            If the database can't be used.
        """
        engine = create_engine(self._url, self._folder)
        try:
            async with engine.connect() as connection:
                await connection.execute(CreateTable(_CONNECTIONS, if_not_exists=True))
                await connection.execute(select(_CONNECTIONS).limit(1))  # is it ours?
        except (OSError, SQLAlchemyError) as error:
            await engine.dispose()
            raise cannot_open(engine.url, error) from None
        self._engine = engine

    async def close(self) -> None:
        """Let what is under way end, and disconnect; closing twice does nothing."""
        engine, self._engine = self._engine, None
        await asyncio.gather(*self._under_way, return_exceptions=True)
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
        now = _now()
        values = {
            "uuid": str(uuid4()),
            "integration": integration,
            "user_id": json.dumps(user_id),
            "credentials": _text(credentials, "credentials"),
            "additional_config": _text(additional_config, "additionalConfig"),
            "date_created": now,
            "last_modified": now,
        }
        try:
            await self._finish(self._write(insert(_CONNECTIONS), values))
        except IntegrityError:
            return False
        return True

    async def find(self, integration: str, user_id: UserId) -> StoredConnection | None:
        """Return a user's connection for an integration, if there is one."""
        found = await self._select(_FIND, _pair(integration, user_id))
        return found[0] if found else None

    async def of_user(self, user_id: UserId) -> list[StoredConnection]:
        """Return a user's connections, the oldest first."""
        return await self._select(_OF_USER, {"of_user": json.dumps(user_id)})

    async def of_integration(self, integration: str) -> list[StoredConnection]:
        """Return an integration's connections, the oldest first."""
        return await self._select(_OF_INTEGRATION, {"of_integration": integration})

    async def set_credentials(
        self, integration: str, user_id: UserId, credentials: Mapping[str, Any]
    ) -> bool:
        """Replace a connection's credentials; False if there is no such connection."""
        changed = {"credentials": _text(credentials, "credentials")}
        return await self._update(integration, user_id, changed)

    async def set_config(
        self, integration: str, user_id: UserId, additional_config: Mapping[str, Any]
    ) -> bool:
        """Replace a connection's additional config; False if there is no such connection."""
        changed = {"additional_config": _text(additional_config, "additionalConfig")}
        return await self._update(integration, user_id, changed)

    async def _update(self, integration: str, user_id: UserId, changed: Mapping[str, Any]) -> bool:
        statement = (
            update(_CONNECTIONS).where(_IS_PAIR).values({**changed, "last_modified": _now()})
        )
        return await self._finish(self._write(statement, _pair(integration, user_id))) > 0

    async def _select(
        self, statement: Select[Any], parameters: Mapping[str, str]
    ) -> list[StoredConnection]:
        return [_from_row(row) for row in await self._finish(self._read(statement, parameters))]

    async def _finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Let a statement end even when its caller is cancelled.

        SQLAlchemy closes a connection whose statement was cancelled, and a database in memory
        ends with its connection: one request given up would lose everybody's connections.
        """
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _read(self, statement: Select[Any], values: Mapping[str, str]) -> Sequence[Row[Any]]:
        async with self._connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(statement, values)).all()
            return rows

    async def _write(self, statement: Insert | Update, values: Mapping[str, Any]) -> int:
        async with self._connect() as connection:
            return (await connection.execute(statement, values)).rowcount

    def _connect(self) -> AsyncConnection:
        if self._engine is None:
            raise NangoClosedError("The store is closed")
        return self._engine.connect()


def _pair(integration: str, user_id: UserId) -> dict[str, str]:
    return {"of_integration": integration, "of_user": json.dumps(user_id)}


def _from_row(row: Row[Any]) -> StoredConnection:
    config = row.additional_config
    return StoredConnection(
        uuid=row.uuid,
        user_id=json.loads(row.user_id),
        integration=row.integration,
        date_created=row.date_created.replace(tzinfo=UTC),
        last_modified=row.last_modified.replace(tzinfo=UTC),
        additional_config=None if config is None else json.loads(config),
        credentials=json.loads(row.credentials),
    )


def _text(value: Mapping[str, Any] | None, name: str) -> str | None:
    return None if value is None else encode(value, name).decode()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
