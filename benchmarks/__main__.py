"""Run every benchmark: ``python -m benchmarks``."""

from benchmarks.round_trips import main

main()
