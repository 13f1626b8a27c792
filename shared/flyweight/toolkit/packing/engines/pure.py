"""Candidates for the pure engine: the estimator as a plan, which needs no package in a function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flyweight.toolkit.packing.candidate import Candidate, EngineSkipped

if TYPE_CHECKING:
    from flyweight.toolkit.packing.source_model import SourceModel

ORDER = 10


def refusal(classes: Sequence[str], functions: Sequence[str]) -> str:
    """Say which classes have no conversion to a plan, or which functions have no op and no step of the user's own."""
    from flyweight.toolkit.convert import converters
    from flyweight.toolkit.convert.elementwise import is_known

    # a private class of a library is a part that the converter of the whole estimator knows
    unknown = [name for name in dict.fromkeys(classes) if name not in converters() and "._" not in name]
    unknown += [name for name in dict.fromkeys(functions) if not is_known(name)]
    return f"no conversion to plain data for {', '.join(unknown)}" if unknown else ""


def candidates(model: SourceModel) -> Iterator[Candidate]:
    """Make the candidate that holds the estimator's plan.

    :raises EngineSkipped: the estimator has no plan.
    """
    if model.plan is None:
        raise EngineSkipped(str(model.plan_refusal))
    draft, outputs = model.draft, {output: value.name for output, value in model.plan.items()}
    steps = [{"path": step.path, "class": step.cls, "ops": step.ops} for step in draft.steps if step.ops]
    entries = {"plan": {"nodes": draft.nodes, "outputs": outputs}, "provenance": {**model.provenance(), "steps": steps}}
    yield Candidate("pure", entries, draft.arrays)
