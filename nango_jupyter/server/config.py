"""The integrations folder's two YAML files: nango-config.yaml and integrations.yaml."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import is_secret_name, remember
from nango_jupyter.server.logs import LEVELS
from nango_jupyter.server.problems import Problem
from nango_jupyter.server.sections import AuthMode, IntegrationSection, ServerSection, validate
from nango_jupyter.server.yaml_files import VARIABLE, Place, Substitution, YamlFile

__all__ = [
    "CONFIG_FILES",
    "TEMPLATE_NAMES",
    "AuthMode",
    "ConfigReading",
    "FolderConfig",
    "Integration",
    "is_plain_name",
    "read_config",
]

CONFIG_FILES = ("nango-config.yaml", "integrations.yaml")

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

_FORMS = "write 'integrations:' and under it 'NAME:' with its settings, indented"

_T = TypeVar("_T")


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
    defaults : Integration
        One without a name, of which nothing is said.
    """

    folder: Path
    integrations: Mapping[str, Integration]
    main_log_level: int
    defaults: Integration = field(default_factory=lambda: Integration(""))


@dataclass(frozen=True)
class ConfigReading:
    """What came of reading the folder's two files.

    Attributes
    ----------
    config : FolderConfig
        Without the integrations that have a problem.
    names : frozenset of str or None
        All integrations, also those that have a problem; None if they can't be told.
    problems, warnings : list of Problem
    """

    config: FolderConfig
    names: frozenset[str] | None
    problems: list[Problem]
    warnings: list[Problem]


def read_config(folder: Path, environ: Mapping[str, str]) -> ConfigReading:
    """Read and check the folder's files.

    Parameters
    ----------
    folder : Path
    environ : mapping of str to str
        What ``${NAME}`` stands for.

    Raises
    ------
    NangoConfigError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise NangoConfigError(
            f"There is no integrations folder {folder}",
            "Give the folder that holds integrations.yaml.",
        )
    folder = folder.resolve()
    paths = [folder / name for name in CONFIG_FILES]
    # nango-config.yaml may be absent.
    files = [YamlFile(path) for path in paths if path == paths[1] or path.exists()]
    server = ServerSection()
    for file in files[:-1]:
        server = _server_section(file, environ)
    sections = _integration_sections(files[-1], environ)
    config = FolderConfig(
        folder,
        {name: _normalize(name, section, server) for name, section in sections.items() if section},
        LEVELS[server.main_server_log_level],
        _normalize("", IntegrationSection(), server),
    )
    return ConfigReading(
        config,
        frozenset(sections) if files[-1].is_read else None,
        [problem for file in files for problem in file.problems],
        [warning for file in files for warning in file.warnings],
    )


def is_plain_name(name: str) -> bool:
    """Tell whether a name can be a file's name in a folder, and leads nowhere else."""
    return name not in ("", ".", "..") and not any(sign in name for sign in "/\\\0")


def _server_section(file: YamlFile, environ: Mapping[str, str]) -> ServerSection:
    if file.value is None:
        return ServerSection()
    place = Place(file)
    return validate(ServerSection, _fill(file.value, place, environ), place) or ServerSection()


def _integration_sections(
    file: YamlFile, environ: Mapping[str, str]
) -> dict[str, IntegrationSection | None]:
    """Return each integration's section; None for one that has a problem."""
    sections: dict[str, IntegrationSection | None] = {}
    if not file.is_read:
        return sections
    for name, body, place in _entries(file):
        if name in sections:
            place.problem("there are two integrations of this name")
        filled = _fill({} if body is None else body, place, environ)
        sections[name] = validate(IntegrationSection, filled, place)
    return sections


def _entries(file: YamlFile) -> Iterator[tuple[str, Any, Place]]:
    """Go through both forms: a list of one-key maps (0.1), or a map (0.2)."""
    found, place = file.value, Place(file)
    if isinstance(found, dict) and "integrations" in found:
        for other in found:
            if other != "integrations":
                place.at(str(other)).warning("this key is unknown, and ignored")
        found, place = found["integrations"], place.at("integrations").called("")
    if isinstance(found, dict):
        yield from _named(found, place)
    elif isinstance(found, list):
        for index, entry in enumerate(found):
            at = place.at(index).called("")
            if isinstance(entry, dict) and len(entry) == 1:
                yield from _named(entry, at)
            else:
                at.problem(f"an entry is not one integration's map: {_FORMS}")
    else:
        place.problem(f"it names no integrations: {_FORMS}")


def _named(entries: dict[Any, Any], place: Place) -> Iterator[tuple[str, Any, Place]]:
    for name, body in entries.items():
        at = place.at(str(name))
        if isinstance(name, str) and is_plain_name(name):
            yield name, body, at
        else:
            at.called("").problem(f"{name!r} can't be an integration's name")


def _fill(body: Any, place: Place, environ: Mapping[str, str]) -> Any:
    """Replace environment variables; those of the credentials stay in ``requests``."""
    if not isinstance(body, dict):
        return body
    plain = Substitution(environ)
    templates = Substitution(environ, TEMPLATE_NAMES)
    return {
        key: (templates if key == "requests" else plain).fill(item, place.at(str(key)))
        for key, item in body.items()
    }


def _normalize(name: str, section: IntegrationSection, server: ServerSection) -> Integration:
    headers = dict(section.requests.headers)
    if section.call_auth:  # its one mode, AUTH_HEADER_TOKEN, says no more than this template
        headers.setdefault("Authorization", "Bearer ${access_token}")
    for key, value in [*headers.items(), *section.requests.params.items()]:
        if is_secret_name(key) and not VARIABLE.search(value):
            remember(value)
    for secret in (section.app_api_key, section.oauth_client_secret):
        remember(secret or "")
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
        oauth_scopes=" ".join(section.oauth_scopes),
        token_auth=section.auth.token_request_auth_method,
    )


def _first(own: _T | None, default: _T) -> _T:
    return default if own is None else own
