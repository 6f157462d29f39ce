"""Requests to a server in the same process."""

import asyncio

import pytest

from nango_jupyter import Nango, NangoClosedError, NangoTimeoutError
from nango_jupyter.transport import Transport
from nango_jupyter.transport.embedded import EmbeddedTransport

REPLY = b'{"success": true, "returnValue": 5}'


class Server:
    """Answers when it is let, and knows what was cancelled."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self.release = asyncio.Event()
        self.stopped = 0

    async def handle(self, body: bytes) -> bytes:
        self.bodies.append(body)
        self.arrived.put_nowait(body)
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return REPLY

    def client(self, timeout: float | None = None) -> Nango:
        transport: Transport = EmbeddedTransport(self.handle, "embedded server")
        return Nango(transport=transport, timeout=timeout)


async def test_it_is_open_from_the_beginning_and_carries_the_same_bytes() -> None:
    server = Server()
    server.release.set()
    client = server.client()
    assert client.is_open
    assert client.is_connected
    assert client.address == "embedded server"
    assert await client.server_count() == 1
    await client.connect()
    assert (await client.trigger_action("i", "a", 1, {"é": 1})).return_value == 5
    assert server.bodies == [
        '{"integration":"i","triggeredAction":"a","userId":1,"input":{"é":1},'
        '"action":"TRIGGER_ACTION"}'.encode()
    ]


@pytest.mark.parametrize("limits", [(0.05, None), (None, 0.05), (30, 0.05)])
async def test_a_time_limit_stops_the_action(limits: tuple[float | None, float | None]) -> None:
    server = Server()
    with pytest.raises(
        NangoTimeoutError, match=r"No answer within 0\.05 s: the action was cancelled"
    ):
        await server.client(limits[0]).trigger_action("i", "a", 1, timeout=limits[1])
    await asyncio.sleep(0)
    assert server.stopped == 1


async def test_cancelling_stops_the_action() -> None:
    server = Server()
    calling = asyncio.create_task(server.client().trigger_action("i", "a", 1))
    await server.arrived.get()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await asyncio.sleep(0)
    assert server.stopped == 1


async def test_closing_ends_what_is_under_way_and_connecting_opens_again() -> None:
    server = Server()
    client = server.client()
    calls = [asyncio.create_task(client.trigger_action("i", "a", 1)) for _ in range(3)]
    for _ in calls:
        await server.arrived.get()
    await client.close()
    await client.close()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, NangoClosedError)
    assert server.stopped == 3
    with pytest.raises(NangoClosedError, match="was closed"):
        await client.trigger_action("i", "a", 1)
    server.release.set()
    await client.connect()
    assert (await client.trigger_action("i", "a", 1)).return_value == 5
