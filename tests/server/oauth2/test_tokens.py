"""When a token is refreshed, what is sent for it, and what is stored of the answer."""

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nango_jupyter.secrets import redact
from tests.server.oauth2.site import EXPIRED, OLD, OpenSite, Provider, posts
from tests.server.scripted import ScriptedApi


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
