"""OAuth2 tokens that are refreshed: real token endpoints, real stores, several processes."""

import asyncio
import base64
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nango_jupyter.exceptions import (
    NangoConnectionError,
    NangoHttpError,
    NangoTimeoutError,
    NangoUsageError,
)
from nango_jupyter.secrets import redact
from nango_jupyter.server import NangoServer, refresh
from nango_jupyter.server.config import Integration
from nango_jupyter.server.http import HttpClients
from nango_jupyter.server.refresh import CredentialsRefresher
from nango_jupyter.server.store import ConnectionStore, StoredConnection
from tests.server.scripted import Answer, Context, ScriptedApi, Seen
from tests.server.support import error_of, register, trigger, write_action, write_folder

ROOT = Path(__file__).parents[2]
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
        self.pause = 0.0
        self.refusal: Answer | None = None

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/token":
            return self.refusal or self.issue(seen)
        token = seen.headers["authorization"].removeprefix("Bearer ")
        is_right = token in (self.access_token, "of-a-new-login")
        return Answer({"token": token}, 200 if is_right else 401)

    def issue(self, seen: Seen) -> Answer:
        time.sleep(self.pause)
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


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def api(provider: Provider) -> Iterator[ScriptedApi]:
    with ScriptedApi(provider) as api:
        yield api


