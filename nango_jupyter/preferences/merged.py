"""Where to connect, of all that the places say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.preferences.sources import Source
from nango_jupyter.settings import Settings

__all__ = ["LocalTarget", "Merged"]


class LocalTarget(NamedTuple):
    """An embedded server to start, in the place of a broker to connect to.

    Attributes
    ----------
    folder : str or None
        The integrations folder; None for the samples.
    timeout : float or None
        Time limit of each request.
    """

    folder: str | None = None
    timeout: float | None = None


class Merged:
    """What the sources say together.

    Parameters
    ----------
    sources : sequence of Source
        The strongest first.
    at : int
        Which of them says where to connect.
    """

    def __init__(self, sources: Sequence[Source], at: int) -> None:
        self._place = sources[at]
        self._stronger = sources[:at]
        weaker = [one for one in sources[at + 1 :] if not (one.is_table and one.place)]
        self._all = [*sources[: at + 1], *weaker]
        self._sources = sources
        self._url = str(self._place.values.get("url", ""))

    def local(self) -> LocalTarget | None:
        """Return the embedded server that they mean; None if it is a broker."""
        if self._place.place != "local":
            return None
        line = self._all[0].values
        if unused := [key for key in ("port", "user", "vhost", "password-env") if key in line]:
            raise NangoUsageError(
                f"{self._place.label('local')} means the embedded server, which has no {unused[0]}",
                "Give the host of a broker too, or leave that out.",
            )
        folder = self._place.values["local"]
        return LocalTarget(
            None if folder is True else str(folder), _first("timeout", self._sources)
        )

    @cached_property
    def settings(self) -> Settings:
        """The broker that they mean, with the password that a URL has."""
        # A URL is complete: what it leaves out is its default, unless a stronger place says it.
        own = self._stronger if self._url else self._all
        port = _first("port", own)
        try:
            found = Settings.from_target(
                self._url or self._place.values["host"],
                port,
                vhost=_first("vhost", own),
                username=_first("user", own if "@" in self._url else self._all),
                timeout=_first("timeout", own if "timeout=" in self._url else self._sources),
            )
        except NangoUsageError as error:
            raise self._named(error) from None
        return replace(found, port=port) if self._url and port is not None else found

    def _named(self, error: NangoUsageError) -> NangoUsageError:
        """Say in an error where the setting stands, if not on the line."""
        label = self._place.label(self._place.place)
        if label == self._place.place:
            return error
        return NangoUsageError(f"{label}: {error.message}", error.hint)

    @property
    def has_password(self) -> bool:
        """Whether the URL has a password, of the user that is meant."""
        return "@" in self._url and not self.settings.needs_password

    @property
    def password_env(self) -> str:
        """The variable that holds the password; "" if none is named for this user."""
        for one in [*self._stronger, self._place] if self.has_password else self._all:
            if "password-env" in one.values and one.user in ("", self.settings.username):
                return str(one.values["password-env"])
        return ""

    @property
    def is_named_user(self) -> bool:
        """Whether the user is from the connection's own table."""
        return next((one.is_named for one in self._all if one.user), False)


def _first(key: str, sources: Sequence[Source]) -> Any:
    return next((one.values[key] for one in sources if key in one.values), None)
