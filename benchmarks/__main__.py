"""Run every benchmark: ``python -m benchmarks``."""

from benchmarks import round_trips, throughput

for benchmark in (round_trips, throughput):
    print(f"== {(benchmark.__doc__ or '').partition(chr(10))[0]}", flush=True)
    benchmark.main()
    print()
