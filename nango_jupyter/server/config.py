"""The integrations folder's two YAML files: nango-config.yaml and integrations.yaml."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import is_secret_name, remember
from nango_jupyter.server.logs import LEVELS
from nango_jupyter.server.yaml_files import VARIABLE, Substitution, read_yaml

__all__ = ["TEMPLATE_NAMES", "AuthMode", "FolderConfig", "Integration", "is_plain_name"]

log = logging.getLogger(__name__)

AuthMode = Literal["OAUTH2", "OAUTH1", "API_KEY", "USERNAME_PASSWORD"]

TEMPLATE_NAMES = frozenset(
    {
        "access_token",
        "api_key",
        "app_api_key",
        "basic_auth_encoded",
        "oauth_token",
        "oauth_token_secret",
        "password",
        "username",
    }
)
"""What, with ``raw.KEY``, ``${…}`` takes from the credentials rather than the environment."""

_MESSAGES = {"model_type": "it must be a map, with keys and values"}  # not our classes' names

_FORMS = "write 'integrations:' and under it 'NAME:' with its settings, indented"

_LogLevel = Literal["error", "warn", "info", "http", "verbose", "debug", "silly"]
_Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
_Retries = Annotated[int, Field(ge=0, le=100)]


def _check_url(url: str) -> str:
    if VARIABLE.search(url):  # not known before the credentials are
        return url
    parts = urlsplit(url)  # raises ValueError for a broken IPv6 address or port
    if parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 1) < 1:
        raise ValueError("it is not a URL such as https://api.example.com/v1")
    if parts.password:
        remember(parts.password)
    return url


_Url = Annotated[str, AfterValidator(_check_url)]


class _Section(BaseModel):
    # Unknown keys are kept to be named in a warning: folders of the original have keys that the
    # protocol's document doesn't list, and they must still load.
    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True, frozen=True)


_T = TypeVar("_T")
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


class _IntegrationSection(_Section):
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
    oauth_scopes: str | list[str] | None = None


class _ServerSection(_Section):
    """nango-config.yaml, with the documented defaults."""

    main_server_log_level: _LogLevel = "info"
    default_http_request_timeout_seconds: _Seconds = 100.0
    default_action_log_level: _LogLevel = "info"
    default_http_request_retries: _Retries = 3
    default_execution_timeout_seconds: _Seconds = 300.0


@dataclass(frozen=True)
class Integration:
    """One integration, the same for both forms of integrations.yaml.

    Attributes
    ----------
    name : str
    base_url : str or None
    auth_mode : str
        The 0.1 form has none: its access token is what OAUTH2 has too.
    headers, params : mapping of str to str
        What each request carries; ``${access_token}`` and the like are still in the values.
    log_level : int
        Python's number.
    http_timeout : float
        In seconds; 0 is no limit.
    app_api_key : str or None
    http_retries : int
        How often a request is sent again that was answered with 429 or 503.
    execution_timeout : float
        How long an action may take, in seconds; 0 is no limit.
    token_url : str or None
        Where OAuth2 tokens are refreshed.
    oauth_client_id, oauth_client_secret : str or None
    oauth_scopes : str
        Separated by blanks; "" asks for what the token had.
    token_auth : {"body", "basic"}
        How the client's id and secret go to `token_url`.
    """

    name: str
    base_url: str | None = None
    auth_mode: AuthMode = "OAUTH2"
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    log_level: int = logging.INFO
    http_timeout: float = 100.0
    app_api_key: str | None = field(default=None, repr=False)
    http_retries: int = 3
    execution_timeout: float = 300.0
    token_url: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = field(default=None, repr=False)
    oauth_scopes: str = ""
    token_auth: Literal["body", "basic"] = "body"  # noqa: S105


@dataclass(frozen=True)
class FolderConfig:
    """What the two files of an integrations folder say.

    Attributes
    ----------
    folder : Path
        Absolute, with symbolic links resolved.
    integrations : mapping of str to Integration
    main_log_level : int
        Of the server itself, as Python's number.
    """

    folder: Path
    integrations: Mapping[str, Integration]
    main_log_level: int

    @classmethod
    def load(cls, folder: Path, environ: Mapping[str, str]) -> FolderConfig:
        """Read and check the folder's files.

        Raises
        ------
        NangoConfigError
            With everything that is wrong, one line each.
        """
        problems: list[str] = []
        if not folder.is_dir():
            raise NangoConfigError(
                f"There is no integrations folder {folder}",
                "Give the folder that holds integrations.yaml.",
            )
        folder = folder.resolve()
        server = _load_server(folder / "nango-config.yaml", environ, problems)
        integrations = _load_integrations(folder / "integrations.yaml", environ, problems, server)
        if problems:
            listed = "".join(f"\n- {problem}" for problem in problems)
            raise NangoConfigError(f"The integrations folder {folder} can't be used:{listed}")
        level = LEVELS[server.main_server_log_level]
        return cls(folder, {found.name: found for found in integrations}, level)


def is_plain_name(name: str) -> bool:
    """Tell whether a name can be a file's name in a folder, and leads nowhere else."""
    return name not in ("", ".", "..") and not any(sign in name for sign in "/\\\0")


