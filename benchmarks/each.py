"""What ``--each`` takes for 1,000 rows of an action of 50 ms, against the ideal of 1 s.

50 rows are under way at once, on the embedded server. Three take turns: the least that works, bare
calls of `Nango` behind a semaphore, which shows what the server itself leaves of the ideal; a
`Batch` from Python; and a cell with ``%%nango_trigger --each`` in a real kernel, progress bar
included, from the request until the front end hears that the kernel is idle.

Run: python -m benchmarks.each
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from nango_jupyter import LocalServer, Nango
from nango_jupyter.batch import Batch
from nango_jupyter.calls import TriggerCall
from nango_jupyter.rows import Row, iterate
from tests.support.kernel import Kernel

ROUNDS = 9
ROWS, AT_ONCE, SECONDS = 1_000, 50, 0.05
IDEAL = ROWS / AT_ONCE * SECONDS
AIM = 1.15

PREPARE = f"""
%load_ext nango_jupyter
%nango_connect --local
%nango_register demo ada --token-env TOKEN
rows = [{{"seconds": {SECONDS}}}] * {ROWS}
"""
CELL = f"""%%nango_trigger demo sleep ada --each rows --concurrency {AT_ONCE} --out batch
{{"seconds": {{{{ row.seconds }}}}}}
"""

Run = Callable[[Nango], Awaitable[None]]


async def bare(client: Nango) -> None:
    """Send all rows at once, but for a semaphore."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def call() -> None:
        async with gate:
            await client.trigger_action("demo", "sleep", "ada", {"seconds": SECONDS})

    await asyncio.gather(*(call() for _ in range(ROWS)))


async def batch(client: Nango) -> None:
    """Run a batch of all rows."""

    def prepare(row: Row) -> TriggerCall:
        what = {"seconds": row.seconds}
        return TriggerCall(integration="demo", action="sleep", user_id="ada", input=what)

    rows = iterate([{"seconds": SECONDS}] * ROWS)
    result = await Batch(client, rows, prepare, concurrency=AT_ONCE).run()
    if len(result.succeeded) != ROWS:
        raise RuntimeError(f"Rows failed: {result}")


async def seconds(run: Run, client: Nango) -> float:
    """Return what one run takes."""
    started = time.perf_counter()
    await run(client)
    return time.perf_counter() - started


def cell_seconds(kernel: Kernel) -> float:
    """Return what the cell takes."""
    started = time.perf_counter()
    reply = kernel.run(CELL)
    took = time.perf_counter() - started
    if reply.error:
        raise RuntimeError(f"The cell failed:\n{reply.traceback}")
    return took


async def measure(kernel: Kernel) -> dict[str, list[float]]:
    """Let the three take turns."""
    times: dict[str, list[float]] = {"bare calls": [], "Batch": [], "%%nango_trigger --each": []}
    async with LocalServer() as server:
        client = server.client()
        await client.register_connection("demo", "ada", "any-token")
        for number in range(ROUNDS + 1):
            found = [await seconds(bare, client), await seconds(batch, client)]
            found.append(cell_seconds(kernel))
            if number:  # the first one warms up
                for name, took in zip(times, found, strict=True):
                    times[name].append(took)
    return times


def main() -> None:
    """Start a kernel with an empty home, measure, and print medians and ratios."""
    with (
        tempfile.TemporaryDirectory(prefix="nango-bench-") as folder,
        Kernel(Path(folder), {"HOME": folder, "TOKEN": "any-token"}) as kernel,
    ):
        kernel.ok(PREPARE)
        times = asyncio.run(measure(kernel))
    for name, found in times.items():
        median = statistics.median(found)
        print(f"  {name:24}{median:8.3f} s   / ideal {median / IDEAL:6.2f}")
    print(f"  Medians of {ROUNDS} runs; the ideal is {IDEAL:g} s, the aim {AIM} of it.")


if __name__ == "__main__":
    main()