@pytest.fixture
async def open_site(api: ScriptedApi, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Open a server's part on the test's one database; `settings` are the integration's."""
    sites: list[Site] = []

    async def open_site(credentials: dict[str, Any] | None = None, **settings: Any) -> Site:
        store = ConnectionStore(None, tmp_path)
        await store.open()
        given: dict[str, Any] = {
            "base_url": f"{api.url}/api",
            "headers": {"Authorization": "Bearer ${access_token}"},
            "token_url": f"{api.url}/token",
            "oauth_client_id": "the-client",
            "oauth_client_secret": "client-secret-0123",
        }
        site = Site(store, Integration("api", **(given | settings)))
        sites.append(site)
        await store.add("api", "u1", OLD if credentials is None else credentials, None)
        return site

    yield open_site
    for site in sites:
        await site.close()


OpenSite = Callable[..., Any]


def posts(api: ScriptedApi) -> list[Seen]:
    return [one for one in api.seen if one.path == "/token"]


async def test_an_expired_token_is_refreshed_before_the_request(
    open_site: OpenSite, api: ScriptedApi
) -> None:
    site = await open_site({**OLD, "shop": "s1", "raw": {"team": "t1", "scope": "read"}})
    context = await site.context()
    response = await context.http_request("x")
    assert response.json == {"token": "new-access-1"}
    assert [one.path for one in api.seen] == ["/token", "/api/x"]
    [post] = posts(api)
    assert post.method == "POST"
    assert post.form == {
        "grant_type": "refresh_token",
        "refresh_token": "old-refresh",
        "client_id": "the-client",
        "client_secret": "client-secret-0123",
    }
    assert post.headers["accept"] == "application/json"
    assert "authorization" not in post.headers
    stored = await site.stored()
    expiry = datetime.fromisoformat(stored.credentials.pop("expires_at"))
    assert expiry.tzinfo == UTC
    assert abs(expiry - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=20)
    issued = {"access_token": "new-access-1", "refresh_token": "new-refresh-1"}
    assert stored.credentials == {
        **issued,
        "shop": "s1",
        "raw": {"team": "t1", "scope": "read", **issued, "expires_in": 3600},
    }
    assert context.get_current_connection().oauth_access_token == "new-access-1"


async def test_the_new_token_is_used_until_it_expires(
    open_site: OpenSite, api: ScriptedApi
) -> None:
    site = await open_site()
    context = await site.context()
    for _ in range(3):
        assert (await context.http_request("x")).status_code == 200
    assert (await (await site.context()).http_request("x")).status_code == 200
    assert len(posts(api)) == 1


async def test_tokens_old_and_new_are_secrets(open_site: OpenSite) -> None:
    site = await open_site()
    await (await site.context()).http_request("x")
    for secret in ("new-access-1", "new-refresh-1", "old-refresh"):
        assert secret not in redact(f"a {secret} b")


async def test_the_clients_secret_goes_as_basic_authorization_and_scopes_as_they_are(
    open_site: OpenSite, api: ScriptedApi
) -> None:
    site = await open_site(token_auth="basic", oauth_scopes="read write")
    await (await site.context()).http_request("x")
    [post] = posts(api)
    pair = base64.b64encode(b"the-client:client-secret-0123").decode()
    assert post.headers["authorization"] == f"Basic {pair}"
    assert post.form == {
        "grant_type": "refresh_token",
        "refresh_token": "old-refresh",
        "scope": "read write",
    }


async def test_a_refresh_token_stays_where_there_is_no_new_one(
    open_site: OpenSite, provider: Provider
) -> None:
    provider.more = {"refresh_token": None, "expires_in": "0"}
    site = await open_site()
    await (await site.context()).http_request("x")
    credentials = (await site.stored()).credentials
    assert credentials["refresh_token"] == "old-refresh"
    assert not {"expires_at", "expires_in"} & {*credentials}


def iso(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


NOW = time.time()


@pytest.mark.parametrize(
    ("expiry", "is_refreshed"),
    [
        ({"expires_at": EXPIRED}, True),
        ({"expires_at": "2020-01-01 00:00:00"}, True),
        ({"expires_at": NOW - 5}, True),
        ({"expires_at": (NOW - 5) * 1000}, True),
        ({"expires_at": str(int(NOW - 5))}, True),
        ({"expires_in": 0.001}, True),
        ({"expires_in": "0.001"}, True),
        ({"expires_at": EXPIRED, "expires_in": 3600}, True),
        ({"expires_at": NOW + 3600}, False),
        ({"expires_at": (NOW + 3600) * 1000}, False),
        ({"expires_at": "2099-01-01T00:00:00+02:00"}, False),
        ({"expires_in": 300}, False),
        ({"expires_in": 0}, False),
        ({"expires_at": "soon"}, False),
        ({"expires_at": "soon", "expires_in": 0.001}, True),
        ({"expires_at": 10**400}, False),
        ({"expires_in": 1e300}, False),
        ({}, False),
    ],
)
async def test_when_a_token_is_expired(
    open_site: OpenSite,
    provider: Provider,
    api: ScriptedApi,
    expiry: dict[str, Any],
    is_refreshed: bool,
) -> None:
    provider.access_token = "old-access"
    site = await open_site({"access_token": "old-access", "refresh_token": "old-refresh", **expiry})
    await asyncio.sleep(0.01)
    assert (await (await site.context()).http_request("x")).status_code == 200
    assert len(posts(api)) == is_refreshed


@pytest.mark.parametrize(("life", "fresh", "stale"), [(7200, 7130, 7145), (100, 85, 95)])
async def test_a_token_is_refreshed_a_little_before_it_expires(
    open_site: OpenSite,
    provider: Provider,
    api: ScriptedApi,
    monkeypatch: pytest.MonkeyPatch,
    life: int,
    fresh: int,
    stale: int,
) -> None:
    provider.access_token = "old-access"
    credentials = {"access_token": "old-access", "refresh_token": "old-refresh", "expires_in": life}
    site = await open_site(credentials)
    context, now = await site.context(), time.time()
    for later, expected in [(fresh, 0), (stale, 1)]:
        monkeypatch.setattr(time, "time", lambda at=now + later: at)
        assert (await context.http_request("x")).status_code == 200
        assert len(posts(api)) == expected


@pytest.mark.parametrize(
    ("credentials", "settings"),
    [
        ({"access_token": "t", "expires_at": EXPIRED}, {}),
        ({**OLD, "refresh_token": ""}, {}),
        (OLD, {"token_url": None}),
        (OLD, {"auth_mode": "API_KEY"}),
    ],
)
async def test_what_can_not_be_refreshed_is_used_as_it_is(
    open_site: OpenSite, api: ScriptedApi, credentials: Any, settings: Any
) -> None:
    site = await open_site(credentials, **settings)
    assert (await (await site.context()).http_request("x")).status_code == 401
    assert [one.path for one in api.seen] == ["/api/x"]


async def test_a_request_that_is_refused_is_sent_again_with_a_new_token(
    open_site: OpenSite, api: ScriptedApi
) -> None:
    site = await open_site({**OLD, "expires_at": iso(3600)})
    context = await site.context()
    response = await context.http_request("x", "POST", body={"a": 1})
    assert response.status_code == 200
    assert [one.path for one in api.seen] == ["/api/x", "/token", "/api/x"]
    assert api.seen[0].body == api.seen[2].body == '{"a":1}'
    line = f"HTTP 401 to POST {api.url}/api/x: trying again with a refreshed token"
    assert context.log == [f"info {line}"]


async def test_an_api_that_refuses_new_tokens_too_causes_no_storm(
    open_site: OpenSite, provider: Provider, api: ScriptedApi
) -> None:
    site = await open_site({**OLD, "expires_at": iso(3600)})

    def refusing(seen: Seen) -> Answer:
        return provider(seen) if seen.path == "/token" else Answer("no", 401)

    api.script = refusing
    contexts = [await site.context() for _ in range(5)]
    for context in contexts * 2:
        assert (await context.http_request("x")).status_code == 401
    assert len(posts(api)) == 1


async def test_fifty_actions_of_two_stores_refresh_once(
    open_site: OpenSite, provider: Provider, api: ScriptedApi
) -> None:
    provider.pause = 0.3
    sites = [await open_site(), await open_site()]
    contexts = [await sites[number % 2].context() for number in range(50)]
    found = await asyncio.gather(*(context.http_request("x") for context in contexts))
    assert [one.status_code for one in found] == [200] * 50
    assert len(posts(api)) == 1


async def test_fifty_refused_requests_refresh_once(
    open_site: OpenSite, provider: Provider, api: ScriptedApi
) -> None:
    provider.pause = 0.3
    sites = [
        await open_site({**OLD, "expires_at": iso(3600)}),
        await open_site({**OLD, "expires_at": iso(3600)}),
    ]
    contexts = [await sites[number % 2].context() for number in range(50)]
    found = await asyncio.gather(*(context.http_request("x") for context in contexts))
    assert [one.status_code for one in found] == [200] * 50
    assert len(posts(api)) == 1


PROCESS = """
import asyncio, sys
from pathlib import Path
from nango_jupyter.server.config import Integration
from nango_jupyter.server.store import ConnectionStore
from tests.server.test_refresh import Site

async def main(folder, url):
    store = ConnectionStore(None, Path(folder))
    await store.open()
    urls = {"base_url": url + "/api", "token_url": url + "/token"}
    headers = {"Authorization": "Bearer ${access_token}"}
    site = Site(store, Integration("api", headers=headers, **urls))
    contexts = [await site.context() for _ in range(25)]
    print("ready", flush=True)
    sys.stdin.readline()
    found = await asyncio.gather(*(context.http_request("x") for context in contexts))
    await site.close()
    print([one.status_code for one in found] == [200] * 25)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_refresh_once(
    open_site: OpenSite, provider: Provider, api: ScriptedApi, tmp_path: Path
) -> None:
    await open_site()
    provider.pause = 0.3
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, str(tmp_path), api.url, cwd=ROOT, stdin=pipe, stdout=pipe
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [output for output, _ in ends] == [b"True\n"] * 2
    assert len(posts(api)) == 1


async def test_a_server_that_died_while_it_refreshed_is_not_waited_for_longer_than_its_lease(
    open_site: OpenSite, api: ScriptedApi
) -> None:
    site, dead = await open_site(), await open_site()
    assert await dead.store.claim_refresh(await dead.stored(), 0.5)
    started = time.monotonic()
    assert (await (await site.context()).http_request("x")).status_code == 200
    assert 0.3 < time.monotonic() - started < 10
    assert len(posts(api)) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            Answer(
                {"error": "invalid_grant", "error_description": "Token old-refresh is gone"}, 400
            ),
            "400: invalid_grant: Token •••••• is gone. Let the user log in again, and update the "
            "credentials of the connection.",
        ),
        (
            Answer({"error": "bad_refresh_token", "access_token": ""}),
            "200: bad_refresh_token. Let the user log in again",
        ),
        (
            Answer({"error": "invalid_client"}, 401),
            "401: invalid_client. Check oauth_client_id and oauth_client_secret in integrations",
        ),
        (Answer("<html>", 401), "401: no access_token. Check oauth_client_id"),
        (Answer("busy", 503), "503: no access_token. Try again later."),
        (Answer({"token": "t0ken-of-0123"}), "200: no access_token. Let the user log in again"),
        (Answer("access_token=t0ken-of-0123"), "200: no access_token. Let"),
        (Answer('{"access_token": "t0ken-of-0123", "x": NaN}'), "200: no access_token. Let"),
        (Answer([1]), "200: no access_token. Let"),
    ],
)
async def test_a_refusal_is_told_to_all_who_wait_and_not_repeated(
    open_site: OpenSite, provider: Provider, api: ScriptedApi, answer: Answer, reason: str
) -> None:
    provider.refusal = answer
    site = await open_site()
    remembering = await site.context()
    await site.refresher._find(await site.stored())  # as a trigger does: its tokens are secrets
    contexts = [await site.context() for _ in range(10)]
    found = await asyncio.gather(
        *(context.http_request("x") for context in contexts), return_exceptions=True
    )
    with pytest.raises(NangoHttpError) as caught:
        await remembering.http_request("x")
    errors = [*found, caught.value]
    assert len({id(error) for error in errors}) == 11
    for error in errors:
        assert isinstance(error, NangoHttpError)
        assert error.message.startswith(
            'The OAuth2 token of the connection (integration "api", user_id "u1") could not be '
            f"refreshed: POST {api.url}/token was answered with {reason}"
        )
        assert not any(text in error.message for text in ("old-", "secret-0123", "t0ken"))
    assert len(api.seen) == 1
    assert (await site.stored()).credentials == OLD


async def test_after_a_refusal_new_credentials_are_tried_at_once(
    open_site: OpenSite, provider: Provider
) -> None:
    site = await open_site({**OLD, "refresh_token": "wrong"})
    with pytest.raises(NangoHttpError):
        await (await site.context()).http_request("x")
    await site.store.set_credentials("api", "u1", OLD)
    assert (await (await site.context()).http_request("x")).status_code == 200


async def test_after_a_while_a_refusal_is_asked_about_again(
    open_site: OpenSite, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "_QUIET", 0.1)
    provider.refusal = Answer("busy", 503)
    site = await open_site()
    with pytest.raises(NangoHttpError):
        await (await site.context()).http_request("x")
    provider.refusal = None
    await asyncio.sleep(0.15)
    assert (await (await site.context()).http_request("x")).status_code == 200


async def test_a_provider_that_can_not_be_reached(
    open_site: OpenSite, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await open_site(token_url="http://127.0.0.1:9/token")
    with pytest.raises(NangoConnectionError, match="could not be refreshed: POST http://127") as e:
        await (await site.context()).http_request("x")
    assert "All connection attempts failed" in e.value.message
    monkeypatch.setattr(refresh, "_TIME_LIMIT", 0.2)
    provider.pause = 0.6
    site = await open_site()
    with pytest.raises(NangoTimeoutError, match=r"refreshed: POST .* no answer within 0\.2 s"):
        await (await site.context()).http_request("x")


async def test_credentials_that_were_updated_meanwhile_are_kept(
    open_site: OpenSite, provider: Provider
) -> None:
    provider.pause = 0.3
    site = await open_site()
    request = asyncio.create_task((await site.context()).http_request("x"))
    await asyncio.sleep(0.1)
    own = {"access_token": "of-a-new-login", "refresh_token": "of-a-new-login"}
    await site.store.set_credentials("api", "u1", own)
    assert (await request).json == {"token": "of-a-new-login"}
    assert (await site.stored()).credentials == own


async def test_an_update_that_has_the_same_refresh_token_does_not_lose_the_new_one(
    open_site: OpenSite, provider: Provider
) -> None:
    provider.pause = 0.3
    site = await open_site()
    request = asyncio.create_task((await site.context()).http_request("x"))
    await asyncio.sleep(0.1)
    await site.store.set_credentials("api", "u1", {**OLD, "shop": "new"})
    assert (await request).status_code == 200
    credentials = (await site.stored()).credentials
    assert (credentials["shop"], credentials["refresh_token"]) == ("new", "new-refresh-1")


async def test_an_action_that_is_given_up_takes_the_refresh_from_nobody(
    open_site: OpenSite, provider: Provider, api: ScriptedApi
) -> None:
    provider.pause = 0.3
    site = await open_site()
    first = asyncio.create_task((await site.context()).http_request("x"))
    second = asyncio.create_task((await site.context()).http_request("x"))
    await asyncio.sleep(0.1)
    first.cancel()
    assert (await second).status_code == 200
    assert first.cancelled()
    assert len(posts(api)) == 1


async def test_a_refresh_under_way_is_stored_when_the_server_stops(
    open_site: OpenSite, provider: Provider
) -> None:
    provider.pause = 0.3
    site = await open_site()
    request = asyncio.create_task((await site.context()).http_request("x"))
    await asyncio.sleep(0.1)
    request.cancel()
    await site.refresher.close()
    assert (await site.stored()).credentials["refresh_token"] == "new-refresh-1"


async def test_an_action_on_another_event_loop(open_site: OpenSite, api: ScriptedApi) -> None:
    site = await open_site()
    stored, server_loop = await site.stored(), asyncio.get_running_loop()

    async def act() -> list[int]:
        clients = HttpClients()
        contexts = [
            Context(site.integration, stored, clients, site.refresher, server_loop)
            for _ in range(10)
        ]
        found = await asyncio.gather(*(context.http_request("x") for context in contexts))
        await clients.close()
        return [one.status_code for one in found]

    assert await asyncio.to_thread(asyncio.run, act()) == [200] * 10
    assert len(posts(api)) == 1


async def test_a_connection_that_is_gone(open_site: OpenSite, tmp_path: Path) -> None:
    site = await open_site()
    context = await site.context()
    empty = ConnectionStore(":memory:", tmp_path)
    await empty.open()
    site.refresher._store = empty
    with pytest.raises(NangoUsageError, match="the connection is gone"):
        await context.http_request("x")
    await empty.close()


CONFIG = """
api:
    auth: {token_url: "${API}/token"}
    oauth_client_id: the-client
    oauth_client_secret: client-secret-0123
    log_level: debug
    requests:
        base_url: ${API}/api
        headers: {Authorization: "Bearer ${access_token}"}
"""


async def test_a_whole_server_refreshes(
    provider: Provider, api: ScriptedApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    folder = write_folder(tmp_path / "folder", CONFIG)
    write_action(
        folder,
        "api/call",
        """
        response = await self.http_request("x")
        return [response.status_code, self.get_current_connection().oauth_access_token]
        """,
    )
    async with NangoServer(folder, store_url=":memory:", environ={"API": api.url}) as server:
        await register(server, "api", credentials=OLD)
        found = await asyncio.gather(*(trigger(server, "api/call") for _ in range(20)))
        assert [one.return_value for one in found] == [[200, "new-access-1"]] * 20
        assert len(posts(api)) == 1
    texts = json.dumps([one.getMessage() for one in caplog.records])
    assert "HTTP response 200" in texts
    for secret in ("new-access-1", "new-refresh-1", "old-access", "client-secret-0123"):
        assert secret not in texts


async def test_the_reply_says_why_a_token_could_not_be_refreshed(
    provider: Provider, api: ScriptedApi, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "folder", CONFIG)
    write_action(folder, "api/call", "await self.http_request('x')")
    provider.refusal = Answer({"error": "invalid_grant", "error_description": "revoked"}, 400)
    async with NangoServer(folder, store_url=":memory:", environ={"API": api.url}) as server:
        await register(server, "api", credentials=OLD)
        assert (
            "There was an error during the action execution: The OAuth2 token of the connection "
            '(integration "api", user_id "u1") could not be refreshed: POST '
            f"{api.url}/token was answered with 400: invalid_grant: revoked. Let the user log in"
        ) in await error_of(server, "api/call")
