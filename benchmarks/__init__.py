"""Measure the figures of the documentation: `python -m benchmarks.NAME`, for example `demo`, `cold_start` or `parity`."""
