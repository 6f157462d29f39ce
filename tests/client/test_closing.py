"""Closing and cancelling: everything under way ends, and nothing is left behind."""

import asyncio
import contextlib
import gc
import logging
import time

import pytest

from nango_jupyter import Nango, NangoClosedError, NangoConnectionError
from tests.client.peer import hold, ignore, serve
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit


async def settled(before: set["asyncio.Task[object]"]) -> bool:
    """Tell whether the tasks of now were all there before; ends a moment after they are."""
    for _ in range(200):
        if asyncio.all_tasks() <= before:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_closing_twice(rabbit_vhost: str, tidy: None) -> None:
    before = asyncio.all_tasks()
    client = Nango(rabbit_vhost)
    await client.close()
    await client.connect()
    await client.close()
    await client.close()
    await asyncio.gather(client.close(), client.close())
    assert not client.is_open
    assert not client.is_connected
    assert asyncio.all_tasks() == before


async def test_closing_ends_what_is_under_way(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore) as peer:
        calls = [asyncio.create_task(nango.trigger_action("i", "a", 1, n)) for n in range(20)]
        while len(peer.received) < 20:
            await peer.arrived.get()
        await nango.close()
        errors = await asyncio.gather(*calls, return_exceptions=True)
    for error in errors:
        assert isinstance(error, NangoClosedError)
        assert "the action may have run" in error.message
        assert error.result is not None
    assert len({id(error) for error in errors}) == 20
    with pytest.raises(NangoClosedError, match="was closed"):
        await nango.trigger_action("i", "a", 1)


