"""Every request ends in time, says how long it waited and what may be wrong."""

import asyncio
import time

import aio_pika
import pytest

from nango_jupyter import Nango, NangoConnectionError, NangoError, NangoTimeoutError
from tests.client.broker import memory_alarm
from tests.client.peer import QUEUE, hold, ignore, seconds, serve
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit


async def give_up(client: Nango, timeout: float | None = 0.3) -> NangoTimeoutError:
    """Wait for an answer that does not come."""
    started = time.monotonic()
    with pytest.raises(NangoTimeoutError) as caught:
        await client.trigger_action("i", "a", 1, "given up", timeout=timeout)
    assert time.monotonic() - started < (timeout or 10) + 1.5
    assert caught.value.result is not None
    assert not caught.value.result.success
    assert isinstance(caught.value, TimeoutError)
    return caught.value


async def test_no_server(nango: Nango) -> None:
    error = await give_up(nango)
    assert str(error) == f"No answer within 0.3 s: no server is reading the queue {QUEUE}"
    assert "not run from now on" in error.hint


async def test_one_server(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore) as peer:
        error = await give_up(nango)
        assert str(error) == f"No answer within 0.3 s, though 1 server reads the queue {QUEUE}"
        assert len(peer.received) == 1
    assert "timeout=SECONDS" in error.hint


async def test_two_servers(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore), serve(rabbit_vhost, ignore):
        error = await give_up(nango)
    assert str(error) == f"No answer within 0.3 s, though 2 servers read the queue {QUEUE}"


async def test_the_clients_own_limit(rabbit_vhost: str, tidy: None) -> None:
    async with Nango(rabbit_vhost, timeout=0.4) as client:
        assert "within 0.4 s" in str(await give_up(client, None))
    async with Nango(f"{rabbit_vhost}?timeout=0.4") as client:
        assert "within 0.4 s" in str(await give_up(client, None))


async def test_the_usual_limit_is_half_a_minute(rabbit_vhost: str, tidy: None) -> None:
    async with serve(rabbit_vhost) as peer, Nango(rabbit_vhost) as client:
        await client.trigger_action("i", "echo", 1)
        assert 29 < seconds(peer.received[0]) <= 30


async def test_what_was_given_up_on_does_not_run_later(nango: Nango, rabbit_vhost: str) -> None:
    await give_up(nango, 0.2)
    async with serve(rabbit_vhost) as peer:
        await nango.trigger_action("i", "echo", 1, "later")
        assert peer.inputs() == ["later"]


async def test_one_that_gives_up_disturbs_nobody(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore) as peer:
        other = asyncio.create_task(nango.trigger_action("i", "a", 1, "patient"))
        await peer.arrived.get()
        for _ in range(3):
            await give_up(nango, 0.1)
        assert not other.done()
        await peer.send(peer.received[0], b'{"success": true, "returnValue": "at last"}')
        assert (await other).return_value == "at last"


async def test_limits_of_all_sizes(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost):
        for limit in (4_294_967, 1000.5, 1):
            await nango.trigger_action("i", "echo", 1, timeout=limit)
    error = await give_up(nango, 0.0001)
    assert "No answer within 0" in str(error)


async def test_a_stalled_connection(distant: Nango, proxy: Proxy) -> None:
    proxy.stall()
    error = await give_up(distant, 0.2)
    assert str(error) == "No answer within 0.2 s: the broker did not take the message"
    proxy.resume()


async def test_a_memory_alarm(rabbit: Rabbit, rabbit_vhost: str, tidy: None) -> None:
    async with serve(rabbit_vhost) as peer, Nango(rabbit_vhost) as client:
        with memory_alarm(rabbit):
            await client.connect()
            error = await give_up(client, 0.5)
            assert "the broker did not take the message" in str(error)
            assert "memory" in error.hint
            # The broker reads nothing from who published; the next call tries a new connection.
            with pytest.raises((NangoTimeoutError, NangoConnectionError)):
                await client.trigger_action("i", "echo", 1, "blocked too", timeout=1)
        result = await client.trigger_action("i", "echo", 1, "after")
        assert result.return_value == "after"
        assert len(peer.inputs()) == len(set(peer.inputs()))


