"""Snowflake's external functions: numbered rows in the features' order, and an output by a header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.protocols import bigquery
from tests.contract.rephrasing import Words, instance_named

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "native snowflake"}


def document(case: Case) -> Any | None:
    """Say the instances in numbered rows."""
    return {"data": [[place, *row] for place, row in enumerate(bigquery.arguments(case) or [])]}


WORDS = Words({"/predict": "/predict"}, document, lambda answer: ([row[1] for row in answer["data"]], []))


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if a function can't."""
    asked = WORDS.request(case) if bigquery.asks(case) else None
    if asked is None:
        return None
    headers = {"sf-external-function-format": "json", "sf-custom-output": str(bigquery.output(case))}
    return {**asked, "headers": {**asked.get("headers", {}), **headers}}


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name != "too_few_values" and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
