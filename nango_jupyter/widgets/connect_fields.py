"""The fields that say where to connect; what they leave open, the settings say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from ipywidgets import Combobox, Dropdown, Text, Widget

from nango_jupyter.connections import DEFAULT_NAME, check_name
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.preferences import LocalTarget, Preferences
from nango_jupyter.secrets import remember
from nango_jupyter.settings import Settings, password_in
from nango_jupyter.targets import with_known_password
from nango_jupyter.widgets import look
from nango_jupyter.widgets.secret_field import SecretField

__all__ = ["ConnectFields"]

_LOCAL, _BROKER = "local", "broker"
_WHERE = (("Local server, in this kernel", _LOCAL), ("RabbitMQ broker", _BROKER))
_SAMPLES = "the samples"
_SECONDS = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)\s*(?:s|sec|seconds?)?")


class ConnectFields:
    """Which server, under which name.

    Parameters
    ----------
    preferences : Preferences
        Where ``%nango_connect`` takes from what its line leaves open, too.
    guarded : function
        Wraps a callback, so that its error ends as a message.
    say : function
        Shows a message.

    Attributes
    ----------
    widgets : tuple of Widget
        What to show.
    password : SecretField
    """

    def __init__(
        self,
        preferences: Preferences,
        guarded: Callable[[Callable[..., Any]], Callable[..., Any]],
        say: Callable[[str], object],
    ) -> None:
        self._preferences = preferences
        self._say = say
        self.where = look.field(Dropdown, "Server", options=_WHERE)
        self.folder = look.field(Text, "Folder", placeholder=_SAMPLES)
        self.host = look.field(Text, "Host", continuous_update=False)
        self.port = look.field(Text, "Port")
        self.user = look.field(Text, "Broker user")
        self.password = SecretField("Password")
        self.vhost = look.field(Text, "Virtual host")
        self.name = look.field(Combobox, "Name", placeholder=DEFAULT_NAME, continuous_update=False)
        self.timeout = look.field(Text, "Time limit")
        self._of: dict[str, tuple[Widget, ...]] = {
            _LOCAL: (self.folder, look.help_text("A folder with an integrations.yaml in it.")),
            _BROKER: (self.host, self.port, self.user, self.password.widget, self.vhost),
        }
        self.widgets: tuple[Widget, ...] = (
            self.where,
            *self._of[_LOCAL],
            *self._of[_BROKER],
            self.name,
            look.help_text("Keeps it beside other connections, by this name."),
            self.timeout,
        )
        self.where.observe(guarded(self._follow_where), "value")
        self.host.observe(guarded(self._follow_host), "value")
        self.name.observe(guarded(self._follow_name), "value")
        self._follow_where(None)

    @property
    def typed_name(self) -> str | None:
        """The connection's name; None if none is typed.

        Raises
        ------
        NangoUsageError
            If it can't be one.
        """
        typed = self.name.value.strip()
        return check_name(typed) if typed else None

    def target(self) -> Settings | LocalTarget:
        """Read where to connect.

        Raises
        ------
        NangoUsageError
            If what is typed, or what the settings say, can't be used; or a password is missing.
        """
        named = self.typed_name
        timeout = _read_seconds(self.timeout.value)
        if self.where.value == _LOCAL:
            limit = self._preferences.timeout(named) if timeout is None else timeout
            return LocalTarget(self.folder.value.strip() or self._usual_folder(named), limit)
        return self._with_password(self._read_broker(named, timeout))

    def _read_broker(self, named: str | None, timeout: float | None) -> Settings:
        port = _read_port(self.port.value)
        host = self.host.value.strip() or None
        if host is None and isinstance(self._preferences.settings(None, named), LocalTarget):
            host = "localhost"  # they say nothing of a broker
        found = self._preferences.settings(
            host,
            named,
            port=port,
            user=self.user.value.strip() or None,
            vhost=self.vhost.value.strip() or None,
            timeout=timeout,
        )
        broker = cast("Settings", found)  # with a host, or without a local server, it is one
        if port is not None and broker.port != port:
            raise NangoUsageError(
                f"The host says port {broker.port}, and the port is {port}", "Keep one of the two."
            )
        return broker

    def _with_password(self, broker: Settings) -> Settings:
        if self.password.given is not None:
            return broker.with_password(self.password.given)
        found = with_known_password(broker)
        if found.needs_password:
            raise NangoUsageError(
                f"The broker asks for the password of {found.username}",
                "Type it, or set NANGO_PASSWORD before the kernel starts.",
            )
        return found

    def _usual_folder(self, named: str | None) -> str | None:
        try:
            found = self._preferences.settings(None, named)
        except NangoUsageError:
            if named is not None:  # it may be misspelt
                raise
            return None  # what is wrong about a broker is no matter here
        return found.folder if isinstance(found, LocalTarget) else None

    def choose_server(self) -> None:
        """Choose the kind of server that the settings mean.

        Raises
        ------
        NangoUsageError
            If they can't be used.
        """
        found = self._preferences.settings()
        is_told = not isinstance(found, LocalTarget) and found != Settings(timeout=found.timeout)
        self.where.value = _BROKER if is_told else _LOCAL

    def show_settings(self) -> None:
        """Show in empty fields what the settings say, for this host and name."""
        named = self.name.value.strip() or None
        self._show_names()
        try:
            found = self._preferences.settings(None, named)
            folder = found.folder if isinstance(found, LocalTarget) else None
            # What a URL in the field says stands there already.
            host = self.host.value.strip() or (
                "localhost" if isinstance(found, LocalTarget) else None
            )
            broker = self._preferences.settings(host, named)
        except NangoUsageError:  # connecting says so
            folder, broker = None, Settings()
        self.folder.placeholder = folder or _SAMPLES
        self._show_broker(cast("Settings", broker))

    def _show_names(self) -> None:
        try:
            names = self._preferences.connection_names()
        except NangoUsageError:
            return
        if tuple(names) != self.name.options:
            self.name.options = names

    def _show_broker(self, broker: Settings) -> None:
        self.host.placeholder = f"{broker.host}, or an amqp:// URL"
        self.port.placeholder = str(broker.port)
        self.user.placeholder = broker.username
        self.vhost.placeholder = broker.vhost
        self.timeout.placeholder = f"{broker.timeout:g} seconds"
        is_known = broker.username != Settings().username and not broker.needs_password
        self.password.suggest("the one that the settings say" if is_known else "")

    def _follow_where(self, _: object) -> None:
        for where, fields in self._of.items():
            for field in fields:
                field.layout.display = None if where == self.where.value else "none"

    def _follow_name(self, change: dict[str, Any]) -> None:
        self.show_settings()
        if change["new"].strip() in self._preferences.connection_names():
            found = self._preferences.settings(None, change["new"].strip())
            self.where.value = _LOCAL if isinstance(found, LocalTarget) else _BROKER

    def _follow_host(self, change: dict[str, Any]) -> None:
        self._hide_password(change["new"].strip())
        self.show_settings()

    def _hide_password(self, typed: str) -> None:
        """Move a password out of a URL, into the field that keeps nothing."""
        url = typed if "://" in typed else f"amqp://{typed}"
        if not (password := password_in(url)):
            return
        self.host.value = ""  # first, whatever becomes of it
        remember(password)
        self.password.give(Settings.from_target(url).password)
        self.host.value = re.sub(r"(://[^:@/?#]*):[^@/?#]*@", r"\1@", url, count=1)
        self._say("The password was moved out of the URL.")


def _read_seconds(text: str) -> float | None:
    if not text.strip():
        return None
    if found := _SECONDS.fullmatch(text.strip()):
        return float(found[1])
    raise NangoUsageError("The time limit is not a number", "Give seconds, such as 30.")


def _read_port(text: str) -> int | None:
    if not text.strip():
        return None
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return int(text)
    raise NangoUsageError("The port is not a number", "Give one from 1 to 65535, such as 5672.")
