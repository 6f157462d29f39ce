"""What a call of ours costs on top of a bare RPC through aio-pika.

Both send the same body to the same echo server (a process of its own) through the same private
broker, in turns, so that whatever else the machine does hits both alike. The bare RPC is the least
that works: direct reply-to, a correlation id, one future per call.

Run: python -m benchmarks.round_trips
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aio_pika

from benchmarks.bare import BODY, INPUT, BareRpc, bare_consumer
from nango_jupyter import Nango
from tests.support.rabbitmq import Rabbit

ROUNDS = 20
CALLS = 100
IN_FLIGHT = 100

Call = Callable[[], Awaitable[Any]]


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
        calls: dict[str, Call] = {
            "bare aio-pika RPC": lambda: rpc.call(BODY),
            "Nango.trigger_action": lambda: nango.trigger_action("demo", "echo", "ada", INPUT),
        }
        print(f"One after the other, median of {ROUNDS * CALLS} calls each:")
        await compare(calls, one_by_one)
        print(f"{IN_FLIGHT} at the same time, median of {ROUNDS} rounds each:")
        await compare(calls, at_once)


def main() -> None:
    """Start a broker and an echo server, measure, and stop them."""
    with Rabbit() as rabbit, bare_consumer(rabbit.url()):
        asyncio.run(measure(rabbit.url()))


if __name__ == "__main__":
    main()
