"""The HTTP APIs behind the samples, as a client of any kind sees them."""

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

import httpx
import pytest

from nango_jupyter.samples.api import SampleApi

# Each httpx.request would make a TLS context of its own, which takes longer than all the rest.
CLIENT = httpx.Client(trust_env=False, verify=False)


@pytest.fixture(scope="module")
def api() -> Iterator[SampleApi]:
    with SampleApi() as api:
        yield api


def token_for(path: str) -> str:
    return f"{path.split('/')[1]}-demo-token"


def get(api: SampleApi, path: str, token: str | None = None, **options: Any) -> httpx.Response:
    return ask(api, "GET", path, token, **options)


def ask(
    api: SampleApi, method: str, path: str, token: str | None = None, **options: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token_for(path) if token is None else token}"}
    return CLIENT.request(method, api.url + path, headers=headers, **options)


def everything(api: SampleApi, name: str) -> list[Any]:
    """Return all rows of one of the CRM's lists."""
    found: list[Any] = []
    page: int | None = 1
    while page:
        answer = get(api, f"/crm/{name}?page={page}&limit=50").json()
        found += answer[name]
        page = answer["next_page"]
    return found


def test_pages_with_numbers(api: SampleApi) -> None:
    first = get(api, "/crm/contacts").json()
    assert {name: first[name] for name in ["page", "pages", "total", "next_page"]} == {
        "page": 1,
        "pages": 3,
        "total": 60,
        "next_page": 2,
    }
    last = get(api, "/crm/contacts?page=3&limit=25").json()
    assert (len(last["contacts"]), last["next_page"]) == (10, None)
    assert get(api, "/crm/contacts?page=99").json()["contacts"] == []


def test_pages_with_links(api: SampleApi) -> None:
    path = "/billing/invoices?status=paid&limit=25"
    first = get(api, path)
    assert first.links.keys() == {"next", "last"}
    second = get(api, first.links["next"]["url"].removeprefix(api.url))
    assert len(second.json()) == 25
    assert second.links.keys() == {"first", "prev", "next", "last"}
    assert second.links["first"]["url"] == f"{api.url}{path}&page=1"
    assert {one["status"] for one in first.json() + second.json()} == {"paid"}
    last = get(api, first.links["last"]["url"].removeprefix(api.url))
    assert last.links.keys() == {"first", "prev"}
    assert get(api, "/billing/invoices?status=open").links == {}


def test_pages_with_cursors(api: SampleApi) -> None:
    path = "/chat/messages?channel=%23sales&limit=50"
    first = get(api, path).json()
    assert [one["number"] for one in first["messages"]] == list(range(90, 40, -1))
    # What is posted meanwhile doesn't move what comes.
    ask(api, "POST", "/chat/messages", json={"channel": "#sales", "text": "wait!"})
    second = get(api, f"{path}&cursor={first['next_cursor']}").json()
    assert [one["number"] for one in second["messages"]] == list(range(40, 0, -1))
    assert second["next_cursor"] == ""
    assert get(api, "/chat/messages?channel=%23new-shop").json() == {
        "messages": [],
        "next_cursor": "",
    }


def test_a_city(api: SampleApi) -> None:
    found = get(api, "/crm/contacts?city=%E5%8C%97%E4%BA%AC").json()
    assert {one["address"]["city"] for one in found["contacts"]} == {"北京"}
    assert get(api, "/crm/contacts?city=Atlantis").json()["pages"] == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/crm/contacts?page=0", 400),
        ("/crm/contacts?page=x", 400),
        ("/crm/contacts?limit=51", 400),
        ("/crm/contacts?limit=-1", 400),
        ("/crm/contacts?limit=²", 400),
        ("/crm/contacts/1", 404),
        ("/crm/contacts/zoe", 404),
        ("/crm/deals?stage=maybe", 400),
        ("/chat/messages", 400),
        ("/chat/messages?channel=sales", 404),
        ("/chat/messages?channel=%23sales&cursor=before-x", 400),
        ("/billing/invoices?status=lost", 400),
        ("/billing/invoices/INV-2026-0999", 404),
        ("/billing/invoices/13", 404),
        ("/crm", 404),
        ("/", 404),
        ("/shop/contacts", 404),
        ("/../etc/passwd", 404),
    ],
)
def test_refusals(api: SampleApi, path: str, status: int) -> None:
    response = get(api, path)
    assert response.status_code == status
    assert response.json()["error"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"text": 7}', b'{"text": " "}'])
def test_bodies_that_are_nothing(api: SampleApi, content: bytes) -> None:
    for path in ["/crm/contacts/1001/notes", "/chat/messages"]:
        response = ask(api, "POST", path, content=content)
        assert (response.status_code, bool(response.json()["error"])) == (400, True)


