"""The integrations, actions and users of a connection, as far as they were seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from nango_jupyter.exceptions import NangoError
from nango_jupyter.messages import UserId
from nango_jupyter.secrets import redact
from nango_jupyter.suggestions import did_you_mean

if TYPE_CHECKING:
    from nango_jupyter.calls import TriggerCall
    from nango_jupyter.catalog import Catalog
    from nango_jupyter.client import Nango
    from nango_jupyter.local import LocalServer

__all__ = ["KnownNames"]

_Key = TypeVar("_Key")

_MOST = 1_000
_LONGEST = 200  # longer names are no help to anybody

# What the reference's server, and ours, say of a name that they don't know.
_NO_ACTION = "action file does not exist"
_NO_CONNECTION = "no connection exists"


class KnownNames:
    """What can be triggered through a connection, and for whom.

    An embedded server is asked; of one behind a broker, what was used here is known.

    Parameters
    ----------
    local : LocalServer, optional
        The embedded server.
    client : Nango, optional
        Asked for the catalogue, which other servers than ours don't have.

    Attributes
    ----------
    catalog : Catalog or None
        What the server told when `refresh` was last called.
    """

    def __init__(self, local: LocalServer | None = None, client: Nango | None = None) -> None:
        self.catalog: Catalog | None = None
        self._local = local
        self._client = client
        # Dicts, for their order: the last used is the last. 1 and "1" are two users.
        self._actions: dict[tuple[str, str], None] = {}
        self._used: dict[tuple[str, type, UserId], None] = {}
        self._registered: dict[str, list[UserId]] = {}

    async def refresh(self) -> Catalog | None:
        """Ask the server what there is to trigger; None if it can't tell."""
        with suppress(NangoError):  # if it is gone, what it told last is as good as any guess
            self.catalog = None if self._client is None else await self._client.catalog()
        return self.catalog

    def note_call(self, call: TriggerCall) -> None:
        """Remember the names of a call that the server took."""
        _note(self._actions, (call.integration, call.action))
        self.note_user(call.integration, call.user_id)

    def note_user(self, integration: str, user_id: UserId) -> None:
        """Remember a user of an integration."""
        _note(self._used, (integration, type(user_id), user_id))

    def names(self) -> dict[str, list[str]]:
        """Return each integration's actions, both sorted."""
        served = self._served()
        names = self._used_names() if served is None else served
        return {name: sorted(names[name]) for name in sorted(names)}

    def integrations(self) -> list[str]:
        """Return the names of the integrations, sorted."""
        return list(self.names())

    def actions(self, integration: str) -> list[str]:
        """Return the names of an integration's actions, sorted."""
        return self.names().get(integration, [])

    async def users(self, integration: str) -> list[UserId]:
        """Return users of an integration, who was used last first, 1,000 at most."""
        if self._local is not None:
            try:
                found = await self._local.users(integration, _MOST)
            # It is closed, its store is broken or can hold no such name: what was used is known.
            except (NangoError, UnicodeError):
                found = []
            self._registered[integration] = found
        return self.users_seen(integration)

    def users_seen(self, integration: str) -> list[UserId]:
        """Return what `users` would, as it was known when that was last called."""
        used = [user for name, _, user in reversed(self._used) if name == integration]
        both = [*used, *self._registered.get(integration, ())]
        return list({(type(user), user): user for user in both}.values())[:_MOST]

    async def hint(self, call: TriggerCall, error: NangoError) -> str:
        """Guess which name of a call is misspelt, after the server's error.

        Returns
        -------
        str
            "Did you mean x?"; "" when the error is about something else, or nothing is like it.
        """
        message = error.message
        if _NO_ACTION in message:
            return _guess(call.action, self.actions(call.integration))
        if _NO_CONNECTION not in message:
            return ""
        integrations = self.integrations()
        if call.integration not in integrations:
            guess = _guess(call.integration, integrations)
            if guess or self._local is not None:
                return guess
        users = await self.users(call.integration)
        return _other_type(call.user_id, users) or _guess(call.user_id, users)

    def _used_names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {name: [] for name, _, _ in self._used}
        for integration, action in self._actions:
            names.setdefault(integration, []).append(action)
        return names

    def _served(self) -> Mapping[str, Iterable[str]] | None:
        if self._local is None:
            return None if self.catalog is None else self.catalog.integrations
        try:
            return self._local.integrations()
        except NangoError:  # it is closed
            return None


def _note(names: dict[_Key, None], key: _Key) -> None:
    """Put a name last, and forget the one that was used longest ago."""
    names.pop(key, None)
    names[key] = None
    if len(names) > _MOST:
        del names[next(iter(names))]


def _guess(word: object, names: Iterable[object]) -> str:
    return redact(did_you_mean(word, filter(_is_readable, names)))


def _is_readable(name: object) -> bool:
    return len(str(name)) <= _LONGEST and str(name).isprintable()


def _other_type(user: UserId, users: Iterable[UserId]) -> str:
    """Say that 1 was meant, and not "1", or the other way round."""
    if not any(str(other) == str(user) and type(other) is not type(user) for other in users):
        return ""
    meant = f'the text "{user}"' if isinstance(user, int) else f"the number {user}"
    return f"Did you mean {meant}?"
