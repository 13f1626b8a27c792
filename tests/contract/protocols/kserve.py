"""KServe v1: it asks with rows, by name or in order, as native does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.rephrasing import Words, instance_named, rows

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "kserve"}
PATHS = {
    "/predict": "/v1/models/penguins:predict",
    "/": "/",
    "/ready": "/v1/models/penguins",
    "/model": "/v1/models",
    "/nothing": "/v1/models/penguins/nothing",
}


def document(case: Case) -> Any | None:
    """Say the instances in rows."""
    plain = (case.request or {}).get("body")
    if isinstance(plain, dict) and "parse_text" in plain:
        return None
    asked = {"parameters": {"outputs": plain["outputs"]}} if isinstance(plain, dict) and "outputs" in plain else {}
    return {"instances": rows(case), **asked}


def predictions(answer: Any) -> tuple[list[Any], list[Any]]:
    """Read labels, which stand in objects where scores were asked for as well."""
    found = answer["predictions"]
    return [row["predictions"] if isinstance(row, dict) else row for row in found], []


WORDS = Words(
    PATHS,
    document,
    predictions,
    {"root_health": {"status": "alive"}, "ready": {"name": "penguins", "ready": True}, "model": {"models": ["penguins"]}},
)


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if rows can't."""
    return WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
