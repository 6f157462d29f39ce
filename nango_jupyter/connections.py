"""The open connections of a notebook: their names, which one is current, and how they are drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, overload

from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.secrets import redact
from nango_jupyter.suggestions import did_you_mean

if TYPE_CHECKING:
    from nango_jupyter.client import Nango
    from nango_jupyter.known import KnownNames
    from nango_jupyter.local import LocalServer

__all__ = [
    "DEFAULT_NAME",
    "ConnectionList",
    "ConnectionRow",
    "ConnectionStatus",
    "Connections",
    "OpenConnection",
    "check_name",
]

DEFAULT_NAME = "default"

# One that begins with a dash would be taken for an option.
_NAME = re.compile(r"\w[\w.-]{0,39}")
_CONNECT = "Run %nango_connect HOST, or %nango_connect --local to try without a broker."

ConnectionState = Literal["connected", "interrupted"]


def check_name(name: object) -> str:
    """Return the name of a connection, or say why it can't be one."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise NangoUsageError(
        f"{_quoted(name)} can't be the name of a connection",
        "Give 1 to 40 letters, digits, dots, dashes and underscores, such as prod.",
    )


def _quoted(name: object) -> str:
    """Return a name as an error repeats it: somebody may have put a URL or a token there."""
    if not isinstance(name, str):
        return f"A {type(name).__name__}"
    text = redact(name)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


class OpenConnection:
    """One connection of the session.

    Attributes
    ----------
    name : str
    client : Nango
    local : LocalServer or None
        The embedded server, if it is one.
    known : KnownNames
        What there is to trigger, and for whom, as far as was seen.
    """

    def __init__(
        self, name: str, client: Nango, local: LocalServer | None, known: KnownNames
    ) -> None:
        self.name = name
        self.client = client
        self.local = local
        self.known = known

    @property
    def address(self) -> str:
        """Where requests go."""
        return self.client.address

    @property
    def state(self) -> ConnectionState:
        """Whether it is up: the next request brings up one that is interrupted."""
        return "connected" if self.client.is_connected else "interrupted"

    async def close(self) -> None:
        """Close the client, and stop the embedded server."""
        try:
            await self.client.close()
        finally:
            if self.local:
                await self.local.stop()


class Connections:
    """Open connections by name; one of them, or none, is the current one."""

    def __init__(self) -> None:
        self._open: dict[str, OpenConnection] = {}
        self._current = ""

    @property
    def names(self) -> list[str]:
        """The names of what is open, in the order in which it was opened."""
        return list(self._open)

    @property
    def current(self) -> OpenConnection | None:
        """The current connection; None when there is none, or when it was closed."""
        return self._open.get(self._current)

    def add(self, connection: OpenConnection) -> OpenConnection | None:
        """Add a connection and make it the current one; return the one whose name it takes."""
        before = self._open.pop(connection.name, None)
        self._open[connection.name] = connection
        self._current = connection.name
        return before

    def find(self, name: str | None = None) -> OpenConnection:
        """Return the connection of a name, or the current one.

        Raises
        ------
        NangoClosedError
            If there is none. Nothing else takes the place of the current one once that is closed:
            it might be another server than meant.
        """
        if not self._open:
            raise NangoClosedError("Not connected", _CONNECT)
        found = self._open.get(self._current if name is None else name)
        if found is not None:
            return found
        are_open = f"Open: {', '.join(self._open)}."
        if name is None:
            choose = f"Choose one: %nango_connect --use {next(iter(self._open))}."
            raise NangoClosedError("No connection is the current one", f"{are_open} {choose}")
        guess = did_you_mean(name, self._open)
        raise NangoClosedError(
            f"There is no connection {_quoted(name)}", f"{guess} {are_open}".strip()
        )

    def use(self, name: str) -> OpenConnection:
        """Make a connection the current one; errors are those of `find`."""
        found = self.find(name)
        self._current = found.name
        return found

    def remove(self, name: str | None = None) -> OpenConnection:
        """Take a connection out, the current one without a name; errors are those of `find`."""
        found = self.find(name)
        del self._open[found.name]
        if found.name == self._current:
            self._current = ""
        return found

    def rows(self) -> ConnectionList:
        """Return what is open just now, to look at."""
        return ConnectionList(
            [
                ConnectionRow(name, one.address, one.state, is_current=name == self._current)
                for name, one in self._open.items()
            ]
        )


class ConnectionRow(NamedTuple):
    """What there is to tell of an open connection."""

    name: str
    address: str
    state: ConnectionState
    is_current: bool


class ConnectionList(Sequence[ConnectionRow]):
    """The open connections, drawn as a table."""

    def __init__(self, rows: Sequence[ConnectionRow]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> ConnectionRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ConnectionRow]: ...
    def __getitem__(self, index: int | slice) -> ConnectionRow | Sequence[ConnectionRow]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ConnectionRow]:
        return iter(self._rows)

    def __repr__(self) -> str:
        names = [f"{row.name} (current)" if row.is_current else row.name for row in self]
        return f"<{len(self)} open: {', '.join(names)}>" if names else "<no open connections>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nango_jupyter.display import render_card
        from nango_jupyter.display.tables import render_table

        if not self:
            return render_card("No open connections", "idle", [("Next", _CONNECT)])
        current = next((row.name for row in self if row.is_current), "")
        rows = [(row.name, *_mark(row, current), row.state, row.address) for row in self]
        choose = "%nango_connect --use NAME makes another one the current one"
        if not current:
            choose = "No connection is the current one: %nango_connect --use NAME chooses one"
        return render_table(
            f"{len(self)} open connection{'s' * (len(self) != 1)}",
            "ok" if current else "idle",
            ("Name", *([""] if current else []), "State", "Server"),
            rows,
            notes=[choose] if len(self) > 1 or not current else [],
        )


def _mark(row: ConnectionRow, current: str) -> list[str]:
    if not current:
        return []
    return ["● current" if row.is_current else ""]


@dataclass(eq=False)  # what would make it frozen takes long to load
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
    name : str
        The connection's; "" when not connected.
    others : tuple of str
        The names of the other open connections.
    """

    state: Literal["connected", "interrupted", "not connected"]
    address: str = ""
    servers: int | None = None
    integrations: Mapping[str, list[str]] | None = None
    client: Nango | None = field(default=None, repr=False)
    local: LocalServer | None = field(default=None, repr=False)
    name: str = ""
    others: tuple[str, ...] = ()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nango_jupyter.display import render_card

        is_ready = self.state == "connected" and self.servers != 0
        title = self.state.capitalize()
        return render_card(title, "ok" if is_ready else "idle", list(self._facts()))

    def _facts(self) -> Iterator[tuple[str, object]]:
        if self.name and (self.others or self.name != DEFAULT_NAME):
            yield "Name", self.name
        if self.address:
            yield "Server", self.address
        if self.servers is not None and self.integrations is None:
            yield "Listening", _describe_servers(self.servers)
        if self.integrations is not None:
            yield "Actions", dict(self.integrations)
        if self.others:
            yield "Also open", list(self.others)
        if self.state == "not connected":
            yield "Next", self._next()

    def _next(self) -> str:
        anew = "%nango_connect HOST, or %nango_connect --local"
        return f"%nango_connect --use {self.others[0]}, or {anew}" if self.others else anew


def _describe_servers(count: int) -> str:
    if count == 0:
        return "no server reads the queue server_inbound: triggers will time out"
    return f"{count} server{'s' * (count != 1)}"
