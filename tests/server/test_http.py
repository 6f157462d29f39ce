"""The HTTP requests of actions, against a real server on this machine."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from nango_jupyter.secrets import MASK, redact
from nango_jupyter.server import NangoServer
from tests.server.support import error_of, register, trigger, write_action, write_folder


class Api(ThreadingHTTPServer):
    """Answers each request with what it got; /status/N, /slow, /cut and /set-cookie do so too."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Api

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        got = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): text for name, text in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        if self.path.endswith("/slow"):
            threading.Event().wait(1)
        if self.path.endswith("/cut"):
            self.close_connection = True
            return
        body = json.dumps({"got": got, "access_token": "issued-by-the-api"}).encode()
        _, _, status = self.path.partition("/status/")
        self.send_response(int(status or 200))
        if self.path.endswith("/set-cookie"):
            self.send_header("Set-Cookie", "session=of-the-first-user")
        if self.path.endswith("/bad-gzip"):
            self.send_header("Content-Encoding", "gzip")
            body = b"not compressed"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with Api() as api:
        threading.Thread(target=api.serve_forever, args=(0.02,), daemon=True).start()
        yield api
        api.shutdown()


CONFIG = """
integrations:
    v1:
        base_url: ${API}/base/
        call_auth: {mode: AUTH_HEADER_TOKEN}
        log_level: debug
        http_request_timeout_seconds: 0.3
    bearer:
        requests:
            base_url: ${API}/base
            headers: {Authorization: "Bearer ${access_token}", X-App: "${app_api_key}"}
        app_api_key: app-key-0123
        http_request_timeout_seconds: 0
        http_request_retries: 0
    keyed:
        auth: {auth_mode: API_KEY}
        log_level: debug
        requests:
            base_url: ${API}
            params: {api_key: "${api_key}", shop: "${raw.shop}"}
    signed:
        auth: {auth_mode: OAUTH1}
        requests:
            base_url: ${API}
            headers: {Authorization: "OAuth ${oauth_token}:${oauth_token_secret}"}
    basic:
        auth: {auth_mode: USERNAME_PASSWORD}
        requests:
            base_url: ${API}
            headers:
                Authorization: Basic ${basic_auth_encoded}
                X-User: ${username}/${password}
    sub:
        requests: {base_url: "${API}/${raw.shop}"}
    nested:
        requests:
            base_url: ${API}
            headers: {X-Team: "${raw.team}", X-Shop: "${raw.shop}", X-Token: "${access_token}"}
    nowhere: {}
    closed: {base_url: "http://127.0.0.1:9", http_request_timeout_seconds: 5}
"""
CREDENTIALS: dict[str, dict[str, Any]] = {
    "v1": {"access_token": "v1-token-0123"},
    "bearer": {"access_token": "bearer-token-0123"},
    "keyed": {"api_key": "key with & 0123", "shop": 42},
    "signed": {"oauth_token": "oauth-token-0123", "oauth_token_secret": "oauth-secret-0123"},
    "basic": {"username": "ada", "password": "pass:word é"},
    "sub": {"access_token": "t", "shop": "my-shop"},
    "nested": {
        "access_token": "nested-token-0123",
        "shop": "beside",
        "team": "beside",
        "raw": {"team": 7, "access_token": "raw-token-0123", "more": {"team": "deeper"}},
    },
    "nowhere": {"access_token": "t"},
    "closed": {"access_token": "t"},
}
CALL = """
response = await self.http_request(*input.get("args", []), **input.get("kwargs", {}))
return {"status": response.status_code, **(response.json() if response.content else {})}
"""


@pytest.fixture
async def server(tmp_path: Path, api: Api) -> AsyncIterator[NangoServer]:
    folder = write_folder(tmp_path / "folder", CONFIG)
    async with NangoServer(folder, store_url=":memory:", environ={"API": api.url}) as server:
        for name, credentials in CREDENTIALS.items():
            write_action(folder, f"{name}/call", CALL)
            await register(server, name, credentials=credentials)
        yield server


def query(path: str) -> list[tuple[str, str]]:
    return parse_qsl(path.partition("?")[2])


async def call(server: NangoServer, integration: str, *args: Any, **kwargs: Any) -> Any:
    value = {"args": args, "kwargs": kwargs}
    result = await trigger(server, f"{integration}/call", value)
    assert result.success, result.error_msg
    return result.return_value["got"]


@pytest.mark.parametrize(
    ("integration", "endpoint", "path"),
    [
        ("v1", "contacts", "/base/contacts"),
        ("v1", "/contacts", "/base/contacts"),
        ("bearer", "contacts", "/base/contacts"),
        ("bearer", "//contacts/", "/base/contacts/"),
        ("bearer", "", "/base/"),
        ("bearer", "a?x=1&x=2&sig=a%2Fb", "/base/a?x=1&x=2&sig=a%2Fb"),
        ("bearer", "a b/ü", "/base/a%20b/%C3%BC"),
        ("sub", "x", "/my-shop/x"),
    ],
)
async def test_joining(server: NangoServer, integration: str, endpoint: str, path: str) -> None:
    assert (await call(server, integration, endpoint))["path"] == path


