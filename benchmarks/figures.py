"""Compute figures from rounds: medians and ratios, sizes, and targets compared with results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.environments import installed_size
from benchmarks.folders import EMPTY, FLYWEIGHT, JOBLIB, ONNX, OWN, PACKAGES, Function
from benchmarks.rounds import Series, ratio
from flyweight.toolkit.running.measure import folder_size

Figures = dict[str, Any]
PLACES = 4  # significant digits; runs differ in the third


@dataclass(frozen=True)
class Target:
    """A target for one figure, for some providers and models; `bound` is the maximum, or the minimum if `least` is set."""

    words: str
    figure: str
    providers: tuple[str, ...]
    models: tuple[str, ...]
    bound: float
    least: bool = False


EVERY = ("linear", "forest", "boosting", "mixed")
TARGETS = (
    Target("cold start against an empty function", "cold_vs_empty", ("aws",), ("linear", "mixed"), 1.15),
    Target("cold start against an empty function", "cold_vs_empty", ("aws",), ("forest",), 1.35),
    Target("cold start against an empty function", "cold_vs_empty", ("gcp",), EVERY, 1.1),
    Target("peak memory against an empty function", "memory_vs_empty", ("aws",), ("linear", "forest", "mixed"), 1.3),
    Target("warm handler, times as fast as scikit-learn's", "times_joblib", ("aws",), ("forest",), 50.0, least=True),
    Target("warm handler, times as fast as scikit-learn's", "times_joblib", ("aws",), ("linear",), 20.0, least=True),
    Target("folder, MB", "folder_mb", ("aws",), ("forest",), 2.0),
)


def of(function: Function, series: Mapping[Function, Series], python: Path) -> Figures:
    """Compute one function's figures; a ratio is the median of the ratios of all rounds."""
    own = series[function]
    place = function.provider, function.model
    beside = {other.kind: series[other] for other in series if (other.provider, other.model) == place}
    empty, joblib = beside.get(EMPTY), beside.get(JOBLIB)
    size = folder_size(function.folder)
    figures = {
        "provider": function.provider,
        "model": function.model,
        "function": function.kind,
        "runtime": own.runtime,
        "cold_ms": _kept(1e3 * median(own.cold)),
        "cold_runs_ms": [_kept(1e3 * seconds) for seconds in own.cold],
        "cold_vs_empty": empty and _kept(ratio(own.cold, empty.cold)),
        **_calls("warm", own.warm),
        **_calls("handler", own.handler),
        "times_joblib": joblib and own.handler and _kept(ratio(map(median, joblib.handler), map(median, own.handler))),
        "memory_mb": own.memory and _kept(median(own.memory) / 1e6),
        "memory_vs_empty": empty and own.memory and _kept(ratio(own.memory, empty.memory)),
        "folder_mb": _kept(size / 1e6),
        "installed_mb": _kept(installed_size(python, packages_of(function)) / 1e6),
    }
    return {name: value for name, value in figures.items() if value not in (None, [])}


def packages_of(function: Function) -> list[str]:
    """List the packages that must be installed beside the folder; with pandas if the estimator was fitted to a table."""
    framed = function.kind == JOBLIB and function.model == "mixed"
    return [*PACKAGES.get(function.kind, []), *(["pandas"] if framed else [])]


def differences(series: Mapping[Function, Series]) -> list[Figures]:
    """Compare each answer with scikit-learn's own: whether labels are equal, and the largest difference of numbers."""
    truth = {(f.provider, f.model): _document(s) for f, s in series.items() if f.kind == JOBLIB}
    found = []
    for function, own in series.items():
        expected = truth.get((function.provider, function.model))
        if function.kind not in (FLYWEIGHT, OWN, ONNX) or expected is None:
            continue
        answer = _document(own)
        pairs = list(zip(_numbers(answer), _numbers(expected), strict=True))
        found.append(
            {
                "provider": function.provider,
                "model": function.model,
                "function": function.kind,
                "labels_equal": "probabilities" not in expected or answer["predictions"] == expected["predictions"],
                "largest_difference": max(abs(mine - theirs) for mine, theirs in pairs),
            }
        )
    return found


def ranges(results: list[Figures]) -> list[Figures]:
    """List, for each provider and function of ours, the least and the most of its figures over the models."""
    found = []
    for provider in dict.fromkeys(row["provider"] for row in results):
        for kind in (FLYWEIGHT, OWN):
            rows = [row for row in results if (row["provider"], row["function"]) == (provider, kind)]
            spans = {
                name: [min(values), max(values)]
                for name in ("cold_ms", "cold_vs_empty", "memory_vs_empty")
                if (values := [row[name] for row in rows if name in row])
            }
            if spans:
                found.append({"provider": provider, "function": kind, **spans})
    return found


def judged(results: list[Figures]) -> list[Figures]:
    """List each measured target with its value and whether it is met; the worst of several models or providers counts."""
    found = []
    for target in TARGETS:
        values = [
            (row[target.figure], row["model"])
            for row in results
            if row["function"] == FLYWEIGHT
            and row["provider"] in target.providers
            and row["model"] in target.models
            and target.figure in row
        ]
        if not values:
            continue
        worst: Callable[..., tuple[float, str]] = min if target.least else max
        value, model = worst(values)
        met = value >= target.bound if target.least else value <= target.bound
        where = f"{'/'.join(target.providers)}, {', '.join(target.models)}"
        found.append({"target": target.words, "of": where, "bound": target.bound, "value": value, "model": model, "met": met})
    return found


def _calls(name: str, rounds: list[list[float]]) -> Figures:
    """Compute the medians, over the rounds, of p50 and p95 in microseconds."""
    counted = [calls for calls in rounds if len(calls) > 1]
    if not counted:
        return {}
    p95 = median(quantiles(calls, n=20, method="inclusive")[-1] for calls in counted)
    return {f"{name}_p50_us": _kept(1e6 * median(map(median, counted))), f"{name}_p95_us": _kept(1e6 * p95)}


def _document(series: Series) -> Any:
    assert series.answer is not None
    return json.loads(series.answer.body)


def _numbers(document: Any) -> list[float]:
    rows = document.get("probabilities")
    return document["predictions"] if rows is None else list(chain.from_iterable(rows))


def _kept(value: float) -> float:
    return float(f"{value:.{PLACES}g}")
