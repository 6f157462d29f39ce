"""What a caller gives as token or credentials, as it goes out; whatever is secret is masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import Secret, remember, reveal

__all__ = ["Credentials", "both_spellings", "reveal_all"]

Credentials = dict[str, Any]

# What credentials hold besides secrets.
_NOT_SECRET = frozenset({"username", "expires_at", "expires_in", "token_type", "scope", "type"})


def both_spellings(token: str | Secret | None, credentials: Credentials | None) -> dict[str, Any]:
    """Spell a token for 0.1's servers and for 0.2's; each ignores the other's."""
    if token is None and credentials is None:
        raise NangoUsageError(
            "Neither a token nor credentials were given",
            "Pass oauth_access_token, or credentials={'api_key': …}.",
        )
    if token is not None:
        token = reveal(token)
        if isinstance(token, str):
            remember(token)
    found = {"access_token": token} if credentials is None else reveal_all(credentials)
    if token is None and isinstance(found, dict) and isinstance(found.get("access_token"), str):
        token = found["access_token"] or None
    return {"oauth_access_token": token, "credentials": found}


def reveal_all(credentials: Any) -> Any:
    """Return credentials as JSON, and remember what to mask; what is no dict is refused later."""
    if not isinstance(credentials, Mapping):
        return credentials
    found = {name: reveal(value) for name, value in credentials.items()}
    _remember_all(found)
    return found


def _remember_all(value: Any, name: str = "") -> None:
    """Mask every text inside credentials from now on, however deep: a raw token response is one."""
    if isinstance(value, str) and name not in _NOT_SECRET:
        remember(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _remember_all(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            _remember_all(item, name)
