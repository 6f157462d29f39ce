"""What the tests of OAuth2 share: a provider of tokens, and a server's part that refreshes them."""

import asyncio
import threading
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from nango_jupyter.server.config import Integration
from nango_jupyter.server.http import HttpClients
from nango_jupyter.server.refresh import CredentialsRefresher
from nango_jupyter.server.store import ConnectionStore, StoredConnection
from tests.server.scripted import Answer, Context, ScriptedApi, Seen

EXPIRED = "2020-01-01T00:00:00Z"
OLD = {"access_token": "old-access", "refresh_token": "old-refresh", "expires_at": EXPIRED}


class Provider:
    """An API at /api that takes its newest token only, and the endpoint at /token that issues it.

    Refresh tokens are good for once, as with providers that rotate them.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.access_token, self.refresh_token = "unknown", "old-refresh"
        self.issued = 0
        self.more: dict[str, Any] = {"expires_in": 3600}
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()
        self.refusal: Answer | None = None

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/token":
            return self.refusal or self.issue(seen)
        token = seen.headers["authorization"].removeprefix("Bearer ")
        is_right = token in (self.access_token, "of-a-new-login")
        return Answer({"token": token}, 200 if is_right else 401)

    async def is_asked(self) -> None:
        """Wait until somebody waits for a token."""
        assert await asyncio.to_thread(self.asked.wait, 30)

    def issue(self, seen: Seen) -> Answer:
        self.asked.set()
        assert self.may_answer.wait(30)
        with self.lock:
            if seen.form.get("refresh_token") != self.refresh_token:
                return Answer({"error": "invalid_grant"}, 400)
            self.issued += 1
            self.access_token = f"new-access-{self.issued}"
            self.refresh_token = f"new-refresh-{self.issued}"
            pair = {"access_token": self.access_token, "refresh_token": self.refresh_token}
            return Answer({**pair, **self.more})


class Site:
    """A server's store and refresher, and contexts of actions for the connection in it."""

    def __init__(self, store: ConnectionStore, integration: Integration) -> None:
        self.store = store
        self.integration = integration
        self.refresher = CredentialsRefresher(store)
        self.clients = HttpClients()

    async def stored(self) -> StoredConnection:
        found = await self.store.find("api", "u1")
        assert found is not None
        return found

    async def context(self) -> Context:
        return Context(self.integration, await self.stored(), self.clients, self.refresher)

    async def close(self) -> None:
        await self.refresher.close()
        await self.clients.close()
        await self.store.close()


class OpenSite(Protocol):
    """Opens a server's part on the test's one database; `settings` are the integration's."""

    def __call__(
        self, credentials: dict[str, Any] | None = None, **settings: Any
    ) -> Awaitable[Site]: ...


def fresh_but_refused() -> dict[str, Any]:
    """Return credentials that say they are good for an hour, which the API doesn't think."""
    return {**OLD, "expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}


def posts(api: ScriptedApi) -> list[Seen]:
    return [one for one in api.seen if one.path == "/token"]
