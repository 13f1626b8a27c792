"""What could run an estimator, one maker an engine: each gives what a model file would hold for it, or says why it can't.

A maker is `(subject) -> Iterator[Candidate]`, the best form first; a new engine is a new maker and a row of `MAKERS`.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name
from flyweight.toolkit.packing.source_model import Subject


class EngineSkipped(Exception):
    """An engine that can't run this estimator, and why."""


@dataclass(frozen=True)
class Candidate:
    """What a model file holds for one engine. `entries` go into its document, `arrays` beside it.

    `requires`: the packages that the engine needs in a function, with the versions that made the file.
    """

    engine: str
    entries: dict[str, Any]
    arrays: dict[str, np.ndarray[Any, Any]]
    requires: dict[str, str] = field(default_factory=dict)


def by_plan(subject: Subject) -> Iterator[Candidate]:
    """The estimator as a plan, which needs nothing."""
    if subject.plan is None:
        raise EngineSkipped(str(subject.no_plan))
    draft, outputs = subject.draft, {output: value.name for output, value in subject.plan.items()}
    steps = [{"path": step.path, "class": step.cls, "ops": step.ops} for step in draft.steps if step.ops]
    entries = {"plan": {"nodes": draft.nodes, "outputs": outputs}, "provenance": {**subject.provenance(), "steps": steps}}
    yield Candidate("pure", entries, draft.arrays)


def by_onnx(subject: Subject) -> Iterator[Candidate]:
    """The estimator as a graph that skl2onnx makes, in float64 where its operators allow that, else in float32."""
    try:
        from flyweight.toolkit.packing import skl2onnx_graphs
    except ImportError as error:
        raise EngineSkipped(f"{error.name} is not installed here; pip install 'flyweight[onnx]'") from None
    requires = versions("onnxruntime", "numpy")
    for data, spec in skl2onnx_graphs.graphs(subject):
        yield Candidate("onnx", {"onnx": spec}, {"onnx": as_bytes(data)}, requires)


def by_skops(subject: Subject) -> Iterator[Candidate]:
    """The estimator itself as skops stores it."""
    try:
        from skops.io import dumps

        from flyweight.engines.sklearn import types_of
    except ImportError as error:
        raise EngineSkipped(f"{error.name} is not installed here; pip install 'flyweight[sklearn]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = dumps(subject.estimator)
            types = types_of(data)
    except Exception as error:  # what it can't store fails in many ways
        raise EngineSkipped(f"skops can't store it: {first_line(error)}") from None
    requires = versions("scikit-learn", "skops", "numpy", *_beside(subject, {name.partition(".")[0] for name in types}))
    yield Candidate("sklearn", {"estimator": {**_asked(subject), "types": types}}, {"skops": as_bytes(data)}, requires)


def by_pickle(subject: Subject) -> Iterator[Candidate]:
    """The estimator as joblib pickles it: code, that runs wherever the file is loaded."""
    import joblib

    buffer = io.BytesIO()
    try:
        joblib.dump(subject.estimator, buffer)
    except Exception as error:  # an object can refuse to be pickled in any way
        raise EngineSkipped(f"it can't be pickled: {first_line(error)}") from None
    requires = versions("scikit-learn", "joblib", "numpy", *_beside(subject, _packages(subject.estimator)))
    yield Candidate("pickle", {"estimator": _asked(subject)}, {"pickle": as_bytes(buffer.getvalue())}, requires)


# in the order of what a cold start costs, but for the pickle, which is asked for
MAKERS: dict[str, Callable[[Subject], Iterator[Candidate]]] = {
    "pure": by_plan,
    "onnx": by_onnx,
    "sklearn": by_skops,
    "pickle": by_pickle,
}


def as_bytes(data: bytes) -> np.ndarray[Any, Any]:
    """A foreign model as the U8 tensor that a model file holds."""
    return np.frombuffer(data, np.uint8)


def versions(*packages: str) -> dict[str, str]:
    """The installed version of each package."""
    return {package: metadata.version(package) for package in packages}


def _asked(subject: Subject) -> dict[str, Any]:
    import sklearn

    return {"input": subject.shape.told(), "outputs": subject.widths, "scikit-learn": sklearn.__version__}


def _beside(subject: Subject, modules: set[str]) -> list[str]:
    """The packages of these modules, and pandas where the estimator wants a DataFrame."""
    distributions = metadata.packages_distributions()
    named = [name for module in sorted(modules) for name in distributions.get(module, [])[:1]]
    pandas = subject.shape.framed or any(marker == "na" for marker in subject.shape.told()["markers"])
    return [*dict.fromkeys(named + ["pandas"] * pandas)]


def _packages(part: Any) -> set[str]:
    """The top-level modules of the classes that an estimator is made of."""
    found: set[str] = set()
    waiting, seen = [part], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        found.add(class_name(part).partition(".")[0])
        found.add(str(getattr(part, "__module__", None) or "builtins").partition(".")[0])
        if isinstance(part, (list, tuple, set)):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
        else:
            waiting += getattr(part, "__dict__", {}).values()
    return found


def first_line(error: BaseException) -> str:
    """An error's class and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
