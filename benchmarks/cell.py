"""What a ``%%nango_trigger`` cell costs on top of the bare ``await client.trigger_action``.

Both run as cells of one real kernel, on the embedded server, taking turns; the time is that from
the request until the front end hears that the kernel is idle. Each is run with its result drawn,
as the last expression of a cell is, and without.

Run: python -m benchmarks.cell
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.support.kernel import Kernel

ROUNDS = 200
AIM = 1.0

# The bare call has a client of its own, on an embedded server of the same kind.
PREPARE = """
%load_ext nango_jupyter
%nango_connect --local
%nango_register demo ada --token-env TOKEN
from nango_jupyter import LocalServer
server = LocalServer()
await server.start()
client = server.client()
await client.register_connection("demo", "ada", "any-token");
"""
INPUT = '{"channel": "C1", "msg": "hello", "numbers": [1, 2, 3]}'
CELLS = {
    "drawn": (
        f'await client.trigger_action("demo", "echo", "ada", {INPUT})',
        f"%%nango_trigger demo echo ada\n{INPUT}",
    ),
    "not drawn": (
        f'result = await client.trigger_action("demo", "echo", "ada", {INPUT})',
        f"%%nango_trigger demo echo ada --out result\n{INPUT};",
    ),
}


def seconds(kernel: Kernel, code: str) -> float:
    """Return what a cell takes, from the request until the kernel is idle."""
    started = time.perf_counter()
    reply = kernel.run(code)
    took = time.perf_counter() - started
    if reply.error:
        raise RuntimeError(f"The cell failed:\n{reply.traceback}")
    return took


def measure(kernel: Kernel, cells: tuple[str, str]) -> tuple[list[float], list[float]]:
    """Take turns, each first as often as last."""
    bare: list[float] = []
    magic: list[float] = []
    for number in range(ROUNDS + 10):
        turns = list(zip(cells, (bare, magic), strict=True))
        for code, times in turns if number % 2 else reversed(turns):
            took = seconds(kernel, code)
            if number >= 10:  # the first ones warm up
                times.append(took)
    return bare, magic


def show(kernel: Kernel) -> None:
    """Print the medians, and what the magic costs."""
    print(f"  {'':14}{'await client.…':>18}{'%%nango_trigger':>18}{'more':>12}{'ratio':>8}")
    for name, cells in CELLS.items():
        bare, magic = measure(kernel, cells)
        # Cell by cell: whatever else the machine does hits both alike.
        pairs = list(zip(bare, magic, strict=True))
        more = statistics.median(its - plain for plain, its in pairs) * 1000
        ratio = statistics.median(its / plain for plain, its in pairs)
        medians = (f"{statistics.median(times) * 1000:15.2f} ms" for times in (bare, magic))
        print(f"  {name:14}{''.join(medians)}{more:9.2f} ms{ratio:8.2f}")
    print(f"  Medians of {ROUNDS} cells each; the aim is less than {AIM:.0f} ms more.")


def main() -> None:
    """Start a kernel with an empty home, and measure in it."""
    with tempfile.TemporaryDirectory(prefix="nango-bench-") as folder:
        variables = {"HOME": folder, "TOKEN": "any-token"}
        with Kernel(Path(folder), variables) as kernel:
            kernel.ok(PREPARE)
            show(kernel)


if __name__ == "__main__":
    main()