def _load_server(path: Path, environ: Mapping[str, str], problems: list[str]) -> _ServerSection:
    found = read_yaml(path, problems) if path.exists() else None
    if found is None:
        return _ServerSection()
    prefix = f"{path.name}: "
    filled = _fill(found, prefix, environ, problems)
    return _validate(_ServerSection, filled, prefix, problems) or _ServerSection()


def _load_integrations(
    path: Path, environ: Mapping[str, str], problems: list[str], server: _ServerSection
) -> list[Integration]:
    known_problems = len(problems)
    found = read_yaml(path, problems)
    if len(problems) > known_problems:
        return []
    integrations: list[Integration] = []
    names: set[str] = set()
    for name, body in _entries(found, path.name, problems):
        if name in names:
            problems.append(f"{path.name}: {name}: there are two integrations of this name")
        names.add(name)
        prefix = f"{path.name}: {name}."
        filled = _fill({} if body is None else body, prefix, environ, problems)
        if section := _validate(_IntegrationSection, filled, prefix, problems):
            integrations.append(_normalize(name, section, server))
    return integrations


def _entries(found: Any, file: str, problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Go through both forms: a list of one-key maps (0.1), or a map (0.2)."""
    if isinstance(found, dict) and "integrations" in found:
        if other := [str(key) for key in found if key != "integrations"]:
            log.warning("%s: unknown keys are ignored: %s", file, ", ".join(other))
        found = found["integrations"]
    entries = [found] if isinstance(found, dict) else found
    if not isinstance(entries, list):
        problems.append(f"{file}: it names no integrations: {_FORMS}")
        return
    for entry in entries:
        if not isinstance(entry, dict) or (entries is found and len(entry) != 1):
            problems.append(f"{file}: an entry is not one integration's map: {_FORMS}")
            continue
        for name, body in entry.items():
            if isinstance(name, str) and is_plain_name(name):
                yield name, body
            else:
                problems.append(f"{file}: {name!r} can't be an integration's name")


def _fill(body: Any, prefix: str, environ: Mapping[str, str], problems: list[str]) -> Any:
    """Replace environment variables; those of the credentials stay in ``requests``."""
    if not isinstance(body, dict):
        return body
    plain = Substitution(environ, problems)
    templates = Substitution(environ, problems, TEMPLATE_NAMES)
    return {
        key: (templates if key == "requests" else plain).fill(item, f"{prefix}{key}")
        for key, item in body.items()
    }


def _validate(
    model: type[_SectionT], found: Any, prefix: str, problems: list[str]
) -> _SectionT | None:
    try:
        section = model.model_validate(found)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            path = ".".join(str(part) for part in item["loc"])
            message = _MESSAGES.get(item["type"]) or item["msg"].removeprefix("Value error, ")
            problems.append(f"{(prefix + path).rstrip('.: ')}: {message}")
        return None
    if unknown := list(_unknown_keys(section)):
        log.warning("%s: unknown keys are ignored: %s", prefix.rstrip(".: "), ", ".join(unknown))
    return section


def _unknown_keys(section: _Section, prefix: str = "") -> Iterator[str]:
    for name in section.model_extra or {}:
        yield prefix + name
    for name in type(section).model_fields:
        child = getattr(section, name)
        if isinstance(child, _Section):
            yield from _unknown_keys(child, f"{prefix}{name}.")


def _normalize(name: str, section: _IntegrationSection, server: _ServerSection) -> Integration:
    headers = dict(section.requests.headers)
    if section.call_auth:  # its one mode, AUTH_HEADER_TOKEN, says no more than this template
        headers.setdefault("Authorization", "Bearer ${access_token}")
    for key, value in [*headers.items(), *section.requests.params.items()]:
        if is_secret_name(key) and not VARIABLE.search(value):
            remember(value)
    for secret in (section.app_api_key, section.oauth_client_secret):
        remember(secret or "")
    scopes = section.oauth_scopes or ""
    return Integration(
        name=name,
        base_url=section.requests.base_url or section.base_url,
        auth_mode=section.auth.auth_mode,
        headers=headers,
        params=section.requests.params,
        log_level=LEVELS[section.log_level or server.default_action_log_level],
        http_timeout=_first(
            section.http_request_timeout_seconds, server.default_http_request_timeout_seconds
        ),
        app_api_key=section.app_api_key,
        http_retries=_first(section.http_request_retries, server.default_http_request_retries),
        execution_timeout=_first(
            section.execution_timeout_seconds, server.default_execution_timeout_seconds
        ),
        token_url=section.auth.refresh_url or section.auth.token_url,
        oauth_client_id=section.oauth_client_id,
        oauth_client_secret=section.oauth_client_secret,
        oauth_scopes=scopes if isinstance(scopes, str) else " ".join(scopes),
        token_auth=section.auth.token_request_auth_method,
    )


def _first(own: _T | None, default: _T) -> _T:
    return default if own is None else own
