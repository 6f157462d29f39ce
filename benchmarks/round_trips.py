"""What a call of ours costs on top of a bare RPC through aio-pika.

Both send the same body to the same echo server (a process of its own) through the same private
broker, in turns, so that whatever else the machine does hits both alike. The bare RPC is the least
that works: direct reply-to, a correlation id, one future per call.

Run: python -m benchmarks.round_trips
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from nango_jupyter import Nango
from tests.support.rabbitmq import Rabbit

QUEUE = "server_inbound"
INPUT = {"channel": "C1", "msg": "hello", "numbers": [1, 2, 3]}
ROUNDS = 20
CALLS = 100
IN_FLIGHT = 100

Call = Callable[[], Awaitable[Any]]


class BareRpc:
    """The least that works."""

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
        await self._channel.default_exchange.publish(message, QUEUE)
        found: bytes = await reply
        return found


async def serve(url: str) -> None:
    """Answer each trigger with its input, until the process is ended."""
    connection = await aio_pika.connect(url)
    channel = await connection.channel(publisher_confirms=False)
    queue = await channel.declare_queue(QUEUE, durable=True)

    async def echo(message: AbstractIncomingMessage) -> None:
        found = json.loads(message.body)
        body = json.dumps({"success": True, "returnValue": found["input"]}).encode()
        reply = aio_pika.Message(body, correlation_id=message.correlation_id)
        assert message.reply_to
        # RabbitMQ returns a mandatory message to direct reply-to, though it delivers it.
        await channel.default_exchange.publish(reply, message.reply_to, mandatory=False)

    await queue.consume(echo, no_ack=True)
    print("ready", flush=True)
    await asyncio.Event().wait()


async def one_by_one(call: Call) -> list[float]:
    """Return what each of a round of calls took, in seconds."""
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
    return times


async def at_once(call: Call) -> list[float]:
    """Return what calls at the same time took in all, in seconds."""
    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(IN_FLIGHT)))
    return [time.perf_counter() - started]


async def compare(calls: dict[str, Call], how: Callable[[Call], Awaitable[list[float]]]) -> None:
    """Take turns, and print the median of each and the ratio."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(ROUNDS + 1):
        order = list(calls) if number % 2 else list(reversed(calls))
        for name in order:
            gc.collect()
            found = await how(calls[name])
            if number:  # the first round warms up
                times[name] += found
    medians = {name: statistics.median(found) * 1000 for name, found in times.items()}
    for name, median in medians.items():
        print(f"  {name:24} {median:8.3f} ms")
    bare, ours = medians.values()
    print(f"  {'ratio':24} {ours / bare:8.3f}")


async def measure(url: str) -> None:
    """Compare the two, in sequence and at once."""
    async with Nango(url) as nango, await aio_pika.connect(url) as connection:
        rpc = await BareRpc.start(await connection.channel())
        body = json.dumps(
            {
                "integration": "demo",
                "triggeredAction": "echo",
                "userId": "ada",
                "input": INPUT,
                "action": "TRIGGER_ACTION",
            }
        ).encode()
        calls: dict[str, Call] = {
            "bare aio-pika RPC": lambda: rpc.call(body),
            "Nango.trigger_action": lambda: nango.trigger_action("demo", "echo", "ada", INPUT),
        }
        print(f"One after the other, median of {ROUNDS * CALLS} calls each:")
        await compare(calls, one_by_one)
        print(f"{IN_FLIGHT} at the same time, median of {ROUNDS} rounds each:")
        await compare(calls, at_once)


def main() -> None:
    """Start a broker and an echo server, measure, and stop them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--serve", metavar="URL", help=argparse.SUPPRESS)
    url = parser.parse_args().serve
    if url:
        asyncio.run(serve(url))
        return
    with Rabbit() as rabbit:
        command = [sys.executable, "-m", "benchmarks.round_trips", "--serve", rabbit.url()]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            try:
                assert server.stdout
                server.stdout.readline()
                asyncio.run(measure(rabbit.url()))
            finally:
                server.kill()


if __name__ == "__main__":
    main()
