"""The choice of an engine: candidates are proved on the bytes of their file, and the reasons against the others are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flyweight.engines import numpy as batch_engine
from flyweight.engines.pure import Engine as PlanEngine
from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.settings import Limits
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.packing.candidate import Candidate, EngineSkipped, versions
from flyweight.toolkit.packing.engines import CandidateMaker, makers
from flyweight.toolkit.packing.guard import CodeFailed, first_line, guarded
from flyweight.toolkit.packing.parity import Parity, prove
from flyweight.toolkit.packing.source_model import Progress, Rows, SourceModel

NARROWED = "missing values are refused: the graph answers them otherwise than the estimator"
WORTH = 1.25  # for batches, an engine that needs more packages has to be this many times as fast
PLAN_ENGINE = "pure"  # the engine of plans: where it fails, its reason is the most useful one


class ParityFailed(ToolkitError):
    """An engine does not answer as the estimator does; no file was written."""

    def __init__(self, parity: Parity, others: str = "", hints: Sequence[str] = ()) -> None:
        first = "\n  ".join([*hints, *parity.failures[:5]])
        super().__init__(f"the converted model does not answer as the estimator does:\n  {first}{others}")
        self.parity = parity


class EngineRefused(ToolkitError):
    """The engine that was asked for can't run this estimator; no file was written."""

    next_step = "leave --engine out, and pack chooses one that can"


@dataclass(frozen=True)
class ProvedCandidate:
    """A candidate whose parity holds.

    :param predictor: the model, loaded from the bytes of its file.
    :param rows: the rows over which it was proved.
    :param engines: the engines that the file lists, the first of which runs it.
    """

    candidate: Candidate
    predictor: Predictor
    rows: Rows
    parity: Parity
    engines: list[str]


class EngineSelection:
    """The engines that were tried for one estimator; `skipped` holds per engine why it was not chosen.

    :param budget: the seconds for which each engine is compared over edge rows.
    """

    def __init__(
        self,
        model: SourceModel,
        head: dict[str, Any],
        tolerance: float | None,
        purpose: str,
        progress: Progress,
        budget: float = math.inf,
    ) -> None:
        self.model, self.head, self.tolerance, self.purpose, self.progress = model, head, tolerance, purpose, progress
        self.budget = budget
        self.skipped: dict[str, str] = {}
        self._failed: Parity | None = None

    def first(self, candidate_makers: Sequence[CandidateMaker]) -> list[ProvedCandidate]:
        """Try engines until the parity of one holds.

        :returns: that one alone, or an empty list.
        """
        alone = len(candidate_makers) == 1
        return next(([proved] for maker in candidate_makers if (proved := self._try_engine(maker, alone))), [])

    def all(self, candidate_makers: Sequence[CandidateMaker]) -> list[ProvedCandidate]:
        """Try every engine, and return those whose parity holds."""
        alone = len(candidate_makers) == 1
        return [proved for maker in candidate_makers if (proved := self._try_engine(maker, alone))]

    def failure(self, engine: str | None) -> Exception:
        """Build the error that says why there is no file.

        :param engine: the engine that was asked for, or None.
        """
        if engine not in (None, PLAN_ENGINE):
            return EngineRefused(f"the {engine} engine can't run it: {self.skipped[str(engine)]}")
        # the plan's own reason is in the error itself, unless another engine's failure is raised
        in_error = self.model.plan is not None or self._failed is None
        reasons = [(name, reason) for name, reason in self.skipped.items() if name != PLAN_ENGINE or not in_error]
        if engine is None:
            not_allowed = (maker for maker in makers().values() if maker.opt_in and maker.engine not in self.skipped)
            reasons += [(maker.engine, maker.opt_in) for maker in not_allowed]
        others = "".join(f"\n{name}: {reason}" for name, reason in reasons)
        if self._failed is not None:
            return ParityFailed(self._failed, others, self.model.draft.hints)
        refusal = self.model.plan_refusal
        if refusal is None:  # there is a plan, and the reader refuses it
            reason = self.skipped.get(PLAN_ENGINE, "no engine was tried")
            return EngineRefused(f"the {PLAN_ENGINE} engine can't run it: {reason}{others}")
        return ConversionRefused(refusal.path, refusal.cls, refusal.what_helps + others)

    def best(self, proved: list[ProvedCandidate], seconds: dict[str, float]) -> ProvedCandidate:
        """Choose the first candidate, or a later one that is at least `WORTH` times as fast as the choice before it.

        :param seconds: the time for a batch by engine; not read if there is one candidate.
        """
        best = proved[0]
        for candidate in proved[1:]:
            if seconds[candidate.engines[0]] * WORTH < seconds[best.engines[0]]:
                best = candidate
        for candidate in proved:
            if candidate is not best:
                times = seconds[candidate.engines[0]] / seconds[best.engines[0]]
                gain = "" if times >= 1 else ", a gain that is not worth what it needs"
                self.skipped[candidate.engines[0]] = f"{times:.2f} times as long as {best.engines[0]} for a batch{gain}"
        return best

    def document(self, candidate: Candidate, engines: list[str]) -> dict[str, Any]:
        """Build the document of a file with this candidate."""
        requires = versions("numpy") if engines[0] == "numpy" else candidate.requires
        return {**self.head, "engines": engines, **candidate.entries, "requires": requires}

    def _try_engine(self, maker: CandidateMaker, alone: bool) -> ProvedCandidate | None:
        """Prove the candidates of one engine until the parity of one holds; an error of a library is a reason to skip the engine.

        :param alone: whether no other engine is tried.
        """
        self.progress(f"trying {maker.engine}", 0, 0)
        try:
            with guarded(f"the {maker.engine} engine failed", self.model.estimator):
                return self._first_proved(maker, alone)
        except CodeFailed as failed:
            self.skipped[maker.engine] = str(failed)
        return None

    def _first_proved(self, maker: CandidateMaker, alone: bool) -> ProvedCandidate | None:
        try:
            for candidate in maker.candidates(self.model):
                proved = self._prove(candidate, self.model.rows, maker)
                if proved is None and maker.narrows and (alone or self.purpose == "batch"):
                    proved = self._prove_without_missing(candidate, maker)
                if proved is not None:
                    self.skipped.pop(maker.engine, None)
                    return proved
        except EngineSkipped as skipped:
            self.skipped.setdefault(maker.engine, str(skipped))
        return None

    def _prove_without_missing(self, candidate: Candidate, maker: CandidateMaker) -> ProvedCandidate | None:
        """Prove a candidate over the rows without missing values, if the sample has none; its file then refuses them."""
        features = self.head["signature"]["features"]
        rows = self.model.rows.complete()
        if len(rows.sample) < len(self.model.rows.sample) or not any(feature["nullable"] for feature in features):
            return None
        signature = {**self.head["signature"], "features": [_required(feature) for feature in features]}
        entries = {**candidate.entries, "signature": signature, "narrowed": NARROWED}
        return self._prove(replace(candidate, entries=entries), rows, maker)

    def _prove(self, candidate: Candidate, rows: Rows, maker: CandidateMaker) -> ProvedCandidate | None:
        """Prove a candidate on the bytes of its file; a plan is proved row by row, and by its batch forms as well."""
        name = candidate.engine
        total, done = len(rows.sample) + len(rows.edges), [0]

        def advance(count: int) -> None:
            done[0] += count
            self.progress(f"comparing rows, {name}", done[0], total)

        try:
            predictor = _read_back(self.document(candidate, [name]), candidate, maker)
        except ModelRefused as refused:
            cause = f" ({first_line(refused.__cause__)})" if refused.__cause__ else ""
            self.skipped[name] = f"{refused}{cause}"
            return None
        engines: dict[str, Any] = {name: predictor.engine}
        if isinstance(predictor.engine, PlanEngine):
            engines["numpy"] = batch_engine.Engine(predictor.file, predictor.engine.plan)
        try:
            reports = prove(engines, self.model.oracle, predictor.signature, rows, self.tolerance, advance, self.budget)
        except CodeFailed as failed:
            self.skipped[name] = str(failed)
            return None
        parity = reports[name]
        if not parity.holds:
            self.skipped[name] = self._describe_difference(parity)
            self._failed = parity if name == PLAN_ENGINE or self._failed is None else self._failed
            return None
        listed = [key for key, report in reports.items() if report.holds]
        if self.purpose == "batch" and len(listed) > 1:  # the plan's engine for batches goes first
            listed = listed[::-1]
            predictor = _read_back(self.document(candidate, listed), candidate, maker)
        return ProvedCandidate(candidate, predictor, rows, parity, listed)

    def _describe_difference(self, parity: Parity) -> str:
        largest = max(parity.largest.values(), default=0.0)
        close = parity.label_differences == 0 and 0 < largest <= 1e-3
        tolerance = 10.0 ** math.ceil(math.log10(largest)) if close else 0.0
        hint = f"; --tolerance {tolerance:.0e} might take it" if close and self.tolerance is None else ""
        return f"its answers differ: {parity.failures[0][:300]}{hint}"


def _required(feature: dict[str, Any]) -> dict[str, Any]:
    """Change a feature of a document so that it is never missing: then every text of CSV is a string."""
    if feature["kind"] == "unread":
        return feature
    return {**feature, "nullable": False, **({"missing": []} if feature["kind"] == "string" else {})}


def allowed_makers(engine: str | None, allow_code: bool) -> Sequence[CandidateMaker]:
    """List the makers that may be tried, in their order.

    :param engine: the only engine to try, or None for all.
    :param allow_code: whether engines that have to be allowed are tried as well.
    :raises EngineRefused: no engine of that name packs estimators.
    """
    known = makers()
    if engine is None:
        return [maker for maker in known.values() if allow_code or not maker.opt_in]
    if engine not in known:
        raise EngineRefused(f"no engine {engine!r} packs estimators; known are {', '.join(known)}")
    return [known[engine]]


def _read_back(document: dict[str, Any], candidate: Candidate, maker: CandidateMaker) -> Predictor:
    """Load the model from the bytes of its file, so that the file is proved and not what was in memory.

    :raises ModelRefused: the reader or the engine refuses the file, or a usual deployment would, since requests cost too much.
    """
    file = model_file.parse(model_writer.to_bytes(document, candidate.arrays))
    predictor = Predictor(file, engine=None if maker.load is None else maker.load(file))
    if isinstance(predictor.engine, PlanEngine):
        predictor.engine.plan.check_request(Limits())
    return predictor
