"""The least that works, on both ends: what everything of ours is measured against.

Run the consumer: python -m benchmarks.bare URL [--ack]
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from benchmarks.processes import Process
from nango_jupyter.messages import SERVER_QUEUE, TriggerAction

INPUT = {"channel": "C1", "msg": "hello", "numbers": [1, 2, 3]}
BODY = TriggerAction(
    integration="demo", triggered_action="echo", user_id="ada", input=INPUT
).encode()
"""What is sent everywhere, as the client sends it."""
PREFETCH = 32  # as `nango-jupyter serve` has by default


class BareRpc:
    """Direct reply-to, a correlation id, one future per call."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel
        self._waiting: dict[str, asyncio.Future[bytes]] = {}

    @classmethod
    async def start(cls, channel: AbstractChannel) -> BareRpc:
        """Listen for replies."""
        rpc = cls(channel)
        replies = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        await replies.consume(rpc._on_reply, no_ack=True)
        return rpc

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        self._waiting.pop(message.correlation_id or "").set_result(message.body)

    async def call(self, body: bytes) -> bytes:
        """Send one message and wait for its reply."""
        correlation_id = uuid4().hex
        reply = asyncio.get_running_loop().create_future()
        self._waiting[correlation_id] = reply
        message = aio_pika.Message(
            body, correlation_id=correlation_id, reply_to="amq.rabbitmq.reply-to"
        )
        await self._channel.default_exchange.publish(message, SERVER_QUEUE)
        found: bytes = await reply
        return found


@contextmanager
def bare_consumer(url: str, *, ack: bool = False) -> Iterator[Process]:
    """Run the consumer in a process of its own."""
    with Process("benchmarks.bare", url, *(["--ack"] if ack else [])) as process:
        yield process


async def consume(url: str, *, ack: bool) -> None:
    """Answer each trigger with its input, until the process is ended."""
    connection = await aio_pika.connect(url)
    channel = await connection.channel(publisher_confirms=False)
    await channel.set_qos(prefetch_count=PREFETCH)
    queue = await channel.declare_queue(SERVER_QUEUE, durable=True)

    async def echo(message: AbstractIncomingMessage) -> None:
        found = json.loads(message.body)
        body = json.dumps({"success": True, "returnValue": found["input"]}).encode()
        reply = aio_pika.Message(body, correlation_id=message.correlation_id)
        assert message.reply_to
        # RabbitMQ returns a mandatory message to direct reply-to, though it delivers it.
        await channel.default_exchange.publish(reply, message.reply_to, mandatory=False)
        if ack:
            await message.ack()

    await queue.consume(echo, no_ack=not ack)
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Run the consumer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--ack", action="store_true", help="acknowledge each message by hand")
    arguments = parser.parse_args()
    asyncio.run(consume(arguments.url, ack=arguments.ack))


if __name__ == "__main__":
    main()
