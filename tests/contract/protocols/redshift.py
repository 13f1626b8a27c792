"""Redshift's Lambda UDFs: arguments in the features' order, and an output by the name of the function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.protocols import bigquery
from tests.contract.rephrasing import Words, instance_named

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "native redshift"}


def document(case: Case) -> Any | None:
    """Say the instances in arguments."""
    rows = bigquery.arguments(case) or []
    return {"external_function": "public.predict", "num_records": len(rows), "arguments": rows}


WORDS = Words(
    {"/predict": "/predict"}, document, lambda answer: (answer["results"], []), error={"success": False, "error_msg": "<string>"}
)


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if a function can't; an unknown output has no name."""
    return WORDS.request(case) if bigquery.asks(case) and bigquery.output(case) == "predictions" else None


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name != "too_few_values" and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
