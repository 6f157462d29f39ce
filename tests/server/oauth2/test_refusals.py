"""An API that refuses a token, and a provider that refuses a new one."""

import asyncio
import json
from pathlib import Path

import pytest

from nango_jupyter.exceptions import NangoConnectionError, NangoHttpError, NangoTimeoutError
from nango_jupyter.server import NangoServer, refresh
from tests.server.oauth2.site import OLD, OpenSite, Provider, fresh_but_refused, posts
from tests.server.scripted import Answer, ScriptedApi, Seen
from tests.server.support import error_of, register, trigger, write_action, write_folder


async def test_a_request_that_is_refused_is_sent_again_with_a_new_token(
    open_site: OpenSite, api: ScriptedApi
) -> None:
    site = await open_site(fresh_but_refused())
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
    site = await open_site(fresh_but_refused())

    def refusing(seen: Seen) -> Answer:
        return provider(seen) if seen.path == "/token" else Answer("no", 401)

    api.script = refusing
    contexts = [await site.context() for _ in range(5)]
    for context in contexts * 2:
        assert (await context.http_request("x")).status_code == 401
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
    provider.may_answer.clear()
    site = await open_site()
    with pytest.raises(NangoTimeoutError, match=r"refreshed: POST .* no answer within 0\.2 s"):
        await (await site.context()).http_request("x")
    provider.may_answer.set()


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
