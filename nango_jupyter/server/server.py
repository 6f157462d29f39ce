"""`NangoServer`: takes the bytes of a request and answers with the bytes of a reply."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nango_jupyter.catalog import CATALOG_REQUEST, Catalog, CatalogAction
from nango_jupyter.exceptions import NangoClosedError, NangoError
from nango_jupyter.messages import NangoMessageHandlerResult, UserId, decode_request
from nango_jupyter.server.definitions import ActionDefinition
from nango_jupyter.server.execution import clean
from nango_jupyter.server.folder import ActionDescription, IntegrationsFolder
from nango_jupyter.server.handlers import Handlers
from nango_jupyter.server.logs import redact_logger
from nango_jupyter.server.refresh import CredentialsRefresher
from nango_jupyter.server.runner import ActionRunner
from nango_jupyter.server.store import ConnectionStore
from nango_jupyter.wire_json import decode, dump

__all__ = ["NangoServer"]

log = redact_logger(__name__)


@dataclass(frozen=True)
class _Running:
    """What a server has between start and stop."""

    folder: IntegrationsFolder
    store: ConnectionStore
    runner: ActionRunner
    refresher: CredentialsRefresher
    handlers: Handlers
    watching: asyncio.Task[None]


class NangoServer:
    """A Nango server without its queue: whoever has a request's bytes calls `handle`.

    It lives on the event loop on which it was started.

    Parameters
    ----------
    folder : str or Path
        The integrations folder.
    store_url : str, optional
        Where connections are kept: ``:memory:``, or a URL of SQLAlchemy for an async driver.
        Without it in ``.nango-jupyter/connections.sqlite3`` in the folder.
    environ : mapping of str to str, optional
        What ``${NAME}`` in the folder's files stands for; without it the process's environment.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        store_url: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = Path(folder)
        self._store_url = store_url
        self._environ = os.environ if environ is None else environ
        self._running: _Running | None = None

    async def start(self) -> None:
        """Read the folder and open the store; on a server that is started it does nothing.

        Raises
        ------
        NangoConfigError
            With everything that is wrong with the folder, or what is wrong with the store.
        """
        if self._running:
            return
        folder = await IntegrationsFolder.open(self._folder, self._environ)
        store = ConnectionStore(
            self._store_url,
            folder.config.folder,
            encryption_key=self._environ.get("NANGO_ENCRYPTION_KEY"),
        )
        try:
            await store.open()
        except BaseException:
            folder.close()
            raise
        runner, refresher = ActionRunner(), CredentialsRefresher(store)
        handlers = Handlers(folder, store, runner, refresher)
        watching = asyncio.create_task(folder.watch())
        self._running = _Running(folder, store, runner, refresher, handlers, watching)

    async def stop(self) -> None:
        """Close what is open; stopping twice does nothing.

        Actions under way are not waited for: end the calls of `handle` first.
        """
        running, self._running = self._running, None
        if running:
            running.watching.cancel()
            await running.runner.close()
            await running.refresher.close()
            await running.store.close()
            running.folder.close()

    async def __aenter__(self) -> NangoServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def log_level(self) -> int:
        """``main_server_log_level``, as a number of Python's logging."""
        return self._started().folder.config.main_log_level

    def integrations(self) -> Mapping[str, list[str]]:
        """Return each integration's actions, as the folder has them now, sorted."""
        return self._started().folder.integrations()

    async def users(self, integration: str, limit: int) -> list[UserId]:
        """Return users who are registered for an integration, the newest first."""
        return await self._started().store.users(integration, limit)

    async def describe(self) -> list[ActionDescription]:
        """Describe all actions that work, with the schemas of their inputs."""
        return await self._started().folder.describe()

    def define(
        self,
        integration: str,
        name: str,
        definition: ActionDefinition,
        base_url: str | None = None,
    ) -> bool:
        """Take an action into use at once. See `IntegrationsFolder.define`."""
        return self._started().folder.define(integration, name, definition, base_url)

    async def handle(self, body: bytes, *, redelivered: bool = False) -> bytes:
        """Answer one request. Several may be under way at once.

        Parameters
        ----------
        body : bytes
        redelivered : bool
            The broker has delivered the message before: an action is then not run again.

        Returns
        -------
        bytes
            A reply, whatever the request was: nothing but a cancellation is ever raised.
        """
        try:
            request = decode_request(body)
            result = await self._started().handlers.answer(request, redelivered=redelivered)
        except NangoError as error:
            result = NangoMessageHandlerResult(False, clean(error.message))
            log.info("Refused a message: %s", result.error_msg)
        except Exception as error:
            log.exception("A message could not be processed")
            result = _fault(error)
        try:
            # What actions returned was checked where they ran: here it would hold up the others.
            return dump(result.to_wire())
        except BaseException as error:
            return _fault(error).encode()

    async def catalog(self) -> Catalog:
        """Return what there is to trigger, with the schemas of the inputs."""
        await self._started().folder.look()
        found: dict[str, dict[str, CatalogAction]] = {name: {} for name in self.integrations()}
        for one in await self.describe():
            found[one.integration][one.name] = CatalogAction(
                one.name, one.description, one.input_schema, one.idempotent
            )
        return Catalog(found)

    async def handle_catalog(self, body: bytes) -> bytes:
        """Answer a request for the catalogue; like `handle`, it never raises."""
        try:
            if decode(body) != decode(CATALOG_REQUEST):
                return NangoMessageHandlerResult(False, "The message's kind is unknown").encode()
            return dump({"success": True, "returnValue": (await self.catalog()).to_wire()})
        except (NangoError, ValueError) as error:
            return NangoMessageHandlerResult(False, clean(str(error))).encode()
        except Exception as error:
            log.exception("The catalogue could not be made")
            return _fault(error).encode()

    def _started(self) -> _Running:
        if self._running is None:
            raise NangoClosedError("The server is not running", "Call start() first.")
        return self._running


def _fault(error: BaseException) -> NangoMessageHandlerResult:
    # The first line: SQLAlchemy's messages go on with the statement. The log has it all.
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return NangoMessageHandlerResult(
        False, clean(f"The server could not process the message - {reason}")
    )
