"""The fields for a user's credentials, of each kind that integrations take."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from ipywidgets import Dropdown, Text, Widget

from nango_jupyter.credentials import Credentials
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.messages import UserId
from nango_jupyter.secret_sources import KEYRING_SERVICE, find_token
from nango_jupyter.secrets import Secret
from nango_jupyter.widgets import look
from nango_jupyter.widgets.secret_field import SecretField

__all__ = ["CredentialFields"]

_TOKEN, _NAMED, _KEYRING = "token", "named", "keyring"
_OAUTH2, _OAUTH1, _KEY, _BASIC = "oauth2", "oauth1", "key", "basic"
_KINDS = (
    ("An access token", _TOKEN),
    ("A token from an environment variable", _NAMED),
    ("A token from the keyring", _KEYRING),
    ("OAuth 2: access token and refresh token", _OAUTH2),
    ("OAuth 1: token and its secret", _OAUTH1),
    ("An API key", _KEY),
    ("User name and password", _BASIC),
)
# What `from_environment` repeats in an error.
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")

_Part: TypeAlias = Text | SecretField


class CredentialFields:
    """Which credentials, and the fields that this kind has.

    Parameters
    ----------
    guarded : function
        Wraps a callback, so that its error ends as a message.
    on_change : function
        Called when something else is in a field.

    Attributes
    ----------
    widgets : tuple of Widget
        What to show.
    """

    def __init__(
        self,
        guarded: Callable[[Callable[..., Any]], Callable[..., Any]],
        on_change: Callable[[], object],
    ) -> None:
        self.kind = look.field(Dropdown, "Credentials", options=_KINDS)
        self.token = SecretField("Token")
        self.refresh_token = SecretField("Refresh token")
        self.expires = look.field(
            Text, "Expires at", placeholder="optional, such as 2030-12-31T12:00:00Z"
        )
        self.variable = look.field(
            Text, "Variable", placeholder="SLACK_TOKEN", continuous_update=False
        )
        self.service = look.field(Text, "Keyring service", placeholder=KEYRING_SERVICE)
        self.token_secret = SecretField("Token secret")
        self.key = SecretField("API key")
        self.account = look.field(Text, "User name")
        self.password = SecretField("Password")
        self._of: dict[str, tuple[_Part, ...]] = {
            _TOKEN: (self.token,),
            _NAMED: (self.variable,),
            _KEYRING: (self.service,),
            _OAUTH2: (self.token, self.refresh_token, self.expires),
            _OAUTH1: (self.token, self.token_secret),
            _KEY: (self.key,),
            _BASIC: (self.account, self.password),
        }
        self._parts = list(
            {id(part): part for parts in self._of.values() for part in parts}.values()
        )
        self.widgets: tuple[Widget, ...] = (self.kind, *map(_widget, self._parts))
        self.kind.observe(guarded(self._follow_kind), "value")
        for widget in self.widgets:
            widget.observe(guarded(lambda _: on_change()), "value")
        # The last: what it says is wrong stays said.
        self.variable.observe(guarded(self._check_variable), "value")
        self._follow_kind(None)

    def _follow_kind(self, _: object) -> None:
        shown = self._of[self.kind.value]
        for part in self._parts:
            _widget(part).layout.display = None if part in shown else "none"

    def _check_variable(self, change: dict[str, Any]) -> None:
        """Leave no token in the field that was pasted there in the place of a name."""
        typed = change["new"].strip()
        if not typed or _VARIABLE.fullmatch(typed) or typed in os.environ:
            return
        self.variable.value = ""
        raise NangoUsageError(
            "That is not the name of an environment variable, and was taken out of the field",
            "Give a name, such as SLACK_TOKEN. For a token itself, choose “An access token”.",
        )

    def missing(self) -> list[str]:
        """Return the labels of what has to be filled in."""
        optional = (self.service, self.expires)
        parts = [part for part in self._of[self.kind.value] if part not in optional]
        return [_widget(part).description for part in parts if not _is_given(part)]

    def read(self, integration: str, user: UserId) -> tuple[Secret | None, Credentials | None]:
        """Return the token, or the credentials of another kind; nothing of them is missing.

        Raises
        ------
        NangoUsageError
            If a variable, or the keyring, has no token.
        """
        kind = self.kind.value
        if kind == _NAMED:
            return find_token(integration, user, environ_name=self.variable.value.strip()), None
        if kind == _KEYRING:
            service = self.service.value.strip() or KEYRING_SERVICE  # it has to be there
            return find_token(integration, user, service=service), None
        if kind == _TOKEN:
            return self.token.given, None
        return None, self._read_credentials(kind)

    def _read_credentials(self, kind: str) -> Credentials:
        if kind == _OAUTH2:
            found = {
                "access_token": self.token.given,
                "refresh_token": self.refresh_token.given,
                "expires_at": self.expires.value.strip(),
            }
            return {name: value for name, value in found.items() if value}
        if kind == _OAUTH1:
            return {
                "oauth_token": self.token.given,
                "oauth_token_secret": self.token_secret.given,
            }
        if kind == _KEY:
            return {"api_key": self.key.given}
        return {"username": self.account.value.strip(), "password": self.password.given}

    def forget(self) -> None:
        """Forget every secret."""
        for part in self._parts:
            if isinstance(part, SecretField):
                part.take()


def _widget(part: _Part) -> Widget:
    return part.widget if isinstance(part, SecretField) else part


def _is_given(part: _Part) -> bool:
    if isinstance(part, SecretField):
        return part.given is not None
    return bool(part.value.strip())
