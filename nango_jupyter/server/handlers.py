"""What the server does for each kind of message, and what it answers.

The error texts are those of the original server 0.2.1, to the letter: callers match on them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from nango_jupyter.exceptions import NangoConfigError, NangoUsageError
from nango_jupyter.messages import (
    GetIntegrationConnections,
    GetUserIdConnections,
    NangoConnection,
    NangoMessageHandlerResult,
    RegisterConnection,
    Request,
    TriggerAction,
    UpdateConnectionConfig,
    UpdateConnectionCredentials,
)
from nango_jupyter.server.config import Integration
from nango_jupyter.server.credentials import check_credentials
from nango_jupyter.server.execution import failed_execution
from nango_jupyter.server.folder import IntegrationsFolder
from nango_jupyter.server.refresh import CredentialsRefresher
from nango_jupyter.server.runner import ActionRunner
from nango_jupyter.server.store import ConnectionStore
from nango_jupyter.server.triggers import Trigger
from nango_jupyter.server.turns import EachTurn
from nango_jupyter.wire_json import encode

__all__ = ["Handlers"]

_T = TypeVar("_T")

_DONE = NangoMessageHandlerResult(True)

# Every list of an integration's connections holds all of this: one user's megabytes would take
# memory in each request for it, and make the list too large for the broker.
_MOST_BYTES = 100_000


class Handlers:
    """Answers requests.

    Parameters
    ----------
    folder : IntegrationsFolder
    store : ConnectionStore
    runner : ActionRunner
    refresher : CredentialsRefresher
    """

    def __init__(
        self,
        folder: IntegrationsFolder,
        store: ConnectionStore,
        runner: ActionRunner,
        refresher: CredentialsRefresher,
    ) -> None:
        self._folder = folder
        self._store = store
        self._runner = runner
        self._refresher = refresher
        # What requests that came in together need not look up again and again.
        self._turn: EachTurn[dict[object, Any]] = EachTurn(dict)

    async def answer(self, request: Request, *, redelivered: bool) -> NangoMessageHandlerResult:
        """Do what the request asks.

        Raises
        ------
        NangoUsageError
            If it can't be done; the message is the reply.
        """
        await self._once("look", self._folder.look)
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
        _check_size("userId", request.user_id)
        _check_size("additionalConfig", request.additional_config)
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
        _check_size("additionalConfig", request.additional_config)
        if not await self._store.set_config(
            request.integration, request.user_id, request.additional_config
        ):
            raise _not_existing(request)
        return _DONE

    async def _trigger(
        self, request: TriggerAction, redelivered: bool
    ) -> NangoMessageHandlerResult:
        name = request.integration
        integration = self._folder.config.integrations.get(name)
        connection = await self._store.find(name, request.user_id)
        if integration is None or connection is None:
            also = "" if integration else f". {self._unknown(name)}"
            raise NangoUsageError(
                f"Tried to trigger {_what(request)} with user_id "
                f'"{request.user_id}" but no connection exists for this user_id and integration'
                f"{also}"
            )
        try:
            place = (name, request.triggered_action)
            loaded = await self._once(place, partial(self._folder.action, *place))
        except NangoConfigError as error:  # its file has no version that works
            return failed_execution(error.message, type(error).__name__)
        if loaded is None:
            raise NangoUsageError(
                f"Tried to trigger {_what(request)} but the action file does not exist"
            )
        notes = [*self._folder.notes(name), *([loaded.note] if loaded.note else [])]
        if redelivered:
            notes.append(_redelivered(request, loaded.definition.idempotent))
        trigger = Trigger(request, integration, loaded.definition, connection, self._refresher)
        return await trigger.run(self._runner, self._folder.config.folder, notes)

    async def _once(self, key: object, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask once for all who want to know the same in this turn of the event loop."""
        turn = self._turn()
        if key not in turn:
            turn[key] = await ask()
        found: _T = turn[key]
        return found

    def _integration(self, name: str) -> Integration:
        if name not in self._folder.config.integrations:
            raise NangoUsageError(self._unknown(name))
        return self._folder.config.integrations[name]

    def _unknown(self, name: str) -> str:
        known = ", ".join(sorted(self._folder.config.integrations)) or "none"
        notes = "".join(f". {note}" for note in self._folder.notes(name))
        return f'There is no integration "{name}" in integrations.yaml (it has: {known}){notes}'


def _check_size(name: str, value: Any) -> None:
    if (size := len(encode(value, name))) > _MOST_BYTES:
        raise NangoUsageError(f"{name} has {size:,} bytes, more than {_MOST_BYTES:,}")


def _listed(connections: list[NangoConnection]) -> NangoMessageHandlerResult:
    return NangoMessageHandlerResult(True, return_value=[one.to_wire() for one in connections])


def _what(request: TriggerAction) -> str:
    return f'action "{request.triggered_action}" for integration "{request.integration}"'


def _redelivered(request: TriggerAction, is_idempotent: bool) -> str:
    """Tell that an idempotent action is run a second time; refuse to do so for any other."""
    if is_idempotent:
        return "The message was delivered a second time, and the action, idempotent, was run again"
    raise NangoUsageError(
        f'The message to trigger {_what(request)} with user_id "{request.user_id}" was delivered '
        "a second time: the action may have run already, so it was not run again"
    )


def _pair(
    request: RegisterConnection | UpdateConnectionCredentials | UpdateConnectionConfig,
) -> str:
    # The bracket stands where the original has it, before the last quotation mark.
    return f'(integration "{request.integration}", user_id "{request.user_id})"'


def _not_existing(
    request: UpdateConnectionCredentials | UpdateConnectionConfig,
) -> NangoUsageError:
    return NangoUsageError(f"Attempt to update a non-existing connection {_pair(request)}")
