"""The toy protocol: it asks for what comes as instances by name or in order, and knows labels and codes of errors only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "toy"}


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case in the toy's words, None if it has none for it."""
    document = (case.request or {}).get("body")
    other = isinstance(document, dict) and {*document} != {"instances"}
    if other or not case.instances or not (case.predictions or case.fault == "invalid_input"):
        return None
    return {"method": "POST", "path": "/toy", "headers": {}, "body": {"rows": case.instances}}


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    document, expected = json.loads(answer.body), {"oops": case.fault} if case.fault else {"labels": case.predictions}
    if (answer.status, document) != (case.status, expected):
        yield f"{answer.status} {document}, not {case.status} {expected}"
