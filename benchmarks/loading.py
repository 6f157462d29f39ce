"""What ``%load_ext nango_jupyter`` costs, against other extensions and a minimal one.

Each is loaded by the first cell of a fresh kernel, which is where a person waits for it: asyncio
and all else that a kernel imports for itself is there already. Two times are taken: of the cell,
from the request until the front end hears that the kernel is idle, and of the line alone, inside
IPython. The extensions take turns, all in one environment (``tools/peers.sh``), with an empty home
and compiled bytecode, as after an installation. The first round fills caches and doesn't count.

Run: python -m benchmarks.loading
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from benchmarks.peers import ROOT, run_among_peers, versions
from tests.support.kernel import Kernel

ROUNDS = 9
AIM = 2.0

# Runs before the first cell, and notes what loading takes inside.
STARTUP = """
import time
def note_time(manager, load=get_ipython().extension_manager.load_extension):
    def timed(name):
        started = time.perf_counter()
        try:
            return load(name)
        finally:
            manager.seconds = time.perf_counter() - started
    manager.load_extension = timed
note_time(get_ipython().extension_manager)
"""
TELL = "import sys; print(get_ipython().extension_manager.seconds, len(sys.modules))"


@dataclass
class Extension:
    """One of those that are compared, and what was measured: in seconds."""

    name: str
    module: str
    cell: list[float] = field(default_factory=list)
    line: list[float] = field(default_factory=list)
    modules: int = 0
    problem: str = ""

    def load(self, places: Path, *, counts: bool) -> None:
        """Load it in a fresh kernel."""
        with fresh_kernel(places) as kernel:
            started = time.perf_counter()
            reply = kernel.run(f"%load_ext {self.module}")
            cell = time.perf_counter() - started
            if reply.error:
                self.problem = reply.error
                return
            line, modules = kernel.ok(TELL).text.split()[-2:]
        self.modules = int(modules)
        if counts:
            self.cell.append(cell)
            self.line.append(float(line))


EXTENSIONS = [
    Extension("minimal", "benchmarks.minimal"),
    Extension("nango-jupyter", "nango_jupyter"),
    Extension("jupysql", "sql"),
    Extension("bigquery-magics", "bigquery_magics"),
    Extension("sparkmagic", "sparkmagic.magics"),
]


@contextmanager
def fresh_kernel(places: Path) -> Iterator[Kernel]:
    """Start a kernel with an empty home, whose bytecode is that of the kernels before it."""
    with tempfile.TemporaryDirectory(prefix="nango-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        startup = home / "ipythondir" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "note_time.py").write_text(STARTUP)
        # Kernels warn of TCP without encryption; these are on this machine.
        quiet = "get_config().IPKernelApp.log_level = 'ERROR'"
        (startup.parent / "ipython_kernel_config.py").write_text(quiet)
        variables = {
            "HOME": folder,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(places),
            # JupySQL reports its use, and asks for newer versions, over the internet.
            "PLOOMBER_STATS_ENABLED": "false",
            "PLOOMBER_VERSION_CHECK_DISABLED": "true",
        }
        with Kernel(home, variables) as kernel:
            yield kernel


def measure(extensions: list[Extension]) -> None:
    """Let all take turns, each first as often as last."""
    with tempfile.TemporaryDirectory(prefix="nango-bench-") as places:
        for number in range(ROUNDS + 1):
            for extension in extensions if number % 2 else reversed(extensions):
                if not extension.problem:
                    extension.load(Path(places), counts=number > 0)


def show(extensions: list[Extension]) -> None:
    """Print the medians, and the ratios."""
    print(f"  {'':24}{'the cell':>12}{'the line':>12}{'modules':>10}")
    measured = [extension for extension in extensions if not extension.problem]
    for one in measured:
        cell, line = statistics.median(one.cell), statistics.median(one.line)
        print(f"  {one.name:24}{cell * 1000:9.0f} ms{line * 1000:9.1f} ms{one.modules:10}")
    for one in extensions:
        if one.problem:
            print(f"  {one.name:24}not measured: {one.problem}")
    minimal, ours, *peers = measured
    if ours.module != "nango_jupyter":
        raise RuntimeError("nango-jupyter itself was not measured")
    print(f"  cell: ours / minimal    {ratio(ours, minimal):9.2f}     (aim: {AIM:.0f} at most)")
    for peer in peers:
        print(f"  cell: {peer.name + ' / ours':24}{ratio(peer, ours):7.1f}")
    print(f"  Medians of {ROUNDS} fresh kernels each, the ratios' too; {kernel_versions()}.")


def ratio(one: Extension, other: Extension) -> float:
    """How many times as long one's cell takes as another's, round by round."""
    rounds = zip(one.cell, other.cell, strict=True)
    return statistics.median(mine / its for mine, its in rounds)


def kernel_versions() -> str:
    """Name what was measured, with versions."""
    return versions("ipython", "ipykernel", *(extension.name for extension in EXTENSIONS[1:]))


def main() -> None:
    """Measure where the peers are installed."""
    if run_among_peers("benchmarks.loading"):
        return
    for extension in EXTENSIONS:
        if find_spec(extension.module.partition(".")[0]) is None:
            extension.problem = "it is not installed"
    measure(EXTENSIONS)
    show(EXTENSIONS)


if __name__ == "__main__":
    main()
