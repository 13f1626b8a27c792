"""Fuzzing: generators of bodies that CI runs for a minute, and `python -m benchmarks.fuzz` for a night."""
