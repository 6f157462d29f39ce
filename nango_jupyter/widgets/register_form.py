"""The form that registers a user's connection to an integration."""

from __future__ import annotations

from typing import Any

from ipywidgets import Combobox, Dropdown, Text

from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.results import NangoResult
from nango_jupyter.secret_sources import find_token
from nango_jupyter.secrets import Secret
from nango_jupyter.widgets import look
from nango_jupyter.widgets.checked_field import CheckedField
from nango_jupyter.widgets.form import Form
from nango_jupyter.widgets.json_area import JsonArea
from nango_jupyter.widgets.secret_field import SecretField
from nango_jupyter.widgets.shared import Shared
from nango_jupyter.widgets.user_field import UserField

__all__ = ["RegisterForm"]

_TOKEN, _NAMED, _OAUTH1, _KEY, _BASIC = "token", "named", "oauth1", "key", "basic"
_KINDS = (
    ("An access token", _TOKEN),
    ("A token from an environment variable or the keyring", _NAMED),
    ("An OAuth 1 token and its secret", _OAUTH1),
    ("An API key", _KEY),
    ("A user name and password", _BASIC),
)


class RegisterForm(Form):
    """A form that registers a user's connection: a token, or what else the integration takes.

    Tokens and passwords leave their fields as soon as they are typed.

    Parameters
    ----------
    integration : str, optional
        What to fill in.
    shared : Shared, optional
        As in `Form`.
    """

    def __init__(self, integration: str = "", *, shared: Shared | None = None) -> None:
        super().__init__(shared=shared)
        self._integration = look.field(
            Combobox, "Integration", placeholder="slack", value=integration
        )
        self._checked = CheckedField(self._integration)
        self._user = UserField()
        self._kind = look.field(Dropdown, "Credentials", options=_KINDS)
        self._token = SecretField("Token")
        self._refresh_token = SecretField("Refresh token", "optional")
        self._variable = look.field(
            Text, "Variable", placeholder="SLACK_TOKEN; empty: from the keyring"
        )
        self._secret = SecretField("Token secret")
        self._key = SecretField("API key")
        self._account = look.field(Text, "User name")
        self._password = SecretField("Password")
        self._config = JsonArea(
            "Config", lambda: None, "An object in JSON, which the actions can read; optional."
        )
        self._of = {
            _TOKEN: (self._token.widget, self._refresh_token.widget),
            _NAMED: (self._variable,),
            _OAUTH1: (self._token.widget, self._secret.widget),
            _KEY: (self._key.widget,),
            _BASIC: (self._account, self._password.widget),
        }
        self._kind.observe(self.guarded(self._follow_kind), "value")
        self._register = look.button("Register", "primary")
        self._register.on_click(self.guarded(self._on_register))
        self.buttons = (self._register,)
        self.lay_out(
            look.title("Register"),
            self._checked.widget,
            self._user.widget,
            self._kind,
            *self._parts(),
            self._config.widget,
            look.row(self._register, self.cancel_button),
            self.status,
            self.result,
        )
        self._follow_kind(None)

    def _parts(self) -> list[Any]:
        parts = [part for parts in self._of.values() for part in parts]
        return list({id(part): part for part in parts}.values())

    def _follow_kind(self, _: object) -> None:
        shown = self._of[self._kind.value]
        for part in self._parts():
            part.layout.display = None if part in shown else "none"

    def refresh(self) -> None:
        """Offer the integrations that there are."""
        try:
            known = self.session.connection().known
        except NangoClosedError:
            names: list[str] = []
        else:
            names = known.integrations()
        self._checked.offer(names)

    def _on_register(self, _: object) -> None:
        integration = self._integration.value.strip()
        self._checked.error = "" if integration else "Which one? Give the integration's name."
        user = self._user.read()
        if not integration:
            raise NangoUsageError("There is no integration", "Give its name.")
        config = self._config.read()
        if config is not None and not isinstance(config, dict):
            raise self._config.wrong("must be an object, such as {}")
        self.session.client()  # before anything is asked for
        token, credentials = self._credentials(integration, user)

        async def register() -> NangoResult:
            return await self.session.register(
                integration, user, token, config, credentials=credentials
            )

        if self.begin(register, "Registering", self._registered):
            self.result.value = ""
            self._forget()

    def _credentials(self, integration: str, user: Any) -> tuple[Secret | None, Any]:
        """Return the token, or the credentials of another kind."""
        kind = self._kind.value
        if kind == _NAMED:
            variable = self._variable.value.strip() or None
            token = find_token(integration, user, environ_name=variable)
            if token is None:
                raise NangoUsageError(
                    "The keyring has no such token",
                    f"Store it as nango-jupyter, {integration}/{user}; or name a variable.",
                )
            return token, None
        if kind == _TOKEN:
            token = _needed(self._token)
            if self._refresh_token.given is None:
                return token, None
            refresh = _needed(self._refresh_token)
            return None, {"access_token": token, "refresh_token": refresh}
        if kind == _OAUTH1:
            found = {"oauth_token": self._token, "oauth_token_secret": self._secret}
            return None, {name: _needed(field) for name, field in found.items()}
        if kind == _KEY:
            return None, {"api_key": _needed(self._key)}
        if not (account := self._account.value.strip()):
            raise NangoUsageError("User name is required")
        return None, {"username": account, "password": _needed(self._password)}

    def _forget(self) -> None:
        secrets = (self._token, self._refresh_token, self._secret, self._key, self._password)
        for field in secrets:
            field.take()

    def _registered(self, result: NangoResult) -> None:
        self.say("Registered.", "ok")
        self.show(result)


def _needed(field: SecretField) -> Secret:
    if field.given is None:
        raise NangoUsageError(f"{field.widget.description} is required")
    return field.given
