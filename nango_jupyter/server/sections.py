"""The sections of the folder's YAML files as they are written, in either form, and their checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from nango_jupyter.secrets import remember
from nango_jupyter.server.yaml_files import VARIABLE, Place

__all__ = ["AuthMode", "IntegrationSection", "ServerSection", "check_url", "validate"]

AuthMode = Literal["OAUTH2", "OAUTH1", "API_KEY", "USERNAME_PASSWORD"]

_MESSAGES = {"model_type": "it must be a map, with keys and values"}  # not our classes' names

_LogLevel = Literal["error", "warn", "info", "http", "verbose", "debug", "silly"]
_Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
_Retries = Annotated[int, Field(ge=0, le=100)]


def check_url(url: str) -> str:
    """Return the URL of an API.

    Raises
    ------
    ValueError
        If it is none. One with a ``${…}`` in it is not known before the credentials are.
    """
    if VARIABLE.search(url):
        return url
    parts = urlsplit(url)  # raises ValueError for a broken IPv6 address or port
    if parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 1) < 1:
        raise ValueError("it is not a URL such as https://api.example.com/v1")
    if parts.password:
        remember(parts.password)
    return url


_Url = Annotated[str, AfterValidator(check_url)]


def _split(found: Any) -> Any:
    return found.split() if isinstance(found, str) else found


_Words = Annotated[list[str], BeforeValidator(_split)]  # a list, or separated by blanks


class _Section(BaseModel):
    # Unknown keys are kept to be named in a warning: folders of the original have keys that the
    # protocol's document doesn't list, and they must still load.
    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True, frozen=True)


_SectionT = TypeVar("_SectionT", bound=_Section)


class _CallAuth(_Section):
    mode: Literal["AUTH_HEADER_TOKEN"]


class _Auth(_Section):
    auth_mode: AuthMode = "OAUTH2"
    token_url: _Url | None = None
    refresh_url: _Url | None = None
    token_request_auth_method: Literal["basic", "body"] = "body"  # noqa: S105


class _Requests(_Section):
    base_url: _Url | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    params: dict[str, str] = Field(default_factory=dict)


class IntegrationSection(_Section):
    """One integration as it is written, in either form."""

    base_url: _Url | None = None  # 0.1
    call_auth: _CallAuth | None = None  # 0.1
    auth: _Auth = Field(default_factory=_Auth)  # 0.2
    requests: _Requests = Field(default_factory=_Requests)  # 0.2
    log_level: _LogLevel | None = None
    http_request_timeout_seconds: _Seconds | None = None
    http_request_retries: _Retries | None = None
    execution_timeout_seconds: _Seconds | None = None
    app_api_key: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = None
    oauth_scopes: _Words = Field(default_factory=list)


class ServerSection(_Section):
    """nango-config.yaml, with the documented defaults."""

    main_server_log_level: _LogLevel = "info"
    default_http_request_timeout_seconds: _Seconds = 100.0
    default_action_log_level: _LogLevel = "info"
    default_http_request_retries: _Retries = 3
    default_execution_timeout_seconds: _Seconds = 300.0


def validate(model: type[_SectionT], found: Any, place: Place) -> _SectionT | None:
    """Check a section; what is wrong is a problem at its place, an unknown key a warning.

    Returns
    -------
    section or None
        None if there is a problem.
    """
    try:
        section = model.model_validate(found)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            message = _MESSAGES.get(item["type"]) or item["msg"].removeprefix("Value error, ")
            _walk(place, item["loc"]).problem(message)
        return None
    for keys in _unknown_keys(section):
        _walk(place, keys).warning("this key is unknown, and ignored")
    return section


def _walk(place: Place, keys: tuple[str | int, ...]) -> Place:
    for key in keys:
        place = place.at(key)
    return place


def _unknown_keys(section: _Section) -> Iterator[tuple[str, ...]]:
    for name in section.model_extra or {}:
        yield (name,)
    for name in type(section).model_fields:
        child = getattr(section, name)
        if isinstance(child, _Section):
            yield from ((name, *keys) for keys in _unknown_keys(child))
