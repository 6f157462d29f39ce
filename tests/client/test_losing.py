"""Connections that go away: everything ends, the next call reconnects, nothing is sent twice."""

import asyncio
import time

import pytest

from nango_jupyter import (
    Nango,
    NangoConnectionError,
    NangoConnectionLostError,
    NangoError,
    NangoTimeoutError,
)
from tests.client.broker import add_users
from tests.client.peer import ignore, serve
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit

LOST = "connection lost: the action may have run"


async def cut_off(client: Nango, proxy: Proxy) -> None:
    """Cut the connection, and wait until the client has noticed."""
    proxy.cut()
    while client.is_connected:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)


async def test_what_is_under_way_ends(distant: Nango, proxy: Proxy, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore) as peer:
        calls = [asyncio.create_task(distant.trigger_action("i", "a", 1, n)) for n in range(5)]
        while len(peer.received) < 5:
            await peer.arrived.get()
        proxy.cut()
        errors = await asyncio.gather(*calls, return_exceptions=True)
        for error in errors:
            assert isinstance(error, NangoConnectionLostError)
            assert isinstance(error, ConnectionError)
            assert error.message == LOST
            assert "not sent again" in error.hint
            assert error.result is not None
            assert error.result.error_msg == LOST
        assert len({id(error) for error in errors}) == 5
        assert not distant.is_connected
        assert distant.is_open


async def test_the_next_call_reconnects(distant: Nango, proxy: Proxy, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost) as peer:
        for number in range(5):
            assert (await distant.trigger_action("i", "echo", 1, number)).return_value == number
            await cut_off(distant, proxy)
        assert peer.inputs() == list(range(5))


async def test_a_call_right_after_a_cut_notices_it(
    distant: Nango, proxy: Proxy, rabbit_vhost: str
) -> None:
    async with serve(rabbit_vhost) as peer:
        for number in range(5):
            proxy.cut()
            assert (await distant.trigger_action("i", "echo", 1, number)).return_value == number
            await asyncio.sleep(0.01)  # the time that a cell takes, say
        assert peer.inputs() == list(range(5))


async def test_many_calls_reconnect_once(distant: Nango, proxy: Proxy, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost) as peer:
        await cut_off(distant, proxy)
        results = await asyncio.gather(
            *(distant.trigger_action("i", "echo", 1, number) for number in range(50))
        )
        assert [result.return_value for result in results] == list(range(50))
        assert sorted(peer.inputs()) == list(range(50))
        assert len(proxy._links) == 1


async def test_a_call_while_the_broker_is_away(
    distant: Nango, proxy: Proxy, rabbit_vhost: str
) -> None:
    async with serve(rabbit_vhost) as peer:
        proxy.refuse()
        await cut_off(distant, proxy)
        started = time.monotonic()
        for number in range(3):
            with pytest.raises(NangoConnectionError) as caught:
                await distant.trigger_action("i", "echo", 1, number, timeout=2)
            assert not isinstance(caught.value, NangoTimeoutError)
        assert time.monotonic() - started < 6.5
        await proxy.accept()
        assert (await distant.trigger_action("i", "echo", 1, "back")).return_value == "back"
        assert peer.inputs() == ["back"]


async def test_reconnecting_keeps_to_the_calls_own_limit(
    distant: Nango, proxy: Proxy, rabbit_vhost: str
) -> None:
    async with serve(rabbit_vhost) as peer:
        proxy.stall()
        await cut_off(distant, proxy)
        started = time.monotonic()
        with pytest.raises(NangoConnectionError, match="did not answer"):
            await distant.trigger_action("i", "echo", 1, "stalled", timeout=0.5)
        assert time.monotonic() - started < 5  # the client's own limit is 10 s
        proxy.resume()
        assert (await distant.trigger_action("i", "echo", 1, "back")).return_value == "back"
        assert peer.inputs() == ["back"]


