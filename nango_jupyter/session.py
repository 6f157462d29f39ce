"""What magics and widgets share: the connection, and what is behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nango_jupyter.client import Nango
from nango_jupyter.defined import DefinedAction
from nango_jupyter.exceptions import NangoClosedError, NangoError
from nango_jupyter.local import LocalServer
from nango_jupyter.settings import Settings, check_timeout

__all__ = ["ConnectionStatus", "Session"]


@dataclass(frozen=True)
class ConnectionStatus:
    """How the session is connected.

    Attributes
    ----------
    state : {"connected", "interrupted", "not connected"}
        "interrupted" means that the connection was lost; the next request brings it up.
    address : str
        Where requests go; "" when not connected.
    servers : int or None
        How many servers listen; None when that can't be told.
    integrations : mapping of str to list of str, or None
        The actions of each integration, where the server is our own.
    client : Nango or None
        The connected client, for ``await status.client.trigger_action(…)``.
    local : LocalServer or None
        The embedded server, for ``@status.local.action("slack")`` above a function.
    """

    state: Literal["connected", "interrupted", "not connected"]
    address: str = ""
    servers: int | None = None
    integrations: Mapping[str, list[str]] | None = None
    client: Nango | None = field(default=None, repr=False, compare=False)
    local: LocalServer | None = field(default=None, repr=False, compare=False)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nango_jupyter.display import render_card

        facts: list[tuple[str, object]] = []
        if self.address:
            facts.append(("Server", self.address))
        if self.servers is not None and self.integrations is None:
            facts.append(("Listening", _describe_servers(self.servers)))
        if self.integrations is not None:
            facts.append(("Actions", dict(self.integrations)))
        if self.state == "not connected":
            facts.append(("Next", "%nango_connect HOST, or %nango_connect --local"))
        is_ready = self.state == "connected" and self.servers != 0
        return render_card(self.state.capitalize(), "ok" if is_ready else "idle", facts)


def _describe_servers(count: int) -> str:
    if count == 0:
        return "no server reads the queue server_inbound: triggers will time out"
    return f"{count} server{'s' * (count != 1)}"


class Session:
    """The connection that magics and forms use."""

    def __init__(self) -> None:
        self._client: Nango | None = None
        self._local: LocalServer | None = None

    def client(self) -> Nango:
        """Return the connected client.

        Raises
        ------
        NangoClosedError
            If there is none.
        """
        if self._client is None:
            raise NangoClosedError(
                "Not connected",
                "Run %nango_connect HOST, or %nango_connect --local to try without a broker.",
            )
        return self._client

    async def connect(self, settings: Settings) -> ConnectionStatus:
        """Connect to a broker; what was connected before is closed once the new one is up."""
        client = Nango.from_settings(settings)
        try:
            await client.connect()
        except NangoError as error:
            if self._client:  # or a later cell is run against another server than meant
                error.hint += f" Still connected to {self._client.address}."
            raise
        return await self._change(client, None)

    async def connect_local(
        self, folder: str | None = None, timeout: float | None = None
    ) -> ConnectionStatus:
        """Start the embedded server, on a folder or on the samples, and connect to it."""
        if timeout is not None:
            check_timeout(timeout)  # before anything is started
        local = LocalServer(folder)
        await local.start()
        return await self._change(local.client(timeout=timeout), local)

    async def _change(self, client: Nango, local: LocalServer | None) -> ConnectionStatus:
        before = self._client, self._local
        # First, so that what is open is always what `close` closes, even if this is stopped.
        self._client, self._local = client, local
        await _close(*before)
        return await self.status()

    async def status(self) -> ConnectionStatus:
        """Tell how the session is connected."""
        if self._client is None:
            return ConnectionStatus("not connected")
        servers = await self._client.server_count()
        return ConnectionStatus(
            "connected" if self._client.is_connected else "interrupted",
            self._client.address,
            servers,
            self._local.integrations() if self._local else None,
            self._client,
            self._local,
        )

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
    ) -> DefinedAction:
        """Define an action on the embedded server; see `LocalServer.define_cell`.

        Raises
        ------
        NangoClosedError
            If there is no embedded server.
        """
        if self._local is None:
            raise NangoClosedError(
                "There is no embedded server to define an action on",
                "Run %nango_connect --local first.",
            )
        return self._local.define_cell(
            integration,
            action,
            cell,
            idempotent=idempotent,
            base_url=base_url,
            save=save,
            notebook=notebook,
        )

    async def close(self) -> ConnectionStatus:
        """Close the connection, and stop the embedded server if it was one."""
        before = self._client, self._local
        self._client = self._local = None
        await _close(*before)
        return ConnectionStatus("not connected")


async def _close(client: Nango | None, local: LocalServer | None) -> None:
    try:
        if client:
            await client.close()
    finally:
        if local:
            await local.stop()
