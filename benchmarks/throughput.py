"""How many triggers a second `nango-jupyter serve` does, against a consumer that only echoes.

The consumer is what aio-pika can do at best: the same queue, prefetch and reply, and nothing in
between. It runs twice, acknowledging each message by hand as a server must, and not at all. All
are processes of their own, each on a vhost of one private broker; they take turns, so that
whatever else the machine does hits all alike. One generator asks them all.

Run: python -m benchmarks.throughput
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from benchmarks.bare import BODY, INPUT, bare_consumer
from benchmarks.load import Load
from benchmarks.processes import cpu_seconds, resident_mb
from nango_jupyter import Nango
from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve
from tests.support.vhosts import Vhosts

ROUNDS = 20
CALLS = {1: 100, 100: 1000}
"""How many triggers a turn has, by how many of them are in flight."""

ECHO = """
    from nango_jupyter import NangoAction


    class Echo(NangoAction):
        async def execute_action(self, input):
            return input
"""


@dataclass
class Server:
    """One of those that are compared, and what was measured."""

    name: str
    pid: int
    load: Load
    rates: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in CALLS})
    cpu: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in CALLS})

    async def take_turn(self, in_flight: int, *, counts: bool) -> None:
        """Measure once."""
        calls = CALLS[in_flight]
        gc.collect()
        cpu = cpu_seconds(self.pid)
        rate = await self.load.rate(BODY, calls, in_flight)
        if counts:
            self.rates[in_flight].append(rate)
            self.cpu[in_flight].append((cpu_seconds(self.pid) - cpu) / calls * 1000)

    def rate(self, in_flight: int) -> float:
        """Triggers a second."""
        return statistics.median(self.rates[in_flight])

    def ratio(self, other: Server, in_flight: int) -> float:
        """How many times as fast it is as another, round by round: the machine is never alone."""
        rounds = zip(self.rates[in_flight], other.rates[in_flight], strict=True)
        return statistics.median(mine / its for mine, its in rounds)

    def cpu_per_1000(self, in_flight: int) -> float:
        """Seconds that the process computed for a thousand triggers."""
        return statistics.median(self.cpu[in_flight])


@contextmanager
def serve(url: str) -> Iterator[int]:
    """Run our server on a folder with the one action, its connections in a SQLite file."""
    with tempfile.TemporaryDirectory(prefix="nango-bench-") as place:
        folder = Path(place)
        (folder / "integrations.yaml").write_text("demo:\n    auth: {auth_mode: OAUTH2}\n")
        (folder / "demo").mkdir()
        (folder / "demo" / "echo.action.py").write_text(dedent(ECHO))
        with Serve(url, folder) as process:
            asyncio.run(_register(url))
            yield process.process.pid


async def _register(url: str) -> None:
    async with Nango(url) as nango:
        await nango.register_connection("demo", "ada", "a-token")
        result = await nango.trigger_action("demo", "echo", "ada", INPUT)
        assert result.return_value == INPUT


async def measure(places: dict[str, tuple[str, int]]) -> list[Server]:
    """Let all take turns, each first as often as last."""
    async with AsyncExitStack() as stack:
        servers = [
            Server(name, pid, await stack.enter_async_context(Load.open(url)))
            for name, (url, pid) in places.items()
        ]
        for number in range(ROUNDS + 1):
            for in_flight in CALLS:
                for server in servers if number % 2 else reversed(servers):
                    await server.take_turn(in_flight, counts=number > 0)  # the first warms up
    return servers


def show(servers: list[Server]) -> None:
    """Print the figures of each, and the ratios of ours, the last one, to the others."""
    _row("", *(f"{in_flight} in flight" for in_flight in CALLS), memory="memory")
    for server in servers:
        figures = (f"{server.rate(n):.0f}/s {server.cpu_per_1000(n):6.2f} s CPU" for n in CALLS)
        _row(server.name, *figures, memory=f"{resident_mb(server.pid):.0f} MB")
    _row("for scale: the original", "44/s", "1084/s", memory="104 MB")
    *others, ours = servers
    for other in others:
        _row(f"ours / {other.name}", *(f"{ours.ratio(other, n):.2f}" for n in CALLS))
    print(f"  Medians of {ROUNDS} rounds, the ratios' too. CPU: of the server, for 1,000 triggers.")


def _row(name: str, *columns: str, memory: str = "") -> None:
    print(f"  {name:30}" + "".join(f"{column:>24}" for column in columns) + f"{memory:>10}")


def main() -> None:
    """Start a broker and the servers, measure, and stop them."""
    with Rabbit() as rabbit, ExitStack() as stack:
        vhosts = Vhosts(rabbit)
        urls = [rabbit.url(vhost=vhosts.take()) for _ in range(3)]
        no_ack = stack.enter_context(bare_consumer(urls[0]))
        ack = stack.enter_context(bare_consumer(urls[1], ack=True))
        places = {
            "bare consumer, no ack": (urls[0], no_ack.pid),
            "bare consumer, ack": (urls[1], ack.pid),
            "nango-jupyter serve": (urls[2], stack.enter_context(serve(urls[2]))),
        }
        servers = asyncio.run(measure(places))
        show(servers)


if __name__ == "__main__":
    main()