@pytest.mark.parametrize("path", ["/crm/contacts", "/chat/channels", "/billing/invoices"])
def test_other_tokens_are_refused(api: SampleApi, path: str) -> None:
    right = token_for(path)
    for token in ["x", f"{right}x", f"Bearer {right}", token_for("/shop")]:
        response = get(api, path, token)
        assert (response.status_code, "token" in response.json()["error"]) == (401, True)
    assert CLIENT.get(f"{api.url}{path}").status_code == 401
    assert get(api, path).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods(api: SampleApi, method: str) -> None:
    content = b"" if method == "HEAD" else b"x" * 999
    response = ask(api, method, "/crm/contacts", content=content)
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert ask(api, "PUT", "/chat/messages").headers["allow"] == "GET, POST"


def test_the_api_is_quiet_and_survives_rude_clients(
    api: SampleApi, capfd: pytest.CaptureFixture[str]
) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    for text in [b"", b"nonsense\r\n\r\n", b"GET /crm/contacts HTTP/1.1\r\nContent-Le"]:
        with socket.create_connection((host, int(port))) as rude:
            rude.sendall(text)
    assert get(api, "/crm/contacts").status_code == 200
    assert capfd.readouterr() == ("", "")


def test_the_api_runs_only_while_it_is_used() -> None:
    note = {"text": "Likes rakes."}
    with SampleApi() as api:
        url = api.url
        assert api.urls == {name: f"{url}/{name}" for name in ("crm", "chat", "billing")}
        assert ask(api, "POST", "/crm/contacts/1001/notes", json=note).status_code == 201
        assert get(api, "/crm/contacts/1001").json()["notes"] == [
            {"id": 1, "contact_id": 1001, **note}
        ]
    assert (api.url, api.urls) == ("", {})
    with pytest.raises(httpx.ConnectError):
        CLIENT.get(url)
    with SampleApi() as first, api:  # again: nothing is left of what was posted
        assert first.url != api.url
        assert get(api, "/crm/contacts/1001").json()["notes"] == []


def test_many_at_once_lose_nothing() -> None:
    """Of 40 posts from eight threads each is numbered once, and each tenth is refused once."""
    with SampleApi() as api, ThreadPoolExecutor(8) as threads:

        def post(number: int) -> tuple[int, ...]:
            message = {"channel": "#new-shop", "text": str(number)}
            statuses: list[int] = []
            while not statuses or statuses[-1] == 429:
                response = ask(api, "POST", "/chat/messages", json=message)
                statuses.append(response.status_code)
                assert response.headers.get("retry-after", "1") == "1"
            return tuple(statuses)

        statuses = Counter(status for found in threads.map(post, range(40)) for status in found)
        assert statuses == {201: 40, 429: 4}
        found = get(api, "/chat/messages?channel=%23new-shop&limit=50").json()["messages"]
    assert [one["number"] for one in found] == list(range(40, 0, -1))
    assert sorted(int(one["text"]) for one in found) == list(range(40))
    assert found[-1]["sent"] == "2026-11-25T09:00:00Z"


def test_the_contacts_are_worth_showing(api: SampleApi) -> None:
    contacts = everything(api, "contacts")
    assert len({one["id"] for one in contacts}) == 60
    names = " ".join(one["name"] for one in contacts)
    for piece in ["Zoë", "O'Brien", "李雷", "🎉", "<b>", '"']:
        assert piece in names
    for one in contacts:
        assert datetime.fromisoformat(one["created"])
        assert set(one["address"]) == {"city", "country"}
        assert isinstance(one["deals"], list)
    assert [one["id"] for one in contacts if one["email"] is None] == [1013, 1021, 1037]


def test_the_invoices_fit_the_contacts(api: SampleApi) -> None:
    contacts = {one["id"]: one for one in everything(api, "contacts")}
    pages = [get(api, f"/billing/invoices?limit=50&page={page}").json() for page in (1, 2)]
    invoices = pages[0] + pages[1]
    assert [one["number"] for one in invoices] == [f"INV-2026-{n:04}" for n in range(1, 91)]
    assert {one["status"] for one in invoices} == {"paid", "open", "overdue"}
    for one in invoices:
        contact = contacts[one["contact_id"]]
        assert one["company"] == contact["company"]
        assert one["country"] == contact["address"]["country"]
        total = sum(line["quantity"] * line["price"] for line in one["lines"])
        assert one["amount"] == pytest.approx(total)
        assert date.fromisoformat(one["issued"]) < date.fromisoformat(one["due"])
    # Each kind of reminder can be tried: one that goes, and one without an address.
    unpaid = {one["contact_id"] for one in invoices if one["status"] != "paid"}
    assert {contacts[number]["email"] is None for number in unpaid} == {True, False}
    items = " ".join(line["item"] for one in invoices for line in one["lines"])
    for piece in ["“", "<wide>", '½"', "剪定鋏", "🌼", "'"]:
        assert piece in items
