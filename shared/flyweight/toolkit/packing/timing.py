"""Which engine is the fastest for many rows: each answers the sample, repeated, on this machine."""

from __future__ import annotations

from time import perf_counter

from flyweight.predictor import Predictor
from flyweight.toolkit.packing.sample import Row

ROWS = 10_000
SECONDS = 1.0  # how long each may be measured for; one run at least


def raced(predictors: list[Predictor], sample: list[Row]) -> dict[str, float]:
    """The best time of each engine for `ROWS` rows, in seconds, by the name of the engine that its file names first."""
    rows = [sample[position % len(sample)] for position in range(ROWS)]
    return {predictor.file.document["engines"][0]: _seconds(predictor, rows) for predictor in predictors}


def _seconds(predictor: Predictor, rows: list[Row]) -> float:
    best, began = float("inf"), perf_counter()
    for _ in range(5):
        start = perf_counter()
        predictor.answer(rows)
        best = min(best, perf_counter() - start)
        if perf_counter() - began > SECONDS:
            break
    return best
