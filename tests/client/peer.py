"""Scripted servers at the other end of the queue: they count, answer, and misbehave on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

QUEUE = "server_inbound"

Answer = Callable[["Peer", AbstractIncomingMessage], Awaitable[None]]


class Peer:
    """Consumes the server's queue and does with each message what `answer` says.

    Attributes
    ----------
    received : list
        Every message that was delivered, in order.
    arrived : asyncio.Queue
        The same messages, to wait for.
    release : asyncio.Event
        What `hold` waits for.
    """

    def __init__(self, channel: AbstractChannel, answer: Answer) -> None:
        self.channel = channel
        self.received: list[AbstractIncomingMessage] = []
        self.arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self.release = asyncio.Event()
        self._answer = answer

    @property
    def bodies(self) -> list[Any]:
        """What was received, as JSON values."""
        return [json.loads(message.body) for message in self.received]

    def inputs(self) -> list[Any]:
        """The inputs of the actions that were triggered, in order."""
        return [body["input"] for body in self.bodies]

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Deal with one message."""
        self.received.append(message)
        self.arrived.put_nowait(message)
        await self._answer(self, message)

    async def send(
        self, message: AbstractIncomingMessage, body: bytes, correlation_id: str | None = None
    ) -> None:
        """Publish a reply; an id of "" leaves the id out."""
        if correlation_id is None:
            correlation_id = message.correlation_id
        reply = aio_pika.Message(body, correlation_id=correlation_id or None)
        assert message.reply_to
        await self.channel.default_exchange.publish(reply, message.reply_to, mandatory=False)


def seconds(message: AbstractIncomingMessage) -> float:
    """Return after how long a message expires."""
    assert isinstance(message.expiration, int | float)
    return message.expiration


async def echo(peer: Peer, message: AbstractIncomingMessage) -> None:
    """Answer with the input, as the action of that name does."""
    found = json.loads(message.body)
    reply = {"success": True}
    if "input" in found:
        reply["returnValue"] = found["input"]
    await peer.send(message, json.dumps(reply).encode())


async def ignore(peer: Peer, message: AbstractIncomingMessage) -> None:
    """Take a message and say nothing."""


async def hold(peer: Peer, message: AbstractIncomingMessage) -> None:
    """Echo, but not before `Peer.release`."""
    await peer.release.wait()
    await echo(peer, message)


def reply_with(body: bytes | dict[str, Any]) -> Answer:
    """Make a server that always answers the same."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(peer: Peer, message: AbstractIncomingMessage) -> None:
        await peer.send(message, text)

    return answer


@asynccontextmanager
async def serve(url: str, answer: Answer = echo) -> AsyncIterator[Peer]:
    """Run one such server on the broker at `url`."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(QUEUE, durable=True)
        peer = Peer(channel, answer)
        await queue.consume(peer.take, no_ack=True)
        yield peer
