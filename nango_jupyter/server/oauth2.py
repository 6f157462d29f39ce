"""OAuth2's refresh of a token: when it is due, what to send, and what the answer means."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx

from nango_jupyter.exceptions import NangoHttpError
from nango_jupyter.secrets import redact
from nango_jupyter.server.config import Integration
from nango_jupyter.server.response import NangoResponse, shown_request
from nango_jupyter.wire_json import decode

__all__ = ["can_refresh", "read_answer", "refreshed", "stale_at", "token_request"]

_MARGIN = 60.0  # seconds that a token is refreshed before it expires, if its life is long
_MILLISECONDS_ABOVE = 1e11  # as seconds it would be after the year 5000
_MOST_CHARACTERS = 300


def can_refresh(integration: Integration, credentials: Mapping[str, Any]) -> bool:
    """Tell whether there is all that a refresh needs."""
    return (
        integration.token_url is not None
        and integration.auth_mode == "OAUTH2"
        and bool(_text(credentials, "refresh_token"))
    )


def stale_at(integration: Integration, credentials: Mapping[str, Any], stored: datetime) -> float:
    """Return when to refresh the access token, in seconds since 1970; infinity is never.

    Parameters
    ----------
    integration : Integration
    credentials : mapping
    stored : datetime
        When they were; an ``expires_in`` counts from here.
    """
    if not can_refresh(integration, credentials):
        return math.inf
    since = stored.timestamp()
    expiry = _expiry(credentials, since)
    if expiry is None:
        return math.inf
    return expiry - min(_MARGIN, max(0.0, expiry - since) / 10)


def _expiry(credentials: Mapping[str, Any], since: float) -> float | None:
    """Return when the access token expires, in seconds since 1970; None if that isn't known."""
    given = credentials.get("expires_at")
    expiry = _number(given)
    if expiry is None and isinstance(given, str):
        expiry = _timestamp(given)
    elif expiry is not None and expiry > _MILLISECONDS_ABOVE:
        expiry /= 1000
    lasts = _number(credentials.get("expires_in"))
    if expiry is None and lasts is not None and lasts > 0:  # 0 is how some say: it doesn't expire
        expiry = since + lasts
    return expiry if expiry is not None and 0 < expiry < _MILLISECONDS_ABOVE else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _timestamp(text: str) -> float | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def token_request(
    client: httpx.AsyncClient, integration: Integration, credentials: Mapping[str, Any]
) -> httpx.Request:
    """Return the request for a new token."""
    headers = {"Accept": "application/json"}  # GitHub, for one, answers with a form otherwise
    form = {"grant_type": "refresh_token", "refresh_token": credentials["refresh_token"]}
    if integration.oauth_scopes:
        form["scope"] = integration.oauth_scopes
    client_id, secret = integration.oauth_client_id or "", integration.oauth_client_secret or ""
    if integration.token_auth == "basic":  # noqa: S105
        pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    else:
        pairs = {"client_id": client_id, "client_secret": secret}
        form |= {key: value for key, value in pairs.items() if value}  # public clients have none
    return client.build_request("POST", integration.token_url or "", data=form, headers=headers)


def read_answer(response: NangoResponse) -> dict[str, Any]:
    """Return the answer that holds a new token.

    Raises
    ------
    NangoHttpError
        If there is none; it says why, and what to do.
    """
    answer = _object(response)
    if response.is_success and _text(answer, "access_token"):
        return answer
    raise NangoHttpError(_refusal(response, answer))


def _object(response: NangoResponse) -> dict[str, Any]:
    try:
        answer = decode(response.content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def refreshed(old: Mapping[str, Any], answer: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the credentials that an answer makes of the old ones.

    Parameters
    ----------
    old, answer : mapping
    now : datetime
        From where the answer counts the life of its token.
    """
    raw = old.get("raw")
    found = {key: value for key, value in old.items() if key not in ("expires_at", "expires_in")}
    found["access_token"] = answer["access_token"]
    found["raw"] = {**(raw if isinstance(raw, Mapping) else {}), **answer}
    if refresh_token := _text(answer, "refresh_token"):  # else the old one stays good
        found["refresh_token"] = refresh_token
    if (expiry := _expiry(answer, now.timestamp())) is not None:
        found["expires_at"] = datetime.fromtimestamp(expiry, UTC).isoformat()
    return found


def _refusal(response: NangoResponse, answer: Mapping[str, Any]) -> str:
    """Say why there is no new token, and what to do; nothing else of the answer, it may be one."""
    code, description = _text(answer, "error"), _text(answer, "error_description")
    said = redact(": ".join(filter(None, [code, description]))) or "no access_token"
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error:
        advice = "Try again later."
    elif code in ("invalid_client", "unauthorized_client") or (
        status == HTTPStatus.UNAUTHORIZED and not code
    ):
        advice = "Check oauth_client_id and oauth_client_secret in integrations.yaml."
    else:
        advice = "Let the user log in again, and update the credentials of the connection."
    what = f"{shown_request(response.request)} was answered with {status}"
    return f"{what}: {said[:_MOST_CHARACTERS]}. {advice}"
