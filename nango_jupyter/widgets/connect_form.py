"""The form that connects to a Nango server."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Dropdown, HBox, Layout

from nango_jupyter.connections import DEFAULT_NAME, ConnectionRow, ConnectionStatus
from nango_jupyter.targets import open_target
from nango_jupyter.widgets import look
from nango_jupyter.widgets.choices import choose
from nango_jupyter.widgets.connect_fields import ConnectFields
from nango_jupyter.widgets.form import Form
from nango_jupyter.widgets.server_count import ServerCount
from nango_jupyter.widgets.shared import Shared

__all__ = ["ConnectForm"]

_BUTTON_WIDTH = "100px"  # three in a row of a narrow form


class ConnectForm(Form):
    """A form that connects, shows what is connected, and chooses between several connections.

    What a field leaves open is taken from where ``%nango_connect`` takes it: ``%config``, the
    environment, pyproject.toml, the keyring.

    Parameters
    ----------
    shared : Shared, optional
        As in `Form`.
    """

    def __init__(self, *, shared: Shared | None = None) -> None:
        super().__init__(shared=shared)
        self._state = HTML()
        self._current = look.field(Dropdown, "Current")
        self._fields = ConnectFields(self.shared.preferences, self.guarded, self.say)
        self._servers = ServerCount(lambda: self.shared.loop.loop, self.guarded(self._show_state))
        # What the session was like when the status line told of it.
        self._told: tuple[str, str] | None = None
        self._make_buttons()
        self.guarded(self._fields.choose_server)()
        self._is_showing = False
        self._current.observe(self.guarded(self._on_use), "value")
        self.lay_out(
            look.title("Connect"),
            self._state_row(),
            self._current,
            *self._fields.widgets,
            look.row(self._connect, self._disconnect, self.cancel_button),
            self.status,
        )

    def _state_row(self) -> HBox:
        """Put the state line and its button beside each other; two lines have room in it."""
        self._state.layout.flex = "0 1 auto"
        return HBox(
            [self._state, self._reconnect],
            layout=Layout(min_height="48px", align_items="center", overflow="visible"),
        )

    def _make_buttons(self) -> None:
        self._connect = look.button("Connect", "primary")
        self._disconnect = look.button("Disconnect", tooltip="Close the current connection")
        self._reconnect = look.button("Reconnect", "warning")
        self._connect.on_click(self.guarded(self._on_connect))
        self._disconnect.on_click(self.guarded(self._on_disconnect))
        self._reconnect.on_click(self.guarded(self._on_reconnect))
        self.buttons = (self._connect, self._disconnect, self._reconnect)
        for button in (*self.buttons, self.cancel_button):
            button.layout.width = _BUTTON_WIDTH
        self._reconnect.layout.flex = "0 0 auto"

    def refresh(self) -> None:
        """Show what is open."""
        rows = list(self.session.connections())
        current = _current_of(rows)
        is_up = current is not None and current.state == "connected"
        connection = self.session.connection() if is_up else None
        is_remote = connection is not None and connection.local is None
        self._servers.follow(connection.client if connection and is_remote else None)
        self._show_state()
        self._fields.show_settings()
        is_lost = current is not None and not is_up
        self._reconnect.layout.display = None if is_lost else "none"
        self._disconnect.disabled = current is None or self._worker.is_busy
        self._show_choice(rows, current)
        self._take_back()

    def _show_state(self) -> None:
        rows = list(self.session.connections())
        text, kind = _describe(rows, self._servers.count)
        self._state.value = look.text_html(text, f"nango-status {kind}".strip(), "status")

    def _show_choice(self, rows: list[ConnectionRow], current: ConnectionRow | None) -> None:
        self._is_showing = True
        try:
            options = [(f"{row.name}: {row.address}", row.name) for row in rows]
            choose(self._current, options, current.name if current else None)
        finally:
            self._is_showing = False
        # Its place is kept: nothing jumps when another connection is opened.
        is_needed = len(rows) > 1 or (bool(rows) and current is None)
        self._current.layout.visibility = "visible" if is_needed else "hidden"

    def _tell(self, text: str) -> None:
        self.say(text, "ok")
        self._told = self._seen()

    def _take_back(self) -> None:
        """Clear a message of success when it is true no more."""
        if self._told is None or self._told == self._seen():
            return
        self._told = None
        if not self._worker.is_busy:
            self.say("")

    def _seen(self) -> tuple[str, str]:
        current = _current_of(list(self.session.connections()))
        return (current.name, current.state) if current else ("", "")

    def _on_use(self, change: dict[str, Any]) -> None:
        name = change["new"]
        if self._is_showing or name is None:
            return

        async def use() -> None:
            self.session.use(name)

        def used(_: None) -> None:
            self._tell(f"{name} is the current connection.")

        if not self.begin(use, "Choosing", used):
            self._refresh_soon()  # or it would show one that is not the current one

    def _on_connect(self, _: object) -> None:
        if self._worker.is_busy:
            return  # a double click: the first one has taken the password
        name = self._fields.typed_name
        target = self._fields.target()

        async def connect() -> ConnectionStatus:
            return await open_target(self.session, target, name)

        if self.begin(connect, "Connecting", self._connected):
            self._told = None
            self._fields.password.take()

    def _connected(self, _: ConnectionStatus) -> None:
        self._tell("Connected.")

    def _on_disconnect(self, _: object) -> None:
        self.begin(self.session.close, "Disconnecting", lambda _: self._tell("Disconnected."))

    def _on_reconnect(self, _: object) -> None:
        async def reconnect() -> ConnectionStatus:
            await self.session.client().connect()
            self.session.changes.notify()
            return await self.session.status()

        self.begin(reconnect, "Reconnecting", self._connected)

    def on_settled(self) -> None:
        """Let the next thing begin, where there is something to do."""
        super().on_settled()
        self._refresh_soon()

    def close(self) -> None:
        """Close as any form; and count servers no more."""
        if not self._is_closed:
            self._servers.close()
        super().close()


def _current_of(rows: list[ConnectionRow]) -> ConnectionRow | None:
    return next((row for row in rows if row.is_current), None)


def _describe(rows: list[ConnectionRow], servers: int | None) -> tuple[str, str]:
    """Say what is connected, and how that is to be marked."""
    current = _current_of(rows)
    if current is None:
        is_open = "No connection is the current one: choose one, or connect."
        return (is_open if rows else "Not connected."), ""
    name = "" if current.name == DEFAULT_NAME and len(rows) == 1 else f"{current.name}: "
    if current.state == "interrupted":
        return f"{name}The connection to {current.address} was lost.", "nango-error"
    text = f"{name}Connected to {current.address}."
    if servers == 0:
        return f"{text} No server listens there: triggers will time out.", "nango-warn"
    if servers is not None:
        text += f" {servers} server{'s listen' if servers > 1 else ' listens'}."
    return text, "nango-ok"
