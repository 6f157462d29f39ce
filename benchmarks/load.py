"""Triggers as fast as a server takes them.

Straight through aiormq: aio-pika's message objects would cost as much here as in the consumer that
is measured, and who asks would then be the slowest of the three.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import cast

import aiormq
from aiormq import spec
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel

from nango_jupyter.messages import SERVER_QUEUE

_REPLY_TO = "amq.rabbitmq.reply-to"


class Load:
    """Who asks: bare RPC on one channel without publisher confirms."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = count(1)
        self._waiting: dict[str | None, asyncio.Future[bytes]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Load]:
        """Connect, and listen for replies."""
        connection = await aiormq.connect(url)
        try:
            channel = await connection.channel(publisher_confirms=False)
            load = cls(cast(Channel, channel))  # only it can publish without waiting
            await channel.basic_consume(_REPLY_TO, load._on_reply, no_ack=True)
            yield load
        finally:
            await connection.close()

    async def call(self, body: bytes) -> bytes:
        """Send one message and wait for its reply."""
        number = str(next(self._numbers))
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        properties = spec.Basic.Properties(correlation_id=number, reply_to=_REPLY_TO)
        await self._channel.basic_publish(
            body, routing_key=SERVER_QUEUE, properties=properties, wait=False
        )
        return await reply

    async def rate(self, body: bytes, calls: int, in_flight: int) -> float:
        """Return how many calls a second come back, of so many at any time."""
        share = calls // in_flight

        async def in_turn() -> None:
            for _ in range(share):
                await self.call(body)

        started = time.perf_counter()
        await asyncio.gather(*(in_turn() for _ in range(in_flight)))
        return share * in_flight / (time.perf_counter() - started)

    async def _on_reply(self, message: DeliveredMessage) -> None:
        assert message.body is not None
        self._waiting.pop(message.header.properties.correlation_id).set_result(message.body)
