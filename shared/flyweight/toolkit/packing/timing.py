"""The time that engines take for many rows: each answers the sample, repeated, on this machine."""

from __future__ import annotations

from time import perf_counter

from flyweight.predictor import Predictor
from flyweight.toolkit.packing.sample import Row

ROWS = 10_000
SECONDS = 1.0  # the time after which an engine is not measured again; each is measured once at least


def time_engines(predictors: list[Predictor], sample: list[Row]) -> dict[str, float]:
    """Measure each engine over `ROWS` rows.

    :returns: the best time of each engine in seconds, by the name of the engine that its file lists first.
    """
    rows = [sample[position % len(sample)] for position in range(ROWS)]
    return {predictor.file.document["engines"][0]: _best_seconds(predictor, rows) for predictor in predictors}


def _best_seconds(predictor: Predictor, rows: list[Row]) -> float:
    best, began = float("inf"), perf_counter()
    for _ in range(5):
        start = perf_counter()
        predictor.answer(rows)
        best = min(best, perf_counter() - start)
        if perf_counter() - began > SECONDS:
            break
    return best