async def test_a_whole_url_of_the_same_host(server: NangoServer, api: Api) -> None:
    got = await call(server, "bearer", f"{api.url}/other?page=2")
    assert got["path"] == "/other?page=2"
    assert got["headers"]["authorization"] == "Bearer bearer-token-0123"


async def test_credentials_are_sent_to_no_other_host(server: NangoServer, api: Api) -> None:
    others = [
        "https://evil.example.com/x",
        api.url.replace("http:", "https:"),
        api.url.replace("127.0.0.1", "localhost"),
        f"{api.url}0/x",
        api.url.replace("//", "//evil@").replace("127.0.0.1", "127.0.0.2"),
    ]
    for url in others:
        assert "credentials are not sent there" in await error_of(
            server, "bearer/call", {"args": [url]}
        )


async def test_authorization_of_each_mode(server: NangoServer) -> None:
    headers = (await call(server, "v1", "x"))["headers"]
    assert headers["authorization"] == "Bearer v1-token-0123"
    headers = (await call(server, "bearer", "x"))["headers"]
    assert (headers["authorization"], headers["x-app"]) == (
        "Bearer bearer-token-0123",
        "app-key-0123",
    )
    path = (await call(server, "keyed", "x", params={"a": 1}))["path"]
    assert query(path) == [("api_key", "key with & 0123"), ("shop", "42"), ("a", "1")]
    headers = (await call(server, "signed", "x"))["headers"]
    assert headers["authorization"] == "OAuth oauth-token-0123:oauth-secret-0123"


async def test_basic_authorization(server: NangoServer) -> None:
    headers = (await call(server, "basic", "x"))["headers"]
    assert headers["authorization"] == "Basic YWRhOnBhc3M6d29yZCDDqQ=="
    assert headers["x-user"].encode("latin-1").decode() == "ada/pass:word é"


async def test_raw_is_the_issuers_answer_or_what_stands_beside_the_token(
    server: NangoServer,
) -> None:
    headers = (await call(server, "nested", "x"))["headers"]
    assert (headers["x-team"], headers["x-shop"]) == ("7", "beside")
    assert headers["x-token"] == "nested-token-0123"
    assert redact("raw-token-0123") == MASK
    no_object = {"access_token": "t", "raw": "text", "shop": "s", "team": True}
    await register(server, "nested", "u2", credentials=no_object)
    result = await trigger(server, "nested/call", {"args": ["x"]}, user_id="u2")
    assert "needs ${raw.team}, which the connection's credentials don't have" in str(
        result.error_msg
    )


async def test_params(server: NangoServer) -> None:
    got = await call(
        server, "keyed", "x?b=2&b=3", params={"shop": "mine", "none": None, "list": [1, 2]}
    )
    found = query(got["path"])
    assert found[:2] == [("b", "2"), ("b", "3")]
    assert found[2:4] == [("api_key", "key with & 0123"), ("shop", "mine")]
    assert found[4:] == [("list", "1"), ("list", "2")]
    got = await call(server, "keyed", "x?api_key=own")
    assert got["path"] == "/x?api_key=own&shop=42"


async def test_headers_of_the_action_win(server: NangoServer) -> None:
    headers = {"authorization": "Own", "content-type": "application/vnd.api+json"}
    got = await call(server, "v1", "x", "post", body={"a": 1}, headers=headers)
    assert got["method"] == "POST"
    assert got["headers"]["authorization"] == "Own"
    assert got["headers"]["content-type"] == "application/vnd.api+json"


@pytest.mark.parametrize(
    ("body", "sent", "content_type"),
    [
        ({"a": "ü", "b": None}, '{"a":"ü","b":null}', "application/json"),
        ([1, 2], "[1,2]", "application/json"),
        ({}, "{}", "application/json"),
        ("a=1&b=ü", "a=1&b=ü", None),
        ("", "", None),
        (None, "", None),
    ],
)
async def test_bodies(server: NangoServer, body: Any, sent: str, content_type: str | None) -> None:
    got = await call(server, "v1", "x", "PUT", body=body)
    assert (got["body"], got["headers"].get("content-type")) == (sent, content_type)


