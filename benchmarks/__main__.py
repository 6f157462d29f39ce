"""Run the benchmarks, all or those that are named: ``python -m benchmarks [NAME …]``."""

from __future__ import annotations

import argparse
from importlib import import_module

NAMES = ["round_trips", "throughput", "loading", "drawing", "cell", "each"]


def main() -> None:
    """Run them, each under its first line of documentation."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Run the benchmarks, or those that are named."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}")
    names = parser.parse_args().names
    if unknown := set(names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in names or NAMES:
        # Imported in turn: what one imports is no part of another's measurement.
        benchmark = import_module(f"benchmarks.{name}")
        print(f"== {(benchmark.__doc__ or '').partition(chr(10))[0]}", flush=True)
        benchmark.main()
        print(flush=True)


if __name__ == "__main__":
    main()
