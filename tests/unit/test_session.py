"""Several connections by name, on transports that never leave the process."""

import asyncio
from typing import Any

import pytest

from nango_jupyter.client import Nango
from nango_jupyter.connections import (
    ConnectionList,
    Connections,
    ConnectionStatus,
    OpenConnection,
    check_name,
)
from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.known import KnownNames
from nango_jupyter.session import Session
from nango_jupyter.settings import Settings
from nango_jupyter.transport.embedded import EmbeddedTransport


async def nobody(body: bytes) -> bytes:
    raise AssertionError(body)


def opened(name: str, address: str = "amqp://h:5672") -> OpenConnection:
    client = Nango(transport=EmbeddedTransport(nobody, address))
    return OpenConnection(name, client, None, KnownNames(None))


def filled(*names: str) -> Connections:
    found = Connections()
    for name in names:
        found.add(opened(name))
    return found


@pytest.mark.parametrize(
    "name", ["a", "prod", "prod-eu_1.x", "Prüfung", "1", "x" * 40, "_", "default"]
)
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "-prod", ".", "a/b", "a\n", "a\x00", "x" * 41, "<b>", "$x", "\u202eprod", "é́"],
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(NangoUsageError, match="can't be the name of a connection") as caught:
        check_name(name)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("name", [None, 5, b"prod", True])
def test_a_name_is_text(name: Any) -> None:
    with pytest.raises(NangoUsageError, match="can't be the name"):
        check_name(name)


def test_what_was_put_in_a_names_place_is_not_repeated() -> None:
    for call in (check_name, filled("prod").find):
        with pytest.raises((NangoUsageError, NangoClosedError)) as caught:
            call(f"amqp://ada:hunter22@{'h' * 500}")
        assert "hunter22" not in caught.value.message
        assert len(caught.value.message) < 150


def test_the_last_one_is_the_current_one_until_another_is_chosen() -> None:
    found = filled("dev", "prod")
    assert found.find().name == "prod"
    assert found.find("dev").name == "dev"
    assert found.find().name == "prod"  # looking at one does not choose it
    assert found.use("dev").name == "dev"
    assert found.find().name == "dev"
    assert [row.is_current for row in found.rows()] == [True, False]


def test_after_the_current_one_was_closed_nothing_is() -> None:
    found = filled("dev", "prod")
    assert found.remove().name == "prod"
    assert found.current is None
    with pytest.raises(NangoClosedError, match="No connection is the current one") as caught:
        found.find()
    assert caught.value.hint == "Open: dev. Choose one: %nango_connect --use dev."
    with pytest.raises(NangoClosedError):
        found.remove()
    assert found.remove("dev").name == "dev"
    with pytest.raises(NangoClosedError, match="Not connected"):
        found.find()


def test_closing_another_one_leaves_the_current_one() -> None:
    found = filled("dev", "prod")
    found.remove("dev")
    assert found.find().name == "prod"


def test_a_name_that_is_not_open() -> None:
    found = filled("dev", "prod")
    with pytest.raises(NangoClosedError, match="no connection 'prdo'") as caught:
        found.use("prdo")
    assert caught.value.hint == "Did you mean prod? Open: dev, prod."
    assert found.find().name == "prod"
    with pytest.raises(NangoClosedError, match="no connection 'Prod'"):
        found.find("Prod")


def test_a_name_is_taken_over() -> None:
    found = filled("dev", "prod")
    before, new = found.find("dev"), opened("dev", "amqp://new:5672")
    assert found.add(new) is before
    assert found.find() is new
    assert found.names == ["prod", "dev"]


def test_the_list() -> None:
    connections = filled("dev")
    bundle = connections.rows()._repr_mimebundle_()
    assert bundle["text/plain"].splitlines()[0] == "✓ 1 open connection"
    assert "--use" not in bundle["text/plain"]
    connections.add(opened("prod", "amqp://prod.example:5672/<b>"))
    found = connections.rows()
    bundle = found._repr_mimebundle_()
    lines = bundle["text/plain"].splitlines()
    assert lines[1].split() == ["Name", "State", "Server"]
    assert lines[3].split() == ["dev", "connected", "amqp://h:5672"]
    assert lines[4].split()[:4] == ["prod", "●", "current", "connected"]
    assert "%nango_connect --use NAME" in lines[5]
    assert "<b>" not in bundle["text/html"]
    assert repr(found) == "<2 open: dev, prod (current)>"
    assert (found[1].name, len(found), len(found[:1])) == ("prod", 2, 1)
    connections.remove()
    text = connections.rows()._repr_mimebundle_()["text/plain"]
    assert text.startswith("○ 1 open connection\nName  State")
    assert "No connection is the current one" in text
    empty = ConnectionList([])
    assert "%nango_connect --local" in empty._repr_mimebundle_()["text/plain"]
    assert repr(empty) == "<no open connections>"


def test_the_status_tells_the_name_where_there_are_several() -> None:
    def text(**known: Any) -> str:
        return ConnectionStatus("connected", "amqp://h", 1, **known)._repr_mimebundle_()[
            "text/plain"
        ]

    assert "Name" not in text(name="default")
    assert "Name" in text(name="prod")
    several = text(name="default", others=("dev", "prod"))
    assert "Name" in several
    assert "dev, prod" in several
    none = ConnectionStatus("not connected", others=("dev",))._repr_mimebundle_()["text/plain"]
    assert "%nango_connect --use dev" in none
    assert "dev, prod" not in none


async def test_a_name_is_checked_before_anything_is_opened() -> None:
    session = Session()
    for connecting in (
        session.connect(Settings(host="h.invalid"), "a b"),
        session.connect_local("/nowhere", name="a b"),
    ):
        with pytest.raises(NangoUsageError, match="can't be the name"):
            await connecting
    assert len(session.connections()) == 0


async def test_closing_when_nothing_is_open() -> None:
    session = Session()
    assert (await session.close()).state == "not connected"
    assert (await session.close_all()).state == "not connected"
    with pytest.raises(NangoClosedError, match="Not connected"):
        await session.close("prod")
    with pytest.raises(NangoClosedError, match="Not connected"):
        await session.status("prod")
    with pytest.raises(NangoClosedError, match="Not connected"):
        session.client()
    await asyncio.sleep(0)
