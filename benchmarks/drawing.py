"""What drawing 10,000 rows by 10 columns costs, against pandas and itables.

All draw the same mixed values in one process, taking turns. Ours is the whole MIME bundle, HTML and
plain text, and shows a hundred rows; pandas' is ``_repr_html_``, which shows ten, or as many as
ours where it is told to; itables makes a page of which a script shows ten rows at a time, of as
many as fit in 64 KB. The first drawing in a process, which imports what it needs, is taken in
processes of their own, with pandas imported before.

Run: python -m benchmarks.drawing
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pandas as pd

from benchmarks.peers import ROOT, run_among_peers, versions
from nango_jupyter.results import NangoResult

ROUNDS = 20
FIRSTS = 5
ROWS = 10_000
CITIES = ["Berlin", "São Paulo", "東京", "<Zürich>"]


def make_rows() -> list[dict[str, Any]]:
    """Return ten columns of what an API returns: numbers, texts, times, links, gaps."""
    return [
        {
            "id": number,
            "name": f"Contact number {number}",
            "email": f"contact.{number}@example.com",
            "active": number % 3 == 0,
            "score": None if number % 7 == 0 else number / 7,
            "city": CITIES[number % len(CITIES)],
            "created": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T08:30:00Z",
            "link": f"https://crm.example.com/contacts/{number}?tab=all&page=2",
            "balance": number * 1.25 - 5_000,
            "note": "Called twice & wrote once; asks for an offer by the end of the month. " * 2,
        }
        for number in range(ROWS)
    ]


def drawers(rows: list[dict[str, Any]]) -> dict[str, Callable[[], str]]:
    """Return who draws, by name; ours first."""
    frame = pd.DataFrame(rows)

    def ours() -> str:
        result = NangoResult(True, None, rows, request="crm.list-contacts", user_id="ada")
        return "".join(result._repr_mimebundle_().values())

    def pandas() -> str:
        return str(frame._repr_html_())

    def pandas_wide() -> str:
        with pd.option_context("display.max_rows", 100, "display.min_rows", 100):
            return str(frame._repr_html_())

    found = {"nango-jupyter": ours, "pandas": pandas, "pandas, 100 rows": pandas_wide}
    if find_spec("itables"):
        itables: Any = import_module("itables")
        found["itables"] = lambda: str(itables.to_html_datatable(frame, connected=True))
    return found


def measure(drawers: dict[str, Callable[[], str]]) -> dict[str, list[float]]:
    """Take turns, and return what each drawing took, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in drawers}
    for number in range(ROUNDS + 1):
        for name in list(drawers) if number % 2 else list(reversed(drawers)):
            gc.collect()
            seconds = timed(drawers[name])
            if number:  # the first round warms up
                times[name].append(seconds)
    return times


def timed(draw: Callable[[], str]) -> float:
    """Return what one drawing takes, in seconds."""
    started = time.perf_counter()
    draw()
    return time.perf_counter() - started


def firsts(names: list[str]) -> dict[str, float]:
    """Return what the first drawing of a process takes, in seconds: the median of several."""
    times: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="nango-bench-") as places:
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": places}
        for number in range(FIRSTS + 1):
            for name in names if number % 2 else reversed(names):
                seconds = first_drawing(name, {**os.environ, **compiled})
                if number:  # the first round compiles
                    times[name].append(seconds)
    return {name: statistics.median(found) for name, found in times.items()}


def first_drawing(name: str, environment: dict[str, str]) -> float:
    """Return what a drawing takes in a process of its own, in seconds."""
    command = [sys.executable, "-m", "benchmarks.drawing", "--first", name]
    found = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(found.stdout)


def show(found: dict[str, Callable[[], str]], times: dict[str, list[float]]) -> None:
    """Print medians, sizes and ratios."""
    first = firsts(list(found))
    print(f"  {'':24}{'drawing':>12}{'the first':>12}{'size':>12}")
    for name, draw in found.items():
        median, size = statistics.median(times[name]), len(draw().encode())
        print(
            f"  {name:24}{median * 1000:9.2f} ms{first[name] * 1000:9.1f} ms{size / 1000:9.1f} KB"
        )
    ours, *others = found
    for other in others:
        rounds = zip(times[ours], times[other], strict=True)
        ratio = statistics.median(mine / its for mine, its in rounds)
        aim = " (aim: 1 at most, and under 100 KB)" if other == "pandas" else ""
        print(f"  ours / {other:17}{ratio:9.2f}{first[ours] / first[other]:12.2f}{aim}")
    print(f"  Medians of {ROUNDS} drawings; {versions('pandas', 'itables', 'jinja2')}.")


def main() -> None:
    """Measure where the peers are installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--first", metavar="NAME", help="draw once, and print how long it took")
    first = parser.parse_known_args()[0].first
    if first:
        print(timed(drawers(make_rows())[first]))
    elif not run_among_peers("benchmarks.drawing"):
        found = drawers(make_rows())
        show(found, measure(found))


if __name__ == "__main__":
    main()
