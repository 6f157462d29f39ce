"""Settings that a line does not say: from ``%config``, NANGO_* variables and pyproject.toml.

Each setting comes from the first place that has it: the line, the connection's own table in
pyproject.toml, ``%config``, the environment, ``[tool.nango-jupyter]``, the default. Two things go
together, though: a URL is complete, but for a user that it doesn't name; and a table that says
where to connect lends its port, user, vhost and password to no other host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.preferences.merged import LocalTarget, Merged
from nango_jupyter.preferences.project_file import ProjectFile
from nango_jupyter.preferences.sources import CONNECTION_KEYS, COUNTS, Source, checked
from nango_jupyter.secret_sources import from_environment
from nango_jupyter.secrets import Secret, redact
from nango_jupyter.settings import Settings
from nango_jupyter.suggestions import did_you_mean

__all__ = ["Preferences"]

_VARIABLES = ("url", "host", "port", "user", "vhost", "timeout", *COUNTS)


def _variable(key: str) -> str:
    return f"NANGO_{key.upper()}"


class Preferences:
    """The settings of a notebook.

    Parameters
    ----------
    config : function that returns a mapping of str to object
        What ``%config`` says; None and "" mean nothing.
    environ : mapping of str to str
        An empty variable means nothing.
    folder : function that returns a Path
        Where to look for a pyproject.toml, and in the folders above it.
    """

    def __init__(
        self,
        config: Callable[[], Mapping[str, object]] = dict,
        environ: Mapping[str, str] = os.environ,
        folder: Callable[[], Path] = Path.cwd,
    ) -> None:
        self._config = config
        self._environ = environ
        self._file = ProjectFile(folder)

    def settings(
        self,
        target: str | None = None,
        name: str | None = None,
        *,
        port: int | None = None,
        user: str | None = None,
        vhost: str | None = None,
        timeout: float | None = None,
        password_env: str | None = None,
    ) -> Settings | LocalTarget:
        """Tell where to connect.

        Parameters
        ----------
        target : str, optional
            ``HOST``, ``HOST:PORT`` or a URL, as it stands on the line.
        name : str, optional
            The connection's: its table in pyproject.toml is read, if there is one.
        port, user, vhost, timeout, password_env
            What the line says.

        Returns
        -------
        Settings or LocalTarget
            ``needs_password`` of the settings tells whether a password is still to be found.

        Raises
        ------
        NangoUsageError
            If a setting can't be used; the message says where it stands.
        """
        where = "url" if target is not None and "://" in target else "host"
        line: dict[str, object] = {where: target, "port": port, "user": user, "vhost": vhost}
        line |= {"timeout": timeout, "password-env": password_env}
        self._check_name(name, target)
        said = {key: value for key, value in line.items() if value is not None}
        sources = [Source(said, str), *self._sources(name, CONNECTION_KEYS)]
        at = next((at for at, source in enumerate(sources) if source.place), len(sources))
        if at == len(sources):
            sources.append(Source({"host": "localhost"}, str))
        merged = Merged(sources, at)
        return merged.local() or self._with_password(merged)

    def timeout(self, name: str | None = None) -> float | None:
        """Return the time limit of requests, in seconds; None if nothing says one."""
        found: float | None = self._first("timeout", name)
        return found

    def concurrency(self) -> int | None:
        """Return how many rows to trigger at once; None if nothing says so."""
        found: int | None = self._first("concurrency")
        return found

    def rows_and_columns(self) -> tuple[int | None, int | None]:
        """Return how much of a table to draw; None for what nothing says."""
        keys = ("rows", "columns")
        sources = list(self._sources(None, keys))
        rows, columns = (
            next((source.values[key] for source in sources if key in source.values), None)
            for key in keys
        )
        return rows, columns

    def connection_names(self) -> list[str]:
        """Return the names of the connections that pyproject.toml describes."""
        return list(self._file.read().connections)

    def _first(self, key: str, name: str | None = None) -> Any:
        sources = self._sources(name, [key])
        return next((source.values[key] for source in sources if key in source.values), None)

    def _sources(self, name: str | None, keys: Collection[str]) -> Iterator[Source]:
        """Yield where settings stand, the strongest first; only these are looked at."""
        project = self._file.read()
        if (table := project.connections.get("default" if name is None else name)) is not None:
            yield table._replace(is_named=True)
        config = {key: value for key, value in self._config().items() if value not in (None, "")}
        yield checked(config, keys, lambda key: f"%config NangoMagics.{key}")
        given = {
            key: self._environ.get(_variable(key), "").strip() for key in keys if key in _VARIABLES
        }
        numbers = {key: _number(key, text) for key, text in given.items() if text}
        yield checked(numbers, keys, _variable)
        yield project.table

    def _check_name(self, name: str | None, target: str | None) -> None:
        """Refuse a misspelt name: it would lead to where the environment says."""
        names = self.connection_names()
        if name is None or target is not None or name in names:
            return
        if guess := did_you_mean(name, names):
            raise NangoUsageError(
                f"There is no connection {redact(str(name))!r} in {self._file.read().path}",
                f"{guess} For a new one, say where: its host, or --local.",
            )

    def _with_password(self, merged: Merged) -> Settings:
        settings = merged.settings
        if variable := merged.password_env:
            return settings.with_password(from_environment(variable, "password-env", self._environ))
        password = self._environ.get("NANGO_PASSWORD", "")
        owner = self._environ.get(_variable("user"), "").strip()
        is_anothers = merged.has_password or merged.is_named_user
        if not password or is_anothers or owner not in ("", settings.username):
            return settings
        return (
            settings.with_password(Secret(password)) if self._may_know(settings.host) else settings
        )

    def _may_know(self, host: str) -> bool:
        """Tell whether NANGO_PASSWORD may go to a host: not if the environment names another."""
        named = {key: self._environ.get(key, "").strip() for key in ("NANGO_URL", "NANGO_HOST")}
        if not any(named.values()):
            return True
        try:
            return Settings.from_environment(named).host == host
        except NangoUsageError:
            return False


def _number(key: str, text: str) -> object:
    """Read the number that a variable holds; the text itself is refused later."""
    if key in ("port", *COUNTS) and re.fullmatch(r"[0-9]{1,18}", text):
        return int(text)
    if key == "timeout" and re.fullmatch(r"[0-9.]{1,18}", text):
        with suppress(ValueError):
            return float(text)
    return text
