"""The form that connects to a Nango server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ipywidgets import HTML, Dropdown, Text

from nango_jupyter.connections import DEFAULT_NAME, ConnectionRow, ConnectionStatus, check_name
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.preferences import LocalTarget
from nango_jupyter.secret_sources import find_password
from nango_jupyter.secrets import Secret
from nango_jupyter.settings import Settings, password_in
from nango_jupyter.widgets import look
from nango_jupyter.widgets.choices import choose
from nango_jupyter.widgets.form import Form
from nango_jupyter.widgets.secret_field import SecretField
from nango_jupyter.widgets.shared import Shared

__all__ = ["ConnectForm"]

_LOCAL, _BROKER = "local", "broker"
_WHERE = (("Embedded server, in this kernel", _LOCAL), ("RabbitMQ broker", _BROKER))


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
        self._where = look.field(Dropdown, "Server", options=_WHERE)
        self._folder = look.field(Text, "Folder", placeholder="the samples")
        self._host = look.field(Text, "Host", continuous_update=False)
        self._port = look.field(Text, "Port")
        self._user = look.field(Text, "Broker user")
        self._password = SecretField("Password")
        self._vhost = look.field(Text, "Virtual host")
        self._name = look.field(Text, "Name", placeholder=DEFAULT_NAME)
        self._timeout = look.field(Text, "Time limit")
        self._of = {
            _LOCAL: (self._folder,),
            _BROKER: (self._host, self._port, self._user, self._password.widget, self._vhost),
        }
        self._make_buttons()
        self._connection_fields = look.row(self._close_button, self._reconnect)
        self._where.value = self._read_preferences()
        self._where.observe(self.guarded(self._follow_where), "value")
        self._host.observe(self.guarded(self._hide_password), "value")
        self._current.observe(self.guarded(self._on_use), "value")
        self._is_showing = False
        self.lay_out(
            look.title("Connect"),
            self._state,
            self._current,
            self._connection_fields,
            self._where,
            *self._of[_LOCAL],
            *self._of[_BROKER],
            self._name,
            look.help_text("Keeps it beside other connections, by this name."),
            self._timeout,
            look.row(self._connect, self.cancel_button),
            self.status,
        )
        self._follow_where({"new": self._where.value})

    def _make_buttons(self) -> None:
        self._connect = look.button("Connect", "primary")
        self._close_button = look.button("Close", tooltip="Close the current connection")
        self._reconnect = look.button("Reconnect", "warning")
        self._connect.on_click(self.guarded(self._on_connect))
        self._close_button.on_click(self.guarded(self._on_close))
        self._reconnect.on_click(self.guarded(self._on_reconnect))
        self.buttons = (self._connect, self._close_button, self._reconnect)

    def _read_preferences(self) -> str:
        """Show what the settings say where a field is left empty; return which server they mean."""
        self._timeout.placeholder = "30 seconds"
        try:
            found = self.shared.preferences.settings()
        except NangoUsageError as error:
            self.fail(error)
            return _LOCAL
        if isinstance(found, LocalTarget):
            self._folder.placeholder = found.folder or "the samples"
            return _LOCAL
        self._timeout.placeholder = f"{found.timeout:g} seconds"
        self._host.placeholder = f"{found.host}, or an amqp:// URL"
        self._port.placeholder = str(found.port)
        self._user.placeholder = found.username
        self._vhost.placeholder = found.vhost
        is_plain = found == Settings.from_target("localhost", timeout=found.timeout)
        return _LOCAL if is_plain else _BROKER

    def _follow_where(self, change: dict[str, Any]) -> None:
        for where, fields in self._of.items():
            for field in fields:
                field.layout.display = None if where == change["new"] else "none"

    def _hide_password(self, change: dict[str, Any]) -> None:
        """Move a password out of a URL, into the field that keeps nothing."""
        if not password_in(change["new"]):
            return
        self._host.value = ""  # first, whatever becomes of it
        settings = Settings.from_target(change["new"])
        if settings.password is not None:
            self._password.give(settings.password)
        self._host.value = _without_password(change["new"])
        self.say("The password was moved out of the URL.")

    def refresh(self) -> None:
        """Show what is open."""
        rows = list(self.session.connections())
        current = next((row for row in rows if row.is_current), None)
        is_ok = current is not None and current.state == "connected"
        kind = "nango-status nango-ok" if is_ok else "nango-status"
        if current is not None and not is_ok:
            kind = "nango-status nango-error"
        self._state.value = look.text_html(_describe(current, rows), kind, "status")
        self._close_button.layout.display = None if current else "none"
        is_lost = current is not None and current.state == "interrupted"
        self._reconnect.layout.display = None if is_lost else "none"
        self._connection_fields.layout.display = None if current else "none"
        self._show_choice(rows, current)

    def _show_choice(self, rows: list[ConnectionRow], current: ConnectionRow | None) -> None:
        self._is_showing = True
        try:
            options = [(f"{row.name}: {row.address}", row.name) for row in rows]
            choose(self._current, options, current.name if current else None)
        finally:
            self._is_showing = False
        is_needed = len(rows) > 1 or (bool(rows) and current is None)
        self._current.layout.display = None if is_needed else "none"

    def _on_use(self, change: dict[str, Any]) -> None:
        name = change["new"]
        if self._is_showing or name is None:
            return

        async def use() -> None:
            self.session.use(name)

        self.begin(use, "Choosing", lambda _: self.say(f"{name} is the current connection.", "ok"))

    def _on_connect(self, _: object) -> None:
        name = check_name(self._name.value.strip() or DEFAULT_NAME)
        target = self._target(name)

        async def connect() -> ConnectionStatus:
            if isinstance(target, LocalTarget):
                return await self.session.connect_local(target.folder, target.timeout, name)
            return await self.session.connect(target, name)

        if self.begin(connect, "Connecting", self._connected):
            self._password.take()

    def _connected(self, status: ConnectionStatus) -> None:
        self.say(f"Connected to {status.address}.", "ok")

    def _target(self, name: str) -> Settings | LocalTarget:
        """Read the fields; what they leave open, the settings say."""
        named = name if self._name.value.strip() else None
        timeout = _number(self._timeout.value, "The time limit", "seconds, such as 30")
        if self._where.value == _LOCAL:
            limit = self.shared.preferences.timeout(named) if timeout is None else timeout
            return LocalTarget(self._folder.value.strip() or self._named_folder(named), limit)
        port = _number(self._port.value, "The port", "a number, such as 5672")
        found = self.shared.preferences.settings(
            self._host.value.strip() or None,
            named,
            port=None if port is None else int(port),
            user=self._user.value.strip() or None,
            vhost=self._vhost.value.strip() or None,
            timeout=timeout,
        )
        if isinstance(found, LocalTarget):
            found = Settings.from_target("localhost")
        return self._with_password(found)

    def _named_folder(self, name: str | None) -> str | None:
        found = self.shared.preferences.settings(None, name) if name else None
        return found.folder if isinstance(found, LocalTarget) else None

    def _with_password(self, settings: Settings) -> Settings:
        password: Secret | None = self._password.given
        if password is None and settings.needs_password:
            password = find_password(settings.username, settings.host, settings.port)
            if password is None:
                raise NangoUsageError(
                    f"The broker asks for the password of {settings.username}",
                    "Type it, or set NANGO_PASSWORD before the kernel starts.",
                )
        return settings if password is None else settings.with_password(password)

    def _on_close(self, _: object) -> None:
        self.begin(self.session.close, "Closing", lambda _: self.say("Closed.", "ok"))

    def _on_reconnect(self, _: object) -> None:
        async def reconnect() -> ConnectionStatus:
            await self.session.client().connect()
            self.session.changes.notify()
            return await self.session.status()

        self.begin(reconnect, "Reconnecting", self._connected)


def _describe(current: ConnectionRow | None, rows: list[ConnectionRow]) -> str:
    if current is None:
        return "No connection is the current one." if rows else "Not connected."
    name = "" if current.name == DEFAULT_NAME and len(rows) == 1 else f"{current.name}: "
    if current.state == "interrupted":
        return f"{name}The connection to {current.address} was lost."
    return f"{name}Connected to {current.address}."


def _number(text: str, what: str, example: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise NangoUsageError(f"{what} is not a number", f"Give {example}.") from None


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}@{host}").geturl()
