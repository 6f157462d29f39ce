"""The sample integrations, end to end: the real server, and the APIs behind them."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Any

import pytest
from click.testing import CliRunner

from nango_jupyter.samples import Samples
from nango_jupyter.server import NangoServer
from nango_jupyter.server.cli import main
from nango_jupyter.server.folder import ActionDescription
from tests.server.support import ask, error_of, register, trigger

NAMES = {
    "demo": ["echo", "fail", "sleep", "whoami"],
    "crm": ["add-note", "get-contact", "list-contacts", "list-deals"],
    "chat": ["list-channels", "list-messages", "post-message"],
    "billing": ["get-invoice", "list-invoices", "send-reminder"],
}
TOKENS = {"demo": "any-token"} | {name: f"{name}-demo-token" for name in ("crm", "chat", "billing")}


@pytest.fixture(scope="module")
def samples() -> Iterator[Samples]:
    with Samples() as samples:
        yield samples


@pytest.fixture
async def server(samples: Samples) -> AsyncIterator[NangoServer]:
    async with NangoServer(samples.folder, store_url=":memory:", environ=samples.environ) as server:
        for name, token in TOKENS.items():
            await register(server, name, oAuthAccessToken=token, additionalConfig={"a": 1})
        yield server


async def value_of(server: NangoServer, name: str, input_value: Any = None) -> Any:
    """Trigger an action that works, and return what it returned."""
    result = await trigger(server, name, input_value)
    assert result.success, result.error_msg
    return result.return_value


def first_line(error: str) -> str:
    """Return what an error says, without where it came from."""
    head = "There was an error during the action execution: "
    assert error.startswith(head)
    return error.removeprefix(head).partition("\n")[0]


def test_the_folder(samples: Samples) -> None:
    variables = {f"NANGO_SAMPLE_{name}_URL" for name in ("CRM", "CHAT", "BILLING")}
    assert set(samples.environ) == variables
    assert not (samples.folder / ".nango-jupyter").exists()
    found = CliRunner(env=samples.environ).invoke(main, ["check", str(samples.folder)])
    assert (found.exit_code, found.output) == (0, "4 integrations, 14 actions: no problems\n")


async def test_names(server: NangoServer) -> None:
    assert server.integrations() == NAMES


async def test_what_forms_need(server: NangoServer) -> None:
    """The typed actions say what they do, and what each input is."""
    typed = [one for one in await server.describe() if one.input_schema is not None]
    untyped = {"echo", "fail", "sleep", "whoami", "list-contacts"}
    assert {one.name for one in typed} == {*chain(*NAMES.values())} - untyped
    for one in typed:
        assert one.description.endswith(".")
        assert one.idempotent == one.name.startswith(("get-", "list-"))
        inputs: Any = (one.input_schema or {}).get("properties", {})
        assert all(each["description"] for each in inputs.values())


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
    await register(server, "crm", "u2", oAuthAccessToken=TOKENS["crm"], additionalConfig=config)
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


async def test_the_examples_in_the_docstrings(server: NangoServer) -> None:
    """Each typed action runs with the input that its docstring shows."""
    shown = 0
    for path in sorted(Samples().folder.rglob("*.action.py")):
        if found := re.search("Input: ``(.*)``", path.read_text(encoding="utf-8")):
            name = f"{path.parent.name}/{path.name.removesuffix('.action.py')}"
            await value_of(server, name, json.loads(found[1]))
            shown += 1
    assert shown == 9


async def test_contacts_deals_and_notes(server: NangoServer) -> None:
    note = {"contact_id": 1004, "text": "“Quotes” & <b>瑞士</b> 🌱"}
    written = await value_of(server, "crm/add-note", note)
    assert written == {"id": written["id"], **note}
    contact = await value_of(server, "crm/get-contact", {"contact_id": 1004})
    assert (contact["name"], contact["address"]["city"]) == ("Ada Okafor", "Zürich")
    assert (len(contact["deals"]), contact["notes"]) == (2, [written])
    deals = await value_of(server, "crm/list-deals")
    assert len(deals) == 83
    assert deals[0] == {
        "contact_id": 1002,
        "contact": "Miles O'Brien",
        "company": "O'Hare Freight",
        "title": "Pruning course, 3 days",
        "stage": "offer",
        "amount": 14250,
    }
    won = await value_of(server, "crm/list-deals", {"stage": "won"})
    assert won == [one for one in deals if one["stage"] == "won"]
    assert len(await value_of(server, "crm/list-deals", {"most": 21})) == 21


async def test_channels_and_messages(server: NangoServer) -> None:
    channels = await value_of(server, "chat/list-channels")
    assert {"name": "#東京", "members": 3, "topic": "東京店の準備", "archived": False} in channels
    assert [one["name"] for one in channels if one["archived"]] == ["#old-stock"]
    for one in channels:
        await value_of(server, "chat/list-messages", {"channel": one["name"]})
    post = {"channel": "#général", "text": "Ça va ?\n<script>alert(1)</script>"}
    posted = await value_of(server, "chat/post-message", post)
    assert posted == {**post, "number": posted["number"]}
    found = await value_of(server, "chat/list-messages", {"channel": "#général"})
    assert found[0]["text"] == post["text"]
    assert [one["number"] for one in found] == list(range(posted["number"], 0, -1))
    sales = await value_of(server, "chat/list-messages", {"channel": "#sales", "most": 500})
    assert len(sales) >= 90
    assert len(await value_of(server, "chat/list-messages", {"channel": "#sales"})) == 50


async def test_invoices(server: NangoServer) -> None:
    invoices = await value_of(server, "billing/list-invoices")
    assert len({one["number"] for one in invoices}) == len(invoices) == 90
    assert invoices[0] == await value_of(server, "billing/get-invoice", {"number": "INV-2026-0001"})
    counts = {}
    for status in ("paid", "open", "overdue"):
        found = await value_of(server, "billing/list-invoices", {"status": status})
        assert found == [one for one in invoices if one["status"] == status]
        counts[status] = len(found)
    assert counts == {"paid": 66, "open": 6, "overdue": 18}
    assert len(await value_of(server, "billing/list-invoices", {"most": 26})) == 26
    for count in (1, 2):
        assert await value_of(server, "billing/send-reminder", {"number": "INV-2026-0016"}) == {
            "number": "INV-2026-0016",
            "sent_to": "contact1015@example.com",
            "reminders": count,
        }


@pytest.mark.parametrize(
    ("name", "given", "error"),
    [
        ("crm/get-contact", {"contact_id": 1}, "there is no contact 1"),
        ("crm/add-note", {"contact_id": 99, "text": "x"}, "there is no contact 99"),
        ("crm/add-note", {"contact_id": 1001, "text": " "}, "text must be a text, and not empty"),
        ("chat/post-message", {"channel": "#x", "text": "x"}, "there is no channel #x"),
        (
            "chat/post-message",
            {"channel": "#old-stock", "text": "x"},
            "the channel #old-stock is archived",
        ),
        ("chat/list-messages", {"channel": "#x"}, "there is no channel #x"),
        ("billing/get-invoice", {"number": "INV-2026-0999"}, "there is no invoice INV-2026-0999"),
        ("billing/get-invoice", {"number": "INV-2026-0013"}, "billing answered 500: something"),
        (
            "billing/send-reminder",
            {"number": "INV-2026-0001"},
            "INV-2026-0001 is paid: no reminder is sent",
        ),
        (
            "billing/send-reminder",
            {"number": "INV-2026-0017"},
            "INV-2026-0017: Paulo Gonçalves has no e-mail address",
        ),
    ],
)
async def test_what_is_refused(server: NangoServer, name: str, given: Any, error: str) -> None:
    found = first_line(await error_of(server, name, given))
    assert found.startswith(error)
    assert found.endswith(" - RuntimeError")


@pytest.mark.parametrize(
    ("name", "given", "wrong"),
    [
        ("chat/post-message", {"channel": "#sales", "text": "x" * 501}, "text: "),
        ("crm/list-deals", {"stage": "maybe"}, "stage: "),
        ("billing/get-invoice", {"number": "../contacts"}, "number: "),
    ],
)
async def test_inputs_that_never_leave(
    server: NangoServer, name: str, given: Any, wrong: str
) -> None:
    error = await error_of(server, name, given)
    assert "can't be used, and the action was not run" in error
    assert f"\n- {wrong}" in error


async def test_wrong_tokens(server: NangoServer) -> None:
    inputs = {
        "contact_id": 1001,
        "text": "x",
        "channel": "#sales",
        "number": "INV-2026-0016",
    }
    who = {"crm": "the CRM", "chat": "the chat", "billing": "billing"}
    for integration, name in who.items():
        await register(server, integration, "u2", oAuthAccessToken="wrong")
        for action in await described(server, integration):
            needed = required_of(action)
            given = {key: inputs[key] for key in needed}
            found = await trigger(server, f"{integration}/{action.name}", given, "u2")
            line = first_line(str(found.error_msg))
            assert line == (f"{name} refused the access token of this connection - PermissionError")


async def test_busy_slow_and_limited() -> None:
    """What takes its time takes it at once: all three in one test."""
    with Samples() as samples:
        async with NangoServer(
            samples.folder, store_url=":memory:", environ=samples.environ
        ) as server:
            await register(server, "chat", oAuthAccessToken=TOKENS["chat"])
            await register(server, "billing", oAuthAccessToken=TOKENS["billing"])
            took = await asyncio.gather(
                timed(server, "billing/get-invoice", [{"number": "INV-2026-0021"}]),
                timed(server, "billing/get-invoice", [{"number": "INV-2026-0034"}]),
                timed(
                    server,
                    "chat/post-message",
                    [{"channel": "#new-shop", "text": f"{n}"} for n in range(10)],
                ),
            )
            again = await timed(server, "billing/get-invoice", [{"number": "INV-2026-0021"}])
    busy, slow, limited = took
    assert busy >= 1
    assert slow >= 2
    assert limited >= 1
    assert again < busy


async def timed(server: NangoServer, name: str, inputs: list[Any]) -> float:
    """Return how long it takes to trigger an action with each input, one after another."""
    begun = time.perf_counter()
    for one in inputs:
        await value_of(server, name, one)
    return time.perf_counter() - begun


async def described(server: NangoServer, integration: str) -> list[ActionDescription]:
    """Return what there is to say of an integration's actions."""
    return [one for one in await server.describe() if one.integration == integration]


def required_of(action: ActionDescription) -> list[str]:
    """Return the names of the inputs that an action can't do without."""
    schema: dict[str, Any] = action.input_schema or {}
    return list(schema.get("required", []))
