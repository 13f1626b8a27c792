"""SageMaker: it asks with rows, by name or in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.rephrasing import Words, instance_named, labels, with_rows

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "sagemaker"}
PATHS = {"/predict": "/invocations", "/nothing": "/nothing"}
UNPLACED = ("no_instances", "unknown_output")

WORDS = Words(PATHS, with_rows("instances"), lambda answer: labels(answer["predictions"]))


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if this protocol can't."""
    return WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name not in UNPLACED and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
