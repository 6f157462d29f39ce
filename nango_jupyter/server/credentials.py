"""What the credentials of each auth mode must hold, and what requests take from them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import is_secret_name, remember
from nango_jupyter.server.config import Integration
from nango_jupyter.wire_json import dump

__all__ = ["check_credentials", "remember_credentials", "template_values"]

# What messages call a mode, and the keys that it needs.
_NEEDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "OAUTH2": ("OAuth2", ("access_token",)),
    "OAUTH1": ("OAuth1", ("oauth_token", "oauth_token_secret")),
    "API_KEY": ("ApiKey", ("api_key",)),
    "USERNAME_PASSWORD": ("UsernamePassword", ("username", "password")),
}
_OPTIONAL: Mapping[str, tuple[type, ...]] = {
    "refresh_token": (str,),
    "expires_at": (str, int, float),
    "expires_in": (str, int, float),
}

# Every secret is looked for in everything that is logged: one of megabytes would hold up all.
_MOST_BYTES = 100_000


def check_credentials(
    integration: Integration,
    credentials: Mapping[str, Any] | None,
    oauth_access_token: str | None = None,
) -> dict[str, Any]:
    """Return the credentials to store, or say what is wrong with them.

    Parameters
    ----------
    integration : Integration
    credentials : mapping, optional
    oauth_access_token : str, optional
        What servers before 0.2 were given. It is used where there are no credentials: 0.2.1
        refuses it, but a client that knows only this field is then shut out of OAuth2.

    Raises
    ------
    NangoUsageError
        The message is the reply; it names keys, never values (0.2.1 repeats them all).
    """
    label, needed = _NEEDS[integration.auth_mode]
    if credentials is None and oauth_access_token and integration.auth_mode == "OAUTH2":
        credentials = {"access_token": oauth_access_token}
    given = ", ".join(credentials) if credentials else "none"
    for key in needed:
        value = (credentials or {}).get(key)
        if not isinstance(value, str) or not value:
            reason = f'{label} credentials must have "{key}" property: given were {given}'
            raise _refused(integration, reason)
    found = dict(credentials or {})
    if (size := len(dump(found))) > _MOST_BYTES:
        raise _refused(integration, f"they have {size:,} bytes, more than {_MOST_BYTES:,}")
    for key, types in _OPTIONAL.items():
        value = found.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
            raise _refused(integration, f'"{key}" can\'t be of type {type(value).__name__}')
    remember_credentials(found)
    return found


def _refused(integration: Integration, reason: str) -> NangoUsageError:
    return NangoUsageError(
        "Could not save connection, passed in credentials are invalid for the integration "
        f'"{integration.name}" which has auth mode "{integration.auth_mode}" - '
        f'error returned was: "Cannot parse credentials, {reason}"'
    )


def remember_credentials(credentials: Mapping[str, Any]) -> None:
    """Mask from now on what these credentials keep secret; a user's name is not a secret."""
    for key, value in credentials.items():
        if isinstance(value, Mapping):
            remember_credentials(value)
        elif isinstance(value, str) and is_secret_name(key):
            remember(value)


def template_values(credentials: Mapping[str, Any], integration: Integration) -> dict[str, str]:
    """Return what ``${…}`` stands for in an integration's headers and params.

    ``${raw.KEY}`` is from the raw answer of who issued a token, which clients keep under ``raw``,
    or put what they need of it beside the token.
    """
    values, raw = _texts(credentials), _texts(credentials.get("raw"))
    values |= {f"raw.{key}": value for key, value in {**values, **raw}.items()}
    if "username" in values and "password" in values:
        pair = f"{values['username']}:{values['password']}"
        values["basic_auth_encoded"] = base64.b64encode(pair.encode()).decode()
        remember(values["basic_auth_encoded"])
    if integration.app_api_key is not None:
        values["app_api_key"] = integration.app_api_key
    return values


def _texts(values: Any) -> dict[str, str]:
    return {
        key: str(value)
        for key, value in (values.items() if isinstance(values, Mapping) else ())
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }
