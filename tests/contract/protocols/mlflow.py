"""MLflow: it asks with a data frame, split into columns and data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.rephrasing import Words, columns, instance_named, labels

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "mlflow"}
PATHS = {"/predict": "/invocations", "/nothing": "/nothing"}
# cases whose table as a whole is at fault: its columns, or its number of rows
UNPLACED = ("missing_feature", "misspelt_feature", "unknown_feature", "no_instances", "unknown_output")


def document(case: Case) -> Any | None:
    """Say the instances as a table, and the outputs among the parameters."""
    plain = (case.request or {}).get("body")
    if (isinstance(plain, dict) and "parse_text" in plain) or case.name == "too_few_values":
        return None
    asked = {"params": {"outputs": plain["outputs"]}} if isinstance(plain, dict) and "outputs" in plain else {}
    named = columns(case)
    data = [[*row] for row in zip(*named.values(), strict=True)]
    return {"dataframe_split": {"columns": [*named], "index": [*range(len(data))], "data": data}, **asked}


WORDS = Words(
    PATHS, document, lambda answer: labels(answer["predictions"]), error={"error_code": "<string>", "message": "<string>"}
)


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if this protocol can't."""
    return WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name not in UNPLACED and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