async def test_bytes_and_unfit_bodies(server: NangoServer, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_action(
        folder,
        "v1/bytes",
        "return (await self.http_request('x', 'POST', body=b'\\x41')).json()['got']['body']",
    )
    assert (await trigger(server, "v1/bytes")).return_value == "A"
    write_action(folder, "v1/unfit", "await self.http_request('x', 'POST', body={'a': {1, 2}})")
    assert "body.a is a set, which JSON can't hold" in await error_of(server, "v1/unfit")
    assert "body is a int" in await error_of(
        server, "v1/call", {"args": ["x", "POST"], "kwargs": {"body": 5}}
    )


async def test_a_response_has_its_json_as_an_attribute_that_can_be_returned(
    server: NangoServer, tmp_path: Path
) -> None:
    write_action(
        tmp_path / "folder",
        "v1/json",
        """
        response = await self.http_request("x")
        if response.json and response.json["got"] == response.json()["got"]:
            return response.json
        """,
    )
    result = await trigger(server, "v1/json")
    assert result.return_value["got"]["path"] == "/base/x"


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 404, 429, 500, 503])
async def test_every_status_is_a_normal_response(server: NangoServer, status: int) -> None:
    result = await trigger(server, "bearer/call", {"args": [f"status/{status}"]})
    assert result.return_value["status"] == status


async def test_time_limit(server: NangoServer, api: Api) -> None:
    error = await error_of(server, "v1/call", {"args": ["slow"]})
    assert f"GET {api.url}/base/slow had no answer within 0.3 s - NangoTimeoutError" in error
    assert (await call(server, "bearer", "slow"))["method"] == "GET"


async def test_network_faults(server: NangoServer, api: Api) -> None:
    error = await error_of(server, "closed/call", {"args": ["x"]})
    assert "GET http://127.0.0.1:9/x failed: All connection attempts failed" in error
    assert "NangoConnectionError" in error
    error = await error_of(server, "bearer/call", {"args": ["cut"]})
    assert f"GET {api.url}/base/cut failed: Server disconnected" in error
    error = await error_of(server, "bearer/call", {"args": ["bad-gzip"]})
    assert f"GET {api.url}/base/bad-gzip failed: Error -3" in error


async def test_an_integration_without_base_url(server: NangoServer) -> None:
    error = await error_of(server, "nowhere/call", {"args": ["x"]})
    assert "The integration nowhere has no base_url in integrations.yaml" in error


async def test_credentials_that_lack_what_a_template_needs(server: NangoServer) -> None:
    await register(server, "sub", "u2", credentials={"access_token": "t"})
    result = await trigger(server, "sub/call", {"args": ["x"]}, user_id="u2")
    assert "base_url of the integration sub needs ${raw.shop}" in str(result.error_msg)


async def test_credentials_can_not_move_the_base_url(server: NangoServer, api: Api) -> None:
    shop = "../x?y#@evil.example.com/"
    await register(server, "sub", "u2", credentials={"access_token": "t", "shop": shop})
    result = await trigger(server, "sub/call", {"args": ["z"]}, user_id="u2")
    assert result.return_value["got"]["path"] == "/..%2Fx%3Fy%23%40evil.example.com%2F/z"


async def test_users_share_no_cookies(server: NangoServer) -> None:
    await register(server, "v1", "u2", credentials={"access_token": "other"})
    await call(server, "v1", "set-cookie")
    result = await trigger(server, "v1/call", {"args": ["x"]}, user_id="u2")
    assert "cookie" not in result.return_value["got"]["headers"]


async def test_no_proxy_stands_before_this_machine(
    server: NangoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert (await call(server, "v1", "x"))["method"] == "GET"


async def test_the_debug_log_masks_secrets(
    server: NangoServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    body = {"password": "typed-by-the-user", "note": "v1-token-0123", "fine": "shown"}
    await call(server, "v1", "x", "POST", body=body, headers={"X-Api-Key": "own"})
    await call(server, "keyed", "x")
    await call(server, "basic", "x")
    names = ("nango_jupyter", "httpx", "aiosqlite", "sqlalchemy")
    lines = [one.getMessage() for one in caplog.records if one.name.startswith(names)]
    posted = next(line for line in lines if line.startswith("HTTP request POST http://127.0.0.1:"))
    assert '{"password": "••••••", "note": "••••••", "fine": "shown"}' in posted
    assert "'x-api-key': '••••••'" in posted
    assert any(line.startswith("HTTP response 200 to GET") for line in lines)
    for secret in ["v1-token", "key with", "key+with", "issued-by-the-api", "pass:word", "YWRhOn"]:
        assert secret not in "\n".join(lines)


async def test_nothing_is_logged_below_debug(
    server: NangoServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="nango_jupyter")
    await call(server, "bearer", "x")
    assert not [one for one in caplog.records if one.name.startswith("nango_jupyter.action")]


async def test_many_at_once(server: NangoServer) -> None:
    found = await asyncio.gather(*(call(server, "bearer", str(n)) for n in range(30)))
    assert [one["path"] for one in found] == [f"/base/{n}" for n in range(30)]
