"""The sample integrations, end to end, and the API behind one of them."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from nango_jupyter.samples import Samples
from nango_jupyter.samples.crm_api import TOKEN, CrmApi
from nango_jupyter.server import NangoServer
from tests.server.support import ask, error_of, register, trigger


@pytest.fixture(scope="module")
def api() -> Iterator[CrmApi]:
    with CrmApi() as api:
        yield api


def get(
    api: CrmApi, path: str, token: str = TOKEN, method: str = "GET", content: bytes = b""
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, api.url + path, headers=headers, content=content, trust_env=False)


def test_pages(api: CrmApi) -> None:
    first = get(api, "/contacts").json()
    assert {name: first[name] for name in ["page", "pages", "total", "next_page"]} == {
        "page": 1,
        "pages": 3,
        "total": 60,
        "next_page": 2,
    }
    last = get(api, "/contacts?page=3&limit=25").json()
    assert (len(last["contacts"]), last["next_page"]) == (10, None)
    assert get(api, "/contacts?page=99").json()["contacts"] == []


def test_a_city(api: CrmApi) -> None:
    found = get(api, "/contacts?city=%E5%8C%97%E4%BA%AC").json()
    assert {one["address"]["city"] for one in found["contacts"]} == {"北京"}
    assert get(api, "/contacts?city=Atlantis").json()["pages"] == 1


def test_one_contact(api: CrmApi) -> None:
    assert get(api, "/contacts/1001").json()["name"] == "Zoë Lindqvist"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/contacts?page=0", 400),
        ("/contacts?page=x", 400),
        ("/contacts?limit=51", 400),
        ("/contacts?limit=-1", 400),
        ("/contacts?limit=²", 400),
        ("/contacts/1", 404),
        ("/contacts/zoe", 404),
        ("/", 404),
        ("/../etc/passwd", 404),
    ],
)
def test_refusals(api: CrmApi, path: str, status: int) -> None:
    response = get(api, path)
    assert response.status_code == status
    assert response.json()["error"]


@pytest.mark.parametrize("token", ["x", "wrong", TOKEN + "x", f"Bearer {TOKEN}"])
def test_other_tokens_are_refused(api: CrmApi, token: str) -> None:
    response = get(api, "/contacts", token)
    assert (response.status_code, "token" in response.json()["error"]) == (401, True)
    assert httpx.get(f"{api.url}/contacts", trust_env=False).status_code == 401


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_get(api: CrmApi, method: str) -> None:
    response = get(api, "/contacts", method=method, content=b"" if method == "HEAD" else b"x" * 999)
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


def test_the_api_is_quiet_and_survives_rude_clients(
    api: CrmApi, capfd: pytest.CaptureFixture[str]
) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    for text in [b"", b"nonsense\r\n\r\n", b"GET /contacts HTTP/1.1\r\nContent-Le"]:
        with socket.create_connection((host, int(port))) as rude:
            rude.sendall(text)
    assert get(api, "/contacts").status_code == 200
    assert capfd.readouterr() == ("", "")


def test_the_api_runs_only_while_it_is_used() -> None:
    with CrmApi() as api:
        url = api.url
        assert get(api, "/contacts").status_code == 200
    assert api.url == ""
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
    with CrmApi() as first, CrmApi() as second:
        assert first.url != second.url


def test_the_contacts_are_worth_showing(api: CrmApi) -> None:
    found = [get(api, f"/contacts?page={page}&limit=30").json()["contacts"] for page in (1, 2)]
    contacts = found[0] + found[1]
    assert len({one["id"] for one in contacts}) == 60
    names = " ".join(one["name"] for one in contacts)
    for piece in ["Zoë", "O'Brien", "李雷", "🎉", "<b>", '"']:
        assert piece in names
    for one in contacts:
        assert datetime.fromisoformat(one["created"])
        assert set(one["address"]) == {"city", "country"}
        assert isinstance(one["deals"], list)


@pytest.fixture(scope="module")
def samples() -> Iterator[Samples]:
    with Samples() as samples:
        yield samples


@pytest.fixture
async def server(samples: Samples) -> AsyncIterator[NangoServer]:
    async with NangoServer(samples.folder, store_url=":memory:", environ=samples.environ) as server:
        await register(server, "demo", oAuthAccessToken="any-token", additionalConfig={"a": 1})
        await register(server, "crm", oAuthAccessToken=TOKEN)
        yield server


def test_the_folder(samples: Samples) -> None:
    assert set(samples.environ) == {"NANGO_SAMPLE_CRM_URL"}
    assert not (samples.folder / ".nango-jupyter").exists()


async def test_names(server: NangoServer) -> None:
    assert server.integrations() == {
        "demo": ["echo", "fail", "sleep", "whoami"],
        "crm": ["list-contacts"],
    }


@pytest.mark.parametrize("value", [None, 0, "é", [1, {"a": None}], {"deep": {"er": [True]}}])
async def test_echo(server: NangoServer, value: Any) -> None:
    assert (await trigger(server, "demo/echo", value)).return_value == value


async def test_whoami(server: NangoServer) -> None:
    found = (await trigger(server, "demo/whoami")).return_value
    listed = (await ask(server, "GET_INTEGRATION_CONNECTIONS", integration="demo")).return_value
    assert found == {
        "uuid": listed[0]["uuid"],
        "integration": "demo",
        "userId": "u1",
        "additionalConfig": {"a": 1},
    }


async def test_sleep(server: NangoServer) -> None:
    assert (await trigger(server, "demo/sleep", {"seconds": 0.01})).return_value == {"slept": 0.01}
    for value in [None, {}, {"seconds": "2"}, {"seconds": -1}, {"seconds": True}, [2]]:
        assert 'the input must be {"seconds": N}' in await error_of(server, "demo/sleep", value)


async def test_fail(server: NangoServer) -> None:
    error = await error_of(server, "demo/fail", {"message": "out of coffee"})
    assert error.startswith(
        "There was an error during the action execution: out of coffee - RuntimeError\n"
        "    at Fail.execute_action (demo/fail.action.py:"
    )
    assert "this action always fails" in await error_of(server, "demo/fail")


async def test_list_contacts(server: NangoServer) -> None:
    found = (await trigger(server, "crm/list-contacts")).return_value
    assert (len(found["contacts"]), found["pages"]) == (60, 3)
    found = (await trigger(server, "crm/list-contacts", {"limit": 50})).return_value
    assert (len(found["contacts"]), found["pages"]) == (60, 2)
    found = (await trigger(server, "crm/list-contacts", {"city": "Dublin"})).return_value
    assert 0 < len(found["contacts"]) < 60
    assert {one["address"]["city"] for one in found["contacts"]} == {"Dublin"}


async def test_page_size_of_the_connection(server: NangoServer) -> None:
    config = {"page_size": 7}
    await register(server, "crm", "u2", oAuthAccessToken=TOKEN, additionalConfig=config)
    found = (await trigger(server, "crm/list-contacts", user_id="u2")).return_value
    assert (len(found["contacts"]), found["pages"]) == (60, 9)


async def test_what_the_api_refuses_is_readable(server: NangoServer) -> None:
    await register(server, "crm", "u2", oAuthAccessToken="a-wrong-token")
    result = await trigger(server, "crm/list-contacts", user_id="u2")
    assert "the CRM refused the access token of this connection - PermissionError" in str(
        result.error_msg
    )
    error = await error_of(server, "crm/list-contacts", {"limit": 0})
    assert "the CRM answered 400" in error
    assert json.dumps("limit must be a number from 1 to 50") in error