async def test_closing_right_after_calling(rabbit_vhost: str, tidy: None) -> None:
    before = asyncio.all_tasks()
    for steps in range(12):
        client = Nango(rabbit_vhost)
        await client.connect()
        calls = [asyncio.create_task(client.trigger_action("i", "a", 1)) for _ in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(outcome, NangoClosedError)
        assert await settled(before)


async def test_closing_right_after_calling_again(rabbit_vhost: str, tidy: None) -> None:
    before = asyncio.all_tasks()
    for steps in range(12):
        client = Nango(rabbit_vhost)
        await client.connect()
        await asyncio.sleep(0.01)  # from now on a call lets the loop go round first
        calling = asyncio.create_task(client.trigger_action("i", "a", 1))
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        with pytest.raises(NangoClosedError):
            await calling
        assert not client.is_connected
        assert await settled(before)


async def test_closing_while_connecting(proxy: Proxy, rabbit_vhost: str, tidy: None) -> None:
    before = asyncio.all_tasks()
    refused = 0
    for steps in range(60):
        client = Nango(proxy.url(rabbit_vhost))
        connecting = asyncio.create_task(client.connect())
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        try:
            await connecting
        except NangoClosedError:
            refused += 1
        if steps:  # or connect had not even begun, and comes after close
            assert not client.is_open
            assert not client.is_connected
            with pytest.raises(NangoClosedError):
                await client.trigger_action("i", "a", 1)
        await client.close()
    assert refused > 30
    proxy.cut()
    assert await settled(before)


async def test_closing_while_a_stalled_peer_connects(proxy: Proxy, rabbit_vhost: str) -> None:
    proxy.stall()
    client = Nango(proxy.url(rabbit_vhost))
    connecting = asyncio.create_task(client.connect())
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await client.close()
    with pytest.raises(NangoClosedError, match="nothing was sent"):
        await connecting
    assert time.monotonic() - started < 5


async def test_closing_while_asking_for_a_sign_of_life(
    distant: Nango, proxy: Proxy, rabbit_vhost: str
) -> None:
    await asyncio.sleep(0.3)  # from now on a call asks first
    proxy.stall()
    calling = asyncio.create_task(distant.trigger_action("i", "a", 1))
    await asyncio.sleep(0.05)
    await distant.close()
    with pytest.raises(NangoClosedError, match="nothing was sent"):
        await calling
    proxy.resume()
    assert not distant.is_connected
    async with serve(rabbit_vhost) as peer:
        await asyncio.sleep(0.1)
        assert not peer.received


async def test_closing_a_stalled_connection_is_quick(distant: Nango, proxy: Proxy) -> None:
    proxy.stall()
    started = time.monotonic()
    await distant.close()
    assert time.monotonic() - started < 2.5


async def test_a_context_that_fails_closes(rabbit_vhost: str, tidy: None) -> None:
    client = Nango(rabbit_vhost)
    with pytest.raises(ZeroDivisionError):
        async with client:
            raise ZeroDivisionError
    assert not client.is_open
    with contextlib.suppress(NangoConnectionError):
        async with Nango("127.0.0.1", 1) as never:
            raise AssertionError(never)


async def test_a_cancelled_call_leaves_nothing_behind(
    nango: Nango, rabbit_vhost: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(rabbit_vhost, hold) as peer:
        await nango.server_count()
        before = asyncio.all_tasks()
        for steps in range(15):
            calling = asyncio.create_task(nango.trigger_action("i", "a", 1, steps))
            for _ in range(steps):
                await asyncio.sleep(0)
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
        waiting = asyncio.create_task(nango.trigger_action("i", "a", 1, "waiting"))
        while not peer.received or peer.inputs()[-1] != "waiting":
            await peer.arrived.get()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not nango._transport._link._waiting  # type: ignore[attr-defined]
        peer.release.set()
        result = await nango.trigger_action("i", "echo", 1, "next")
        assert result.return_value == "next"
        assert await settled(before)
        assert len(peer.inputs()) == len(set(peer.inputs()))
    gc.collect()
    assert "never retrieved" not in caplog.text
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_a_call_cancelled_while_it_explains_its_time_limit(
    distant: Nango, proxy: Proxy, rabbit_vhost: str
) -> None:
    async with serve(rabbit_vhost, ignore) as peer:
        calling = asyncio.create_task(distant.trigger_action("i", "a", 1, timeout=0.3))
        await peer.arrived.get()
        await asyncio.sleep(0.1)  # the broker has confirmed
        proxy.stall()
        await asyncio.sleep(0.4)  # it asks how many servers there are
        assert not calling.done()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        proxy.resume()


async def test_a_cancelled_connect(proxy: Proxy, rabbit_vhost: str, tidy: None) -> None:
    before = asyncio.all_tasks()
    proxy.stall()
    client = Nango(proxy.url(rabbit_vhost))
    connecting = asyncio.create_task(client.connect())
    await asyncio.sleep(0.05)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert not client.is_open
    proxy.resume()
    await client.connect()
    await client.close()
    proxy.cut()
    assert await settled(before)


async def test_a_time_limit_from_outside(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, ignore):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await nango.trigger_action("i", "a", 1)
    async with serve(rabbit_vhost):
        assert (await nango.trigger_action("i", "echo", 1, 2)).return_value == 2


async def test_closing_one_client_leaves_others_alone(
    nango: Nango, rabbit: Rabbit, rabbit_vhost: str
) -> None:
    async with serve(rabbit_vhost, hold) as peer:
        calling = asyncio.create_task(nango.trigger_action("i", "a", 1, "mine"))
        await peer.arrived.get()
        async with Nango(rabbit_vhost) as other:
            await other.server_count()
        peer.release.set()
        assert (await calling).return_value == "mine"


async def test_a_cancelled_connect_leaves_no_connection(
    proxy: Proxy, rabbit_vhost: str, tidy: None
) -> None:
    before = asyncio.all_tasks()
    client = Nango(proxy.url(rabbit_vhost), timeout=20)
    proxy.delay = 0.1  # so that it can't have connected when it is cancelled
    connecting = asyncio.create_task(client.connect())
    await asyncio.sleep(0.15)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    proxy.delay = 0
    assert not client.is_connected
    sent = proxy.sent_to_broker
    await asyncio.sleep(0.5)
    assert not client.is_connected
    assert proxy.sent_to_broker - sent < 100  # nothing but a farewell
    assert await settled(before | asyncio.all_tasks() - {connecting})
