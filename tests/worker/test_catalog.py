"""What there is to trigger: asked of our servers, and of no other."""

from __future__ import annotations

import json
from pathlib import Path

import aio_pika
import pytest

from nango_jupyter import LocalServer, Nango
from nango_jupyter.catalog import CATALOG_QUEUE, Catalog, CatalogAction
from nango_jupyter.exceptions import NangoClosedError, NangoProtocolError
from nango_jupyter.known import KnownNames
from nango_jupyter.server.opening import open_server
from nango_jupyter.session import Session
from nango_jupyter.settings import Settings
from nango_jupyter.transport.asking import ask
from tests.client.broker import add_users
from tests.client.peer import echo, serve
from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve


async def test_the_embedded_server_tells_all() -> None:
    async with LocalServer() as server:
        nango = server.client()

        @server.action("demo")
        def add(ctx: object, a: int, b: int = 1) -> int:
            """Add two numbers."""
            return a + b

        found = await nango.catalog()
        assert found is not None
        assert sorted(found.integrations) == ["billing", "chat", "crm", "demo"]
        added = found.integrations["demo"]["add"]
        assert (added.description, added.is_idempotent) == ("Add two numbers.", False)
        assert added.input_schema is not None
        assert sorted(added.input_schema["properties"]) == ["a", "b"]
        await nango.close()
        with pytest.raises(NangoClosedError):
            await nango.catalog()


async def test_our_server_behind_a_broker(rabbit_vhost: str) -> None:
    with Serve(rabbit_vhost):
        async with Nango(rabbit_vhost) as nango:
            known = KnownNames(None, nango)
            assert known.actions("demo") == []
            found = await known.refresh()
            assert found is known.catalog is not None
            assert known.integrations() == ["billing", "chat", "crm", "demo"]
            assert known.actions("demo") == ["echo", "fail", "sleep", "whoami"]
            async with LocalServer() as server:
                assert found == await server.client().catalog()
    # It is gone: what it told last is kept.
    assert (await known.refresh()) is found


async def test_another_server_is_never_asked(rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, echo) as peer, Nango(rabbit_vhost) as nango:
        assert await nango.catalog() is None
        result = await nango.trigger_action("i", "echo", 1, 5)
        assert result.return_value == 5
        assert len(peer.received) == 1


async def _ignore(_: object) -> None:
    pass


async def test_a_queue_that_nobody_reads(rabbit_vhost: str) -> None:
    connection = await aio_pika.connect(rabbit_vhost)
    async with connection, Nango(rabbit_vhost) as nango:
        channel = await connection.channel()
        queue = await channel.declare_queue(CATALOG_QUEUE)
        assert await nango.catalog() is None
        await queue.consume(_ignore, no_ack=True)
        assert await nango.catalog(timeout=0.3) is None  # no answer
        assert nango.is_connected


async def test_junk_gets_an_error(rabbit_vhost: str) -> None:
    connection = await aio_pika.connect(rabbit_vhost)
    with Serve(rabbit_vhost):
        async with connection:
            for body in (b"", b"{", b"[]", b'{"action": "TRIGGER_ACTION"}', b"\xff"):
                reply = json.loads(await ask(connection, CATALOG_QUEUE, body, 5))
                assert reply["success"] is False, body
        async with Nango(rabbit_vhost) as nango:
            assert await nango.catalog() is not None


async def test_a_user_who_may_not_is_served_all_the_same(rabbit: Rabbit, rabbit_vhost: str) -> None:
    vhost = rabbit_vhost.rpartition("/")[2]
    allowed = "^(server_inbound|amq[.].*|)$"
    add_users(rabbit, {"narrow": "narrow-password"}, vhost, (allowed, allowed, allowed))
    url = rabbit_vhost.replace("guest:guest@", "narrow:narrow-password@")
    with Serve(url):
        async with Nango(url) as nango:
            assert await nango.catalog() is None
            await nango.register_connection("demo", 1, "any-token")
            assert (await nango.trigger_action("demo", "echo", 1, 5)).return_value == 5


async def test_an_action_that_broke_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "integrations.yaml"
    path.write_text("integrations:\n  a:\n    auth_mode: API_KEY\n")
    async with open_server(tmp_path) as server:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "broken.action.py").write_text("1 / 0")
        assert (await server.catalog()).integrations == {"a": {}}


@pytest.mark.parametrize("found", [None, 5, [], {"a": 5}, {"a": [5]}, {"a": [{"name": "x"}]}])
def test_what_is_no_catalogue(found: object) -> None:
    with pytest.raises(NangoProtocolError):
        Catalog.from_wire(found)


def test_there_and_back() -> None:
    action = CatalogAction("notify", "Post.", {"type": "object"}, is_idempotent=True)
    catalog = Catalog({"slack": {"notify": action}, "empty": {}})
    assert Catalog.from_wire(json.loads(json.dumps(catalog.to_wire()))) == catalog


async def test_a_session_hears_that_the_broker_is_gone(rabbit: Rabbit, rabbit_vhost: str) -> None:
    session = Session()
    await session.connect(Settings.from_target(rabbit_vhost))
    states: list[str] = []
    stop = session.changes.listen(lambda: states.append(session.connection().state))
    connection = session.client()._transport._link._connection  # type: ignore[attr-defined]
    await connection.close()
    assert states[-1] == "interrupted"
    await session.client().connect()
    assert states[-1] == "connected"
    stop()
    await session.close()


async def test_a_listener_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    session = Session()
    heard: list[int] = []
    session.changes.listen(lambda: 1 / 0)
    session.changes.listen(lambda: heard.append(1))
    session.changes.notify()
    assert heard == [1]
    assert "division by zero" in caplog.text
