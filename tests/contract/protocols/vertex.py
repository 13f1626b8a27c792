"""Vertex AI: it asks with rows at the path of a deployed model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.rephrasing import Words, instance_named, labels, with_rows

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "vertex"}
HEALTH = "/v1/endpoints/1/deployedModels/2"
PATHS = {"/predict": f"{HEALTH}:predict", "/ready": HEALTH, "/nothing": "/v1/nothing"}
UNPLACED = ("no_instances", "unknown_output")

WORDS = Words(
    PATHS,
    with_rows("instances"),
    lambda answer: labels(answer["predictions"]),
    {"ready": {}},
    {"error": {"code": "<number>", "message": "<string>", "status": "<string>"}},
)


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if this protocol can't; GET at the path of predictions asks for the model's health."""
    return None if case.name == "wrong_method" else WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name not in UNPLACED and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