async def test_an_alarm_does_not_end_what_waits(
    rabbit: Rabbit, rabbit_vhost: str, tidy: None
) -> None:
    """A blocked connection still brings the replies to what it sent before."""
    async with serve(rabbit_vhost, hold) as peer, Nango(rabbit_vhost, timeout=20) as client:
        first = asyncio.create_task(client.trigger_action("i", "echo", 1, "first"))
        await peer.arrived.get()
        with memory_alarm(rabbit):
            await give_up(client, 0.5)  # it publishes, which blocks the connection
            with pytest.raises((NangoTimeoutError, NangoConnectionError)):
                await client.trigger_action("i", "echo", 1, "asks for a sign of life", timeout=4)
        peer.release.set()
        assert (await first).return_value == "first"


async def test_connecting_goes_on_within_a_memory_alarm(rabbit: Rabbit, tidy: None) -> None:
    with memory_alarm(rabbit):
        async with Nango(rabbit.url(), timeout=5) as client:
            assert client.is_connected


async def test_a_frozen_broker(rabbit: Rabbit, rabbit_vhost: str, tidy: None) -> None:
    async with Nango(rabbit_vhost, timeout=0.5) as client, serve(rabbit_vhost) as peer:
        await client.trigger_action("i", "echo", 1, 1)
        rabbit.pause()
        try:
            await give_up(client, 0.2)
            other = Nango(rabbit_vhost, timeout=0.3)
            with pytest.raises(NangoConnectionError, match=r"did not answer .* within 0\.3 s"):
                await other.connect()
            await other.close()
        finally:
            rabbit.resume()
        result = await client.trigger_action("i", "echo", 1, 3, timeout=10)
        assert result.return_value == 3
        assert len(peer.inputs()) == len(set(peer.inputs()))


async def test_a_queue_that_is_full(rabbit: Rabbit, rabbit_vhost: str, tidy: None) -> None:
    vhost = rabbit_vhost.rpartition("/")[2]
    policy = '{"max-length": 0, "overflow": "reject-publish"}'
    rabbit.ctl("set_policy", "-p", vhost, "full", ".*", policy)
    async with Nango(rabbit_vhost) as client:
        for _ in range(20):  # the policy reaches the queue a moment later
            with pytest.raises(NangoError) as caught:
                await client.trigger_action("i", "a", 1, timeout=0.2)
            if isinstance(caught.value, NangoConnectionError):
                break
    assert "The broker refused the message" in str(caught.value)
    assert "nothing was sent" in str(caught.value)


async def test_a_queue_that_somebody_deleted(nango: Nango, rabbit_vhost: str) -> None:
    async with await aio_pika.connect(rabbit_vhost) as connection:
        channel = await connection.channel()
        await channel.queue_delete(QUEUE)
        with pytest.raises(NangoConnectionError, match="no queue server_inbound") as caught:
            await nango.trigger_action("i", "a", 1)
        assert "nothing was sent" in str(caught.value)
        assert "no server is reading" in str(await give_up(nango))
    async with serve(rabbit_vhost):
        assert (await nango.trigger_action("i", "echo", 1, 2)).return_value == 2


async def test_a_queue_that_somebody_deletes_meanwhile(nango: Nango, rabbit_vhost: str) -> None:
    async with await aio_pika.connect(rabbit_vhost) as connection:
        channel = await connection.channel()
        calling = asyncio.create_task(give_up(nango, 0.5))
        while not (
            await channel.declare_queue(QUEUE, passive=True)
        ).declaration_result.message_count:
            pass
        await channel.queue_delete(QUEUE)
        assert "no server is reading" in str(await calling)


async def test_a_broker_that_does_not_say(distant: Nango, proxy: Proxy, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore) as peer:
        calling = asyncio.create_task(give_up(distant, 0.3))
        await peer.arrived.get()
        await asyncio.sleep(0.1)  # the broker has confirmed
        proxy.stall()
        assert "does not say whether a server reads the queue" in str(await calling)
        proxy.resume()
