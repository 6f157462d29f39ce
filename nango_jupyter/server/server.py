"""`NangoServer`: takes the bytes of a request and answers with the bytes of a reply."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nango_jupyter.exceptions import NangoClosedError, NangoError, NangoInputError
from nango_jupyter.messages import NangoMessageHandlerResult, decode_request
from nango_jupyter.server.config import FolderConfig
from nango_jupyter.server.execution import clean, failed_execution
from nango_jupyter.server.handlers import Handlers
from nango_jupyter.server.http import HttpClients
from nango_jupyter.server.loader import ActionFiles
from nango_jupyter.server.logs import redact_logger
from nango_jupyter.server.store import ConnectionStore

__all__ = ["NangoServer"]

log = redact_logger(__name__)


@dataclass(frozen=True)
class _Running:
    """What a server has between start and stop."""

    config: FolderConfig
    store: ConnectionStore
    actions: ActionFiles
    clients: HttpClients
    handlers: Handlers


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
        config = FolderConfig.load(self._folder, self._environ)
        store = ConnectionStore(self._store_url, config.folder)
        await store.open()
        actions, clients = ActionFiles(config.folder), HttpClients()
        handlers = Handlers(config, store, actions, clients)
        self._running = _Running(config, store, actions, clients, handlers)

    async def stop(self) -> None:
        """Close what is open; stopping twice does nothing.

        Actions under way are not waited for: end the calls of `handle` first.
        """
        running, self._running = self._running, None
        if running:
            await running.clients.close()
            await running.store.close()
            running.actions.close()

    async def __aenter__(self) -> NangoServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def log_level(self) -> int:
        """``main_server_log_level``, as a number of Python's logging."""
        return self._started().config.main_log_level

    def integrations(self) -> Mapping[str, list[str]]:
        """Return each integration's actions, as the folder has them now, sorted."""
        running = self._started()
        return {name: running.actions.names(name) for name in running.config.integrations}

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
            result = NangoMessageHandlerResult(False, error.message)
        except Exception as error:
            log.exception("A message could not be processed")
            result = _fault(error)
        try:
            return result.encode()
        except NangoInputError as error:
            return _not_json(error).encode()
        except BaseException as error:
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


def _not_json(error: NangoInputError) -> NangoMessageHandlerResult:
    message = error.message.replace("reply.returnValue", "return value", 1)
    return failed_execution(message, error.hint)