async def test_a_connection_that_died_in_silence(
    distant: Nango, proxy: Proxy, rabbit_vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a router that forgot the connection: what is open hears nothing any more."""
    async with serve(rabbit_vhost) as peer:
        old = proxy._flowing
        old.clear()
        monkeypatch.setattr(proxy, "_flowing", asyncio.Event())
        proxy._flowing.set()
        # What was accepted before waits for the old event for ever.
        for link in list(proxy._links):
            link.cancel()
        await asyncio.sleep(0.3)
        started = time.monotonic()
        result = await distant.trigger_action("i", "echo", 1, "again", timeout=4)
        assert result.return_value == "again"
        assert time.monotonic() - started < 4
        assert peer.inputs() == ["again"]


async def test_cut_at_any_moment_nothing_is_sent_twice(
    distant: Nango, proxy: Proxy, rabbit_vhost: str
) -> None:
    proxy.delay = 0.001
    outcomes: dict[int, object] = {}

    async def call(number: int) -> None:
        try:
            outcomes[number] = await distant.trigger_action("i", "echo", 1, number, timeout=5)
        except NangoError as error:
            outcomes[number] = error

    async with serve(rabbit_vhost) as peer:
        for step in range(60):
            calls = [asyncio.create_task(call(step * 3 + number)) for number in range(3)]
            await asyncio.sleep(step * 0.0007)
            proxy.cut()
            await asyncio.gather(*calls)
        await cut_off(distant, proxy)
        await distant.trigger_action("i", "echo", 1, "the end")
        seen = peer.inputs()
    assert len(seen) == len(set(seen))
    kinds = set()
    for number, outcome in outcomes.items():
        kinds.add(type(outcome).__name__)
        if not isinstance(outcome, NangoError):
            assert number in seen
        elif not isinstance(outcome, NangoConnectionLostError):
            assert isinstance(outcome, NangoConnectionError)
            assert number not in seen
    assert len(outcomes) == 180
    assert {"NangoResult", "NangoConnectionLostError"} <= kinds


async def test_stalled_at_any_moment_nothing_is_sent_twice(
    distant: Nango, proxy: Proxy, rabbit_vhost: str
) -> None:
    succeeded = []

    async def call(number: int) -> None:
        try:
            await distant.trigger_action("i", "echo", 1, number, timeout=0.08)
            succeeded.append(number)
        except (NangoTimeoutError, NangoConnectionError):
            pass

    async with serve(rabbit_vhost) as peer:
        for step in range(16):
            calling = asyncio.create_task(call(step))
            await asyncio.sleep(step * 0.0005)
            proxy.stall()
            await calling
            proxy.resume()
        await distant.trigger_action("i", "echo", 1, "the end")
        seen = peer.inputs()
    assert len(seen) == len(set(seen))
    assert set(succeeded) <= set(seen)


async def test_a_broker_that_is_killed_and_started_again(
    rabbit: Rabbit, rabbit_vhost: str, tidy: None
) -> None:
    async with Nango(rabbit_vhost, timeout=10) as client:
        async with serve(rabbit_vhost, ignore) as peer:
            calling = asyncio.create_task(client.trigger_action("i", "a", 1, "before"))
            await peer.arrived.get()
            rabbit.kill()
            with pytest.raises(NangoConnectionLostError, match=LOST):
                await calling
        with pytest.raises(NangoConnectionError, match="nothing listens on that port"):
            await client.trigger_action("i", "a", 1, "away")
        await asyncio.to_thread(rabbit.start)
        async with serve(rabbit_vhost) as peer:
            assert (await client.trigger_action("i", "echo", 1, "after")).return_value == "after"
            assert peer.inputs() == ["after"]


async def test_the_brokers_own_words(rabbit: Rabbit, nango: Nango, rabbit_vhost: str) -> None:
    vhost = rabbit_vhost.rpartition("/")[2]
    async with serve(rabbit_vhost, ignore) as peer:
        calling = asyncio.create_task(nango.trigger_action("i", "a", 1))
        await peer.arrived.get()
        closing = ("close_all_connections", "--vhost", vhost, "maintenance at noon")
        await asyncio.to_thread(rabbit.ctl, *closing)
        with pytest.raises(NangoConnectionLostError) as caught:
            await calling
    assert caught.value.message.startswith(LOST)
    assert "maintenance at noon" in caught.value.message


@pytest.mark.parametrize(
    ("user", "permissions"),
    [("not-configure", ("^$", ".*", ".*")), ("nothing", ("^$", "^$", "^$"))],
)
async def test_users_who_may_not_connect(
    user: str,
    permissions: tuple[str, str, str],
    rabbit: Rabbit,
    rabbit_vhost: str,
    tidy: None,
) -> None:
    vhost = rabbit_vhost.rpartition("/")[2]
    add_users(rabbit, {user: "hunter2"}, vhost, permissions)
    words = f"'{user}' may not use what Nango needs"
    with pytest.raises(NangoConnectionError, match=words) as caught:
        await Nango(rabbit.url(user, "hunter2", vhost)).connect()
    assert "ACCESS_REFUSED" in caught.value.message
    assert "Grant" in caught.value.hint
    with pytest.raises(NangoConnectionError, match=f"no vhost '/', or refuses it to '{user}'"):
        await Nango(rabbit.url(user, "hunter2")).connect()


async def test_a_user_who_may_not_send(rabbit: Rabbit, rabbit_vhost: str, tidy: None) -> None:
    vhost = rabbit_vhost.rpartition("/")[2]
    add_users(rabbit, {"not-write": "hunter2"}, vhost, (".*", "^$", ".*"))
    with pytest.raises(NangoConnectionError, match="ACCESS_REFUSED"):
        async with Nango(rabbit.url("not-write", "hunter2", vhost)) as client:
            await client.trigger_action("i", "a", 1, timeout=5)


@pytest.mark.parametrize("arguments", [{"x-max-priority": 5}, {"x-message-ttl": 5}, None])
async def test_a_queue_declared_otherwise(
    arguments: dict[str, int] | None, rabbit_vhost: str, tidy: None
) -> None:
    import aio_pika

    async with await aio_pika.connect(rabbit_vhost) as connection:
        channel = await connection.channel()
        # Without arguments: not durable, which is just as wrong.
        await channel.declare_queue(
            "server_inbound", durable=bool(arguments), arguments=dict(arguments or {})
        )
        with pytest.raises(NangoConnectionError, match="declared with other arguments") as caught:
            await Nango(rabbit_vhost).connect()
        assert "Delete the queue" in caught.value.hint
        await channel.queue_delete("server_inbound")
    async with Nango(rabbit_vhost) as client:
        assert client.is_connected


async def test_heartbeats_are_sent(proxy: Proxy, rabbit_vhost: str, tidy: None) -> None:
    async with Nango(proxy.url(rabbit_vhost), heartbeat=1):
        before = proxy.sent_to_broker
        async with asyncio.timeout(5):
            while proxy.sent_to_broker == before:  # noqa: ASYNC110 - a number, not an event
                await asyncio.sleep(0.05)
        assert proxy.sent_to_broker - before == 8  # one frame, and nothing else
