"""Refreshes tokens: once for all actions that wait for it, in this process and in others.

`ConnectionCredentials` is what an action's requests ask, on the actions' event loop. Only when a
token is stale does it go to the `CredentialsRefresher`, which lives where the store does.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nango_jupyter.exceptions import NangoError, NangoUsageError
from nango_jupyter.server.config import Integration
from nango_jupyter.server.credentials import remember_credentials
from nango_jupyter.server.http import HttpClients, send
from nango_jupyter.server.oauth2 import (
    can_refresh,
    read_answer,
    refreshed,
    stale_at,
    token_request,
)
from nango_jupyter.server.store import ConnectionStore, StoredConnection

__all__ = ["ConnectionCredentials", "CredentialsRefresher"]

# All in seconds.
_TIME_LIMIT = 30.0
_LEASE = 60.0  # longer than a refresh takes; a server that died in one holds up the others so long
_POLL = 0.1
_QUIET = 10.0  # for so long what came of a refresh is the last word


class ConnectionCredentials:
    """A connection's credentials for one execution of an action.

    Parameters
    ----------
    integration : Integration
    connection : StoredConnection
        As it was found when the action was triggered.
    refresher : CredentialsRefresher
    server_loop : AbstractEventLoop
        The one that the refresher lives on, which may be another than the action's.
    """

    def __init__(
        self,
        integration: Integration,
        connection: StoredConnection,
        refresher: CredentialsRefresher,
        server_loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._integration = integration
        self._refresher = refresher
        self._server_loop = server_loop
        self._take(connection)

    def _take(self, connection: StoredConnection) -> None:
        self._connection = connection
        self._stale_at = stale_at(
            self._integration, connection.credentials, connection.last_modified
        )

    @property
    def current(self) -> Mapping[str, Any]:
        """The credentials as they are now."""
        return self._connection.credentials

    async def credentials(self) -> Mapping[str, Any]:
        """Return credentials that have not expired; where nothing is to be done, at once.

        Raises
        ------
        NangoHttpError
            If new tokens are refused.
        NangoConnectionError, NangoTimeoutError
            If there is no answer about new tokens.
        """
        if time.time() >= self._stale_at:
            await self._refresh(self.current)
        return self.current

    async def renewed(self, stale: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the credentials to use in the place of refused ones; these if there are none.

        Raises the same errors as `credentials`.
        """
        if self.current is stale and can_refresh(self._integration, stale):
            await self._refresh(stale)
        return self.current

    async def _refresh(self, stale: Mapping[str, Any]) -> None:
        work = self._refresher.fresh(self._integration, self._connection, stale)
        if asyncio.get_running_loop() is self._server_loop:
            found = await work
        else:
            found = await asyncio.wrap_future(
                asyncio.run_coroutine_threadsafe(work, self._server_loop)
            )
        if found.credentials != self.current:
            self._take(found)


@dataclass(frozen=True)
class _Outcome:
    """What came of the refresh of a connection, and the credentials that it is the last word on."""

    credentials: Mapping[str, Any]
    until: float
    result: StoredConnection | NangoError


class CredentialsRefresher:
    """Refreshes the tokens of all connections; it lives on the store's event loop.

    Parameters
    ----------
    store : ConnectionStore
    """

    def __init__(self, store: ConnectionStore) -> None:
        self._store = store
        self._clients = HttpClients()
        self._under_way: dict[str, asyncio.Task[StoredConnection]] = {}
        self._recent: dict[str, _Outcome] = {}

    async def close(self) -> None:
        """Let refreshes under way end, so that their new tokens are stored, and disconnect."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._clients.close()

    async def fresh(
        self, integration: Integration, connection: StoredConnection, stale: Mapping[str, Any]
    ) -> StoredConnection:
        """Return a connection with other credentials than the stale ones.

        Just after a refresh it may return the same ones: an API that refuses a new token does not
        refuse it for its age.

        Raises
        ------
        NangoHttpError
            If the provider refuses; just after that it is not asked again.
        NangoConnectionError, NangoTimeoutError
            If the provider doesn't answer.
        NangoUsageError
            If the connection is not in the store any more.
        """
        task = self._under_way.get(connection.uuid) or self._start(integration, connection, stale)
        try:
            return await asyncio.shield(task)  # others wait for it, too
        except NangoError as error:
            raise copy.copy(error) from None  # each one who waits adds its own traceback

    def _start(
        self, integration: Integration, connection: StoredConnection, stale: Mapping[str, Any]
    ) -> asyncio.Task[StoredConnection]:
        task = asyncio.create_task(self._refresh(integration, connection, stale))
        self._under_way[connection.uuid] = task
        task.add_done_callback(partial(self._forget, connection.uuid))
        return task

    def _forget(self, uuid: str, task: asyncio.Task[StoredConnection]) -> None:
        del self._under_way[uuid]
        if not task.cancelled():
            task.exception()  # nobody may be left who waits for it

    async def _refresh(
        self, integration: Integration, connection: StoredConnection, stale: Mapping[str, Any]
    ) -> StoredConnection:
        recent = self._recent.get(connection.uuid)
        if recent and recent.credentials == stale and time.monotonic() < recent.until:
            if isinstance(recent.result, NangoError):
                raise copy.copy(recent.result)
            return recent.result
        while not await self._store.claim_refresh(connection, _LEASE):
            found = await self._find(connection)
            if found.credentials != stale:
                return found
            await asyncio.sleep(_POLL)
        try:
            found = await self._find(connection)
            if found.credentials != stale:  # another server was faster
                return found
            return await self._renew(integration, found)
        finally:
            await self._store.release_refresh(connection)

    async def _find(self, connection: StoredConnection) -> StoredConnection:
        found = await self._store.find(connection.integration, connection.user_id)
        if found is None:
            raise NangoUsageError(f"{_about(connection)}: the connection is gone")
        remember_credentials(found.credentials)
        return found

    async def _renew(
        self, integration: Integration, connection: StoredConnection
    ) -> StoredConnection:
        try:
            answer = await self._ask(integration, connection.credentials)
        except NangoError as error:
            told = type(error)(f"{_about(connection)}: {error.message}", error.hint)
            self._note(connection, told)
            raise copy.copy(told) from None
        now = datetime.now(UTC)
        found = await self._find(connection)
        if found.credentials.get("refresh_token") != connection.credentials["refresh_token"]:
            return found  # the user logged in again meanwhile, which is newer than this answer
        credentials = refreshed(found.credentials, answer, now)
        remember_credentials(credentials)
        await self._store.set_credentials(found.integration, found.user_id, credentials)
        renewed = replace(found, credentials=credentials, last_modified=now)
        self._note(renewed, renewed)
        return renewed

    async def _ask(
        self, integration: Integration, credentials: Mapping[str, Any]
    ) -> dict[str, Any]:
        client = self._clients.get(integration.name)
        request = token_request(client, integration, credentials)
        return read_answer(await send(client, request, _TIME_LIMIT))

    def _note(self, connection: StoredConnection, result: StoredConnection | NangoError) -> None:
        now = time.monotonic()
        self._recent = {uuid: one for uuid, one in self._recent.items() if one.until > now}
        outcome = _Outcome(connection.credentials, now + _QUIET, result)
        self._recent[connection.uuid] = outcome


def _about(connection: StoredConnection) -> str:
    return (
        f'The OAuth2 token of the connection (integration "{connection.integration}", '
        f'user_id "{connection.user_id}") could not be refreshed'
    )
