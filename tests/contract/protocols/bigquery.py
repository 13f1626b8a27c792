"""BigQuery's remote functions: arguments in the features' order, at native's own path, which native refuses first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.rephrasing import FEATURES, RAW, Words, instance_named, rows

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "native bigquery"}
# what native refuses before it is asked whose body it is, and what a call without rows is answered
NATIVE = {*RAW, "wrong_charset", "compressed", "no_instances"}


def arguments(case: Case) -> list[list[Any]] | None:
    """The values of each instance in order; None for instances with other names than the features'."""
    named = [dict(zip(FEATURES, row, strict=False)) if isinstance(row, list) else row for row in rows(case)]
    if any({*row} != {*FEATURES} for row in named if case.name != "too_few_values"):
        return None
    return [[row[name] for name in FEATURES if name in row] for row in named]


def output(case: Case) -> str | None:
    """The one output that a case asks for; None if it asks for several."""
    plain = (case.request or {}).get("body")
    names = plain.get("outputs", ["predictions"]) if isinstance(plain, dict) else ["predictions"]
    return names[0] if len(names) == 1 else None


def asks(case: Case) -> bool:
    """Whether a function of SQL can ask a case."""
    asked = case.request is not None and case.request["method"] == "POST" and case.name not in NATIVE
    return asked and output(case) is not None and bool(arguments(case))


def document(case: Case) -> Any | None:
    """Say the instances in calls."""
    context = {} if output(case) == "predictions" else {"output": output(case)}
    return {"requestId": "1", "caller": "//bigquery", "sessionUser": "u", "userDefinedContext": context, "calls": arguments(case)}


WORDS = Words({"/predict": "/predict"}, document, lambda answer: (answer["replies"], []), error={"errorMessage": "<string>"})


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if a function can't."""
    return WORDS.request(case) if asks(case) else None


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name != "too_few_values" and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
