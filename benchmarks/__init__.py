"""What the figures in the documentation come from: `demo`, `cold_start` and `parity`, each run with `python -m benchmarks.NAME`."""
