"""What the server does for each kind of message, and what it answers.

The error texts are those of the original server 0.2.1, to the letter: callers match on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.messages import (
    GetIntegrationConnections,
    GetUserIdConnections,
    NangoMessageHandlerResult,
    RegisterConnection,
    Request,
    TriggerAction,
    UpdateConnectionConfig,
    UpdateConnectionCredentials,
)
from nango_jupyter.server.actions import ActionConnection, ActionRuntime
from nango_jupyter.server.config import FolderConfig, Integration
from nango_jupyter.server.credentials import check_credentials, remember_credentials
from nango_jupyter.server.execution import execute, run_guarded
from nango_jupyter.server.http import ActionHttp, HttpClients
from nango_jupyter.server.loader import ActionFiles
from nango_jupyter.server.logs import ActionLogger
from nango_jupyter.server.store import ConnectionStore, StoredConnection

__all__ = ["Handlers"]

_DONE = NangoMessageHandlerResult(True)


class Handlers:
    """Answers requests.

    Parameters
    ----------
    config : FolderConfig
    store : ConnectionStore
    actions : ActionFiles
    clients : HttpClients
    """

    def __init__(
        self,
        config: FolderConfig,
        store: ConnectionStore,
        actions: ActionFiles,
        clients: HttpClients,
    ) -> None:
        self._config = config
        self._store = store
        self._actions = actions
        self._clients = clients

    async def answer(self, request: Request, *, redelivered: bool) -> NangoMessageHandlerResult:
        """Do what the request asks.

        Raises
        ------
        NangoUsageError
            If it can't be done; the message is the reply.
        """
        match request:
            case TriggerAction():
                return await self._trigger(request, redelivered)
            case RegisterConnection():
                return await self._register(request)
            case UpdateConnectionCredentials():
                return await self._update_credentials(request)
            case UpdateConnectionConfig():
                return await self._update_config(request)
            case GetUserIdConnections():
                return _listed(await self._store.of_user(request.user_id))
            case GetIntegrationConnections():
                return _listed(await self._store.of_integration(request.integration))
            case _:
                raise NotImplementedError(request.kind)

    async def _register(self, request: RegisterConnection) -> NangoMessageHandlerResult:
        integration = self._integration(request.integration)
        credentials = check_credentials(
            integration, request.credentials, request.oauth_access_token
        )
        added = await self._store.add(
            integration.name, request.user_id, credentials, request.additional_config
        )
        if not added:
            raise NangoUsageError(
                f"Attempt to register an already-existing connection {_pair(request)}"
            )
        return _DONE

    async def _update_credentials(
        self, request: UpdateConnectionCredentials
    ) -> NangoMessageHandlerResult:
        if await self._store.find(request.integration, request.user_id) is None:
            raise _not_existing(request)
        integration = self._integration(request.integration)
        credentials = check_credentials(integration, request.credentials)
        if not await self._store.set_credentials(integration.name, request.user_id, credentials):
            raise _not_existing(request)
        return _DONE

    async def _update_config(self, request: UpdateConnectionConfig) -> NangoMessageHandlerResult:
        if not await self._store.set_config(
            request.integration, request.user_id, request.additional_config
        ):
            raise _not_existing(request)
        return _DONE

    async def _trigger(
        self, request: TriggerAction, redelivered: bool
    ) -> NangoMessageHandlerResult:
        integration = self._config.integrations.get(request.integration)
        connection = await self._store.find(request.integration, request.user_id)
        if integration is None or connection is None:
            also = "" if integration else f". {self._unknown(request.integration)}"
            raise NangoUsageError(
                f"Tried to trigger {_what(request)} with user_id "
                f'"{request.user_id}" but no connection exists for this user_id and integration'
                f"{also}"
            )
        path = self._actions.find(request.integration, request.triggered_action)
        if path is None:
            raise NangoUsageError(
                f"Tried to trigger {_what(request)} but the action file does not exist"
            )
        if redelivered:
            raise NangoUsageError(
                f'The message to trigger {_what(request)} with user_id "{request.user_id}" was '
                "delivered a second time: the action may have run already, so it was not run again"
            )
        context = self._context(integration, connection, request)
        return await self._run(path, context, request.input)

    async def _run(
        self, path: Path, context: ActionRuntime, value: Any
    ) -> NangoMessageHandlerResult:
        async def work() -> Any:
            action = self._actions.load(path)()
            action._runtime = context
            return await execute(action, value)

        result = await run_guarded(work, self._config.folder)
        if not result.success:
            context.logger.error("%s", result.error_msg)
        return result

    def _context(
        self, integration: Integration, stored: StoredConnection, request: TriggerAction
    ) -> ActionRuntime:
        remember_credentials(stored.credentials)  # another server may have stored them
        logger = ActionLogger(
            integration.name,
            request.triggered_action,
            request.user_id,
            execution_id=uuid4().hex[:8],
            level=integration.log_level,
        )
        connection = ActionConnection(
            uuid=stored.uuid,
            integration=stored.integration,
            user_id=stored.user_id,
            credentials=stored.credentials,
            additional_config=stored.additional_config,
        )
        http = ActionHttp(integration, stored.credentials, self._clients, logger)
        return ActionRuntime(connection, logger, http)

    def _integration(self, name: str) -> Integration:
        if name not in self._config.integrations:
            raise NangoUsageError(self._unknown(name))
        return self._config.integrations[name]

    def _unknown(self, name: str) -> str:
        known = ", ".join(sorted(self._config.integrations)) or "none"
        return f'There is no integration "{name}" in integrations.yaml (it has: {known})'


def _listed(connections: list[StoredConnection]) -> NangoMessageHandlerResult:
    return NangoMessageHandlerResult(True, return_value=[one.to_wire() for one in connections])


def _what(request: TriggerAction) -> str:
    return f'action "{request.triggered_action}" for integration "{request.integration}"'


def _pair(
    request: RegisterConnection | UpdateConnectionCredentials | UpdateConnectionConfig,
) -> str:
    # The bracket stands where the original has it, before the last quotation mark.
    return f'(integration "{request.integration}", user_id "{request.user_id})"'


def _not_existing(
    request: UpdateConnectionCredentials | UpdateConnectionConfig,
) -> NangoUsageError:
    return NangoUsageError(f"Attempt to update a non-existing connection {_pair(request)}")
