"""Runs an action for a connection, within its time limit, and tells how that went."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from nango_jupyter.executions import Execution
from nango_jupyter.messages import NangoMessageHandlerResult, TriggerAction
from nango_jupyter.server.actions import ActionConnection, ActionRuntime
from nango_jupyter.server.config import Integration
from nango_jupyter.server.credentials import remember_credentials
from nango_jupyter.server.definitions import ActionDefinition
from nango_jupyter.server.execution import failed_execution, perform
from nango_jupyter.server.http import ActionHttp
from nango_jupyter.server.logs import ActionLogger
from nango_jupyter.server.refresh import ConnectionCredentials, CredentialsRefresher
from nango_jupyter.server.runner import (
    ActionLoop,
    ActionRunner,
    BlockingError,
    LostError,
    OverdueError,
)
from nango_jupyter.server.store import StoredConnection

__all__ = ["Trigger"]


class Trigger:
    """One execution of an action.

    Parameters
    ----------
    request : TriggerAction
    integration : Integration
    definition : ActionDefinition
    stored : StoredConnection
        In whose name it runs.
    refresher : CredentialsRefresher
    """

    def __init__(
        self,
        request: TriggerAction,
        integration: Integration,
        definition: ActionDefinition,
        stored: StoredConnection,
        refresher: CredentialsRefresher,
    ) -> None:
        self._request = request
        self._integration = integration
        self._definition = definition
        self._stored = stored
        self._credentials = ConnectionCredentials(
            integration, stored, refresher, asyncio.get_running_loop()
        )
        self._id = f"{random.getrandbits(32):08x}"
        self._logger = ActionLogger(
            integration.name,
            request.triggered_action,
            request.user_id,
            execution_id=self._id,
            level=integration.log_level,
        )

    async def run(
        self, runner: ActionRunner, folder: Path, notes: list[str]
    ) -> NangoMessageHandlerResult:
        """Run it to its end, or to its time limit; whatever it does, there is a result.

        Parameters
        ----------
        runner : ActionRunner
        folder : Path
            The integrations folder: what a stack tells of.
        notes : list of str
            What the caller should know, beside the result.
        """
        remember_credentials(self._stored.credentials)  # another server may have stored them
        start, started = datetime.now(UTC), time.perf_counter()
        result = await self._result(runner, folder)
        kept = self._logger.kept
        execution = Execution(
            id=self._id,
            start=start,
            duration=round(time.perf_counter() - started, 6),
            log=kept.lines,
            omitted=kept.omitted,
            notes=tuple(notes),
        )
        # For the server's log alone: the reply has them beside the action's own lines.
        for note in notes:
            self._logger.warning("%s", note)
        if not result.success:
            self._logger.error("%s", result.error_msg)
        return replace(result, execution=execution)

    async def _result(self, runner: ActionRunner, folder: Path) -> NangoMessageHandlerResult:
        async def work(place: ActionLoop) -> NangoMessageHandlerResult:
            runtime = self._runtime(place)
            return await perform(self._definition, runtime, self._request.input, folder)

        limit = self._integration.execution_timeout
        try:
            return await runner.run(work, limit)
        except OverdueError as error:
            message = (
                f"the action took longer than {limit:g} s (execution_timeout_seconds) and was "
                f"stopped{f'. {error}' if str(error) else ''}"
            )
            return failed_execution(message, "TimeoutError")
        except BlockingError as error:
            message = f"the action {error} and was stopped: await what waits, or write a plain def"
            return failed_execution(message, type(error).__name__)
        except LostError as error:
            return failed_execution(f"the action was stopped: {error}", type(error).__name__)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return failed_execution("the action cancelled itself", "CancelledError")

    def _runtime(self, place: ActionLoop) -> ActionRuntime:
        stored = self._stored
        connection = ActionConnection(
            uuid=stored.uuid,
            integration=stored.integration,
            user_id=stored.user_id,
            credentials=stored.credentials,
            additional_config=stored.additional_config,
        )
        http = ActionHttp(self._integration, self._credentials, place.clients, self._logger)
        return ActionRuntime(connection, self._logger, http, place.loop)
