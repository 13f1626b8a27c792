"""The engines that are tried for one estimator, each proved on the file's own bytes, and why the others are passed over."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flyweight.engines import numpy as batch_engine
from flyweight.engines import pickle as pickle_engine
from flyweight.engines.pure import Engine as PlanEngine
from flyweight.errors import FlyweightError, ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.packing import engines as candidates
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.packing.engines import Candidate, EngineSkipped, first_line
from flyweight.toolkit.packing.parity import Parity, prove
from flyweight.toolkit.packing.source_model import Rows, Subject

NARROWED = "missing values are refused: the graph answers them otherwise than the estimator"
WORTH = 1.25  # how many times as fast an engine that needs more has to be, so that it is chosen for batches
Progress = Callable[[str, int, int], None]


class ParityFailed(Exception):
    """An engine that does not answer as the estimator does; no file was written."""

    def __init__(self, parity: Parity, beside: str = "", hints: Sequence[str] = ()) -> None:
        first = "\n  ".join([*hints, *parity.failures[:5]])
        super().__init__(f"the converted model does not answer as the estimator does:\n  {first}{beside}")
        self.parity = parity


class EngineRefused(FlyweightError):
    """The engine that was asked for can't run this estimator; no file was written."""

    next_step = "leave --engine out, and pack chooses one that can"


@dataclass(frozen=True)
class Proved:
    """A candidate whose parity holds, as a reader finds it."""

    candidate: Candidate
    predictor: Predictor
    rows: Rows
    parity: Parity
    engines: list[str]


class EngineSelection:
    """The engines that were tried for one subject, and why those that were not taken were passed over."""

    def __init__(self, subject: Subject, head: dict[str, Any], tolerance: float | None, purpose: str, progress: Progress) -> None:
        self.subject, self.head, self.tolerance, self.purpose, self.progress = subject, head, tolerance, purpose, progress
        self.passed: dict[str, str] = {}
        self._failed: Parity | None = None

    def first(self, names: list[str]) -> list[Proved]:
        """The first engine whose parity holds."""
        return next(([proved] for name in names if (proved := self._tried(name, names))), [])

    def all(self, names: list[str]) -> list[Proved]:
        """Every engine whose parity holds."""
        return [proved for name in names if (proved := self._tried(name, names))]

    def failure(self, engine: str | None) -> Exception:
        """Why there is no file."""
        told = self.subject.plan is not None or self._failed is None  # by the error itself
        others = "".join(f"\n{name}: {reason}" for name, reason in self.passed.items() if name != "pure" or not told)
        if engine not in (None, "pure"):
            return EngineRefused(f"the {engine} engine can't run it: {self.passed[str(engine)]}")
        if "pickle" not in self.passed and engine is None:
            others += "\npickle: not without --allow-pickle; it would store the estimator as code"
        if self._failed is not None:
            return ParityFailed(self._failed, others, self.subject.draft.hints)
        refused = self.subject.no_plan
        if refused is None:  # a plan that the reader does not take
            return EngineRefused(f"the pure engine can't run it: {self.passed.get('pure', 'no engine was tried')}{others}")
        return ConversionRefused(refused.path, refused.cls, refused.what_helps + others)

    def best(self, held: list[Proved], race: dict[str, float]) -> Proved:
        """Of those that hold the first, or a later one that is so much faster as to be worth what it needs."""
        best = held[0]
        for proved in held[1:]:
            if race[proved.engines[0]] * WORTH < race[best.engines[0]]:
                best = proved
        for proved in held:
            if proved is not best:
                times = race[proved.engines[0]] / race[best.engines[0]]
                worth = "" if times >= 1 else ", a gain that is not worth what it needs"
                self.passed[proved.engines[0]] = f"{times:.2f} times as long as {best.engines[0]} for a batch{worth}"
        return best

    def document(self, candidate: Candidate, engines: list[str]) -> dict[str, Any]:
        """The document of a file with this candidate."""
        requires = candidates.versions("numpy") if engines[0] == "numpy" else candidate.requires
        return {**self.head, "engines": engines, **candidate.entries, "requires": requires}

    def _tried(self, name: str, names: list[str]) -> Proved | None:
        try:
            for candidate in candidates.MAKERS[name](self.subject):
                proved = self._proved(candidate, self.subject.rows)
                if proved is None and name == "onnx" and (len(names) == 1 or self.purpose == "batch"):
                    proved = self._narrowed(candidate)
                if proved is not None:
                    self.passed.pop(name, None)
                    return proved
        except EngineSkipped as passed:
            self.passed.setdefault(name, str(passed))
        return None

    def _narrowed(self, candidate: Candidate) -> Proved | None:
        """A graph that answers missing values otherwise may hold without them, where the sample has none: then it takes none."""
        features = self.head["signature"]["features"]
        rows = self.subject.rows.whole()
        if len(rows.sample) < len(self.subject.rows.sample) or not any(feature["nullable"] for feature in features):
            return None
        signature = {**self.head["signature"], "features": [{**feature, "nullable": False} for feature in features]}
        entries = {**candidate.entries, "signature": signature, "narrowed": NARROWED}
        return self._proved(replace(candidate, entries=entries), rows)

    def _proved(self, candidate: Candidate, rows: Rows) -> Proved | None:
        """The candidate's proof over the file's own bytes; a plan is proved by rows, and by batches beside."""
        name = candidate.engine
        total, done = len(rows.sample) + len(rows.edges), [0]

        def advance(count: int) -> None:
            done[0] += count
            self.progress(f"comparing rows, {name}", done[0], total)

        try:
            predictor = _read_back(self.document(candidate, [name]), candidate)
        except ModelRefused as refused:
            cause = f" ({first_line(refused.__cause__)})" if refused.__cause__ else ""
            self.passed[name] = f"{refused}{cause}"
            return None
        engines: dict[str, Any] = {name: predictor.engine}
        if isinstance(predictor.engine, PlanEngine):
            engines["numpy"] = batch_engine.Engine(predictor.file, predictor.engine.plan)
        reports = prove(
            engines, self.subject.oracle, predictor.signature, rows.sample, rows.edges, rows.refused, self.tolerance, advance
        )
        parity = reports[name]
        if not parity.holds:
            self.passed[name] = self._apart(parity)
            self._failed = parity if name == "pure" or self._failed is None else self._failed
            return None
        listed = [key for key, report in reports.items() if report.holds]
        if self.purpose == "batch" and len(listed) > 1:  # the plan's engine for batches goes first
            listed = listed[::-1]
            predictor = _read_back(self.document(candidate, listed), candidate)
        return Proved(candidate, predictor, rows, parity, listed)

    def _apart(self, parity: Parity) -> str:
        largest = max(parity.largest.values(), default=0.0)
        close = parity.label_differences == 0 and 0 < largest <= 1e-3
        tolerance = 10.0 ** math.ceil(math.log10(largest)) if close else 0.0
        helps = f"; --tolerance {tolerance:.0e} might take it" if close and self.tolerance is None else ""
        return f"its answers differ: {parity.failures[0][:300]}{helps}"


def _read_back(document: dict[str, Any], candidate: Candidate) -> Predictor:
    """The model as a reader finds it: what is proved is the file and not what was in memory."""
    file = model_file.parse(model_writer.to_bytes(document, candidate.arrays))
    # whoever packs a pickle has loaded it already
    engine = pickle_engine.Engine(file, allowed=True) if candidate.engine == "pickle" else None
    return Predictor(file, engine=engine)
