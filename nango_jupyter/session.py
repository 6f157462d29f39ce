"""What magics and widgets share: the connections, what is behind them, and what was triggered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from nango_jupyter.changes import Changes
from nango_jupyter.client import DEFAULT_TIMEOUT, Nango
from nango_jupyter.connections import (
    DEFAULT_NAME,
    ConnectionList,
    Connections,
    ConnectionStatus,
    OpenConnection,
    check_name,
)
from nango_jupyter.defined import DefinedAction
from nango_jupyter.exceptions import (
    NangoClosedError,
    NangoError,
    NangoServerError,
    NangoUsageError,
)
from nango_jupyter.history import History, HistoryEntry
from nango_jupyter.jobs import Job, JobList, Run
from nango_jupyter.known import KnownNames
from nango_jupyter.local import LocalServer
from nango_jupyter.results import NangoResult
from nango_jupyter.settings import Settings, check_timeout

if TYPE_CHECKING:
    from nango_jupyter.batch import Batch, BatchResult
    from nango_jupyter.calls import TriggerCall
    from nango_jupyter.credentials import Credentials
    from nango_jupyter.messages import UserId
    from nango_jupyter.secrets import Secret

__all__ = ["ConnectionStatus", "Session"]

# How long closing a connection waits for its jobs to notice, in seconds.
_SETTLE_SECONDS = 2.0


class Session:
    """The connections that magics and forms use, and what was triggered through them.

    Attributes
    ----------
    history : History
    changes : Changes
        Tells when something was opened, closed, registered, defined or triggered. The listeners
        are called on the kernel's main loop.
    """

    def __init__(self) -> None:
        self.changes = Changes()
        self.history = History(self.changes.notify)
        self._connections = Connections()
        self._jobs: list[Job] = []

    def connection(self, name: str | None = None) -> OpenConnection:
        """Return an open connection: the current one without a name.

        Raises
        ------
        NangoClosedError
            If there is none.
        """
        return self._connections.find(name)

    def client(self, name: str | None = None) -> Nango:
        """Return the client of a connection; errors are those of `connection`."""
        return self.connection(name).client

    def connections(self) -> ConnectionList:
        """Return what is open just now."""
        return self._connections.rows()

    def use(self, name: str) -> OpenConnection:
        """Make an open connection the current one; errors are those of `connection`."""
        found = self._connections.use(name)
        self.changes.notify()
        return found

    def use_timeout(self, find: Callable[[str], float | None]) -> None:
        """Change the time limit of what is open: from a function of the connection's name."""
        for name in self._connections.names:
            self.client(name).timeout = find(name) or DEFAULT_TIMEOUT

    async def connect(self, settings: Settings, name: str = DEFAULT_NAME) -> ConnectionStatus:
        """Connect to a broker, and make this the current connection.

        What was connected before under the same name is closed once the new one is up.
        """
        check_name(name)  # before anything is opened
        client = Nango.from_settings(settings)
        try:
            await client.connect()
        except NangoError as error:
            # Or a later cell is run against another server than meant.
            if current := self._connections.current:
                hint = f"{error.hint.rstrip('.')}. " if error.hint else ""
                error.hint = f"{hint}Still connected to {current.address}."
            raise
        return await self._change(OpenConnection(name, client, None, KnownNames(None, client)))

    async def connect_local(
        self,
        folder: str | None = None,
        timeout: float | None = None,
        name: str = DEFAULT_NAME,
    ) -> ConnectionStatus:
        """Start the embedded server, on a folder or on the samples, and connect to it."""
        check_name(name)  # before anything is started
        if timeout is not None:
            check_timeout(timeout)
        local = LocalServer(folder)
        await local.start()
        client = local.client(timeout=timeout)
        return await self._change(OpenConnection(name, client, local, KnownNames(local, client)))

    async def _change(self, connection: OpenConnection) -> ConnectionStatus:
        # First, so that what is open is always what `close` closes, even if this is stopped.
        connection.client.watch(self.changes.notify)
        before = self._connections.add(connection)
        self.changes.notify()
        if before:
            await before.close()
            await self._settle([before.name])
        return await self.status()

    async def status(self, name: str | None = None) -> ConnectionStatus:
        """Tell how a connection is: the current one without a name.

        Raises
        ------
        NangoClosedError
            If a name is given that no connection has.
        """
        found = self._connections.current if name is None else self._connections.find(name)
        if found is None:
            return ConnectionStatus("not connected", others=tuple(self._connections.names))
        servers = await found.client.server_count()
        return ConnectionStatus(
            found.state,
            found.address,
            servers,
            found.local.integrations() if found.local else None,
            found.client,
            found.local,
            found.name,
            tuple(other for other in self._connections.names if other != found.name),
        )

    async def close(self, name: str | None = None) -> ConnectionStatus:
        """Close a connection, the current one without a name; an embedded server is stopped.

        Raises
        ------
        NangoClosedError
            If there is no such connection. It is no error when nothing at all is open.
        """
        if name is not None or self._connections.names:
            closed = self._connections.remove(name)
            self.changes.notify()
            await closed.close()
            await self._settle([closed.name])
        return await self.status()

    async def close_all(self) -> ConnectionStatus:
        """Close all connections."""
        names = self._connections.names
        closing = [self._connections.remove(name).close() for name in names]
        self.changes.notify()
        outcomes = await asyncio.gather(*closing, return_exceptions=True)
        await self._settle(names)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return await self.status()

    async def _settle(self, names: Collection[str]) -> None:
        """Wait until the jobs of closed connections have ended: with an error that says so."""
        waiting = [job.wait() for job in self._jobs if job.connection in names and not job.done()]
        if waiting:
            await asyncio.wait(map(asyncio.ensure_future, waiting), timeout=_SETTLE_SECONDS)

    async def register(
        self,
        integration: str,
        user_id: UserId,
        token: str | Secret | None = None,
        config: dict[str, Any] | None = None,
        *,
        credentials: Credentials | None = None,
        name: str | None = None,
        replace: bool = False,
    ) -> NangoResult:
        """Register a user's connection to an integration; see `Nango.register_connection`."""
        connection = self.connection(name)
        result = await connection.client.register_connection(
            integration, user_id, token, config, credentials=credentials, replace=replace
        )
        connection.known.note_user(integration, user_id)
        self.changes.notify()
        return result

    async def trigger(self, call: TriggerCall, name: str | None = None) -> NangoResult:
        """Run an action, and note it in the history, whatever comes of it.

        Errors are those of `Nango.trigger_action`, with a guess at what was meant by a name that
        the server doesn't know.
        """
        connection = self.connection(name)
        return await _trigger(connection, call, self.history.begin(connection.name, call))

    def start(self, call: TriggerCall, name: str | None = None, *, run: Run) -> Job:
        """Run an action without waiting for it.

        Parameters
        ----------
        call : TriggerCall
        name : str, optional
            The connection's.
        run : function
            `KernelLoop.run`, for a job is begun and waited for in code that can't await.
        """
        connection = self.connection(name)
        entry = self.history.begin(connection.name, call)
        job = Job(entry.number, call.request, call.user_id, connection.name, run=run)
        return self._begin(job, entry, _trigger(connection, call, entry))

    async def trigger_each(
        self, batch: Batch, request: str, name: str | None = None
    ) -> BatchResult:
        """Run a batch, and note it in the history, whatever comes of it.

        Parameters
        ----------
        batch : Batch
            Made with the client of the same connection.
        request : str
            What is triggered, such as ``crm.list-contacts``.
        name : str, optional
            The connection's.
        """
        connection = self.connection(name)
        return await _trigger_each(batch, self.history.begin_batch(connection.name, request))

    def start_each(self, batch: Batch, request: str, name: str | None = None, *, run: Run) -> Job:
        """Run a batch without waiting for it; parameters as in `trigger_each` and `start`."""
        connection = self.connection(name)
        entry = self.history.begin_batch(connection.name, request)
        job = Job(entry.number, request, None, connection.name, run=run, partial=batch.result)
        return self._begin(job, entry, _trigger_each(batch, entry))

    def _begin(self, job: Job, entry: HistoryEntry, work: Any) -> Job:
        try:
            job.begin(work)
        except BaseException:
            entry.end("failed", "failed: it could not begin")
            raise
        # A job holds what came back: it goes when the history lets go of that.
        kept = [one for one in self._jobs if not one.done() or self.history.keeps(one.number)]
        self._jobs = [*kept, job]
        return job

    def jobs(self) -> JobList:
        """Return the jobs of this session, the newest last."""
        return JobList(self._jobs)

    def job(self, number: int) -> Job:
        """Return the job of a number.

        Raises
        ------
        NangoUsageError
            If there is none.
        """
        for job in self._jobs:
            if job.number == number:
                return job
        raise NangoUsageError(f"There is no job {number}", "%nango_jobs lists them.")

    def define_action(
        self,
        integration: str,
        action: str,
        cell: str,
        *,
        idempotent: bool,
        base_url: str | None,
        save: str | None,
        notebook: Collection[str],
        name: str | None = None,
    ) -> DefinedAction:
        """Define an action on an embedded server; see `LocalServer.define_cell`.

        Raises
        ------
        NangoClosedError
            If the connection is not one to an embedded server.
        """
        is_open = name is not None or self._connections.current is not None
        local = self.connection(name).local if is_open else None
        if local is None:
            raise NangoClosedError(
                "There is no embedded server to define an action on",
                _use_local(self._connections) or "Run %nango_connect --local first.",
            )
        defined = local.define_cell(
            integration,
            action,
            cell,
            idempotent=idempotent,
            base_url=base_url,
            save=save,
            notebook=notebook,
        )
        self.changes.notify()
        return defined


def _use_local(connections: Connections) -> str:
    """Tell how to come to an embedded server that is open, but not the current connection."""
    names: Iterable[str] = (name for name in connections.names if connections.find(name).local)
    return next((f"Run %nango_connect --use {name} first." for name in names), "")


async def _trigger(
    connection: OpenConnection, call: TriggerCall, entry: HistoryEntry
) -> NangoResult:
    try:
        result = await connection.client.trigger_action(
            call.integration, call.action, call.user_id, call.input, timeout=call.timeout
        )
    except NangoError as error:
        entry.fail(error)
        if isinstance(error, NangoServerError):
            guess = await connection.known.hint(call, error)
            error.hint = f"{guess} {error.hint}".strip()
        raise
    except BaseException:
        entry.stop()
        raise
    entry.end("success", "success", result)
    connection.known.note_call(call)
    return result


async def _trigger_each(batch: Batch, entry: HistoryEntry) -> BatchResult:
    try:
        result = await batch.run()
    except Exception as error:
        entry.fail(error, batch.result())
        raise
    except BaseException:
        entry.end_batch(batch.result())
        raise
    entry.end_batch(result)
    return result
