"""Where the documentation's figures come from: `python -m benchmarks.NAME`, one of `demo`, `cold_start` and `parity`."""
