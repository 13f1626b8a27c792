"""The Model Context Protocol: it calls the tool `predict` with one instance, and gets a result, also for wrong arguments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract import matching
from tests.contract.cases import Case
from tests.contract.rephrasing import FEATURES, RAW, Words, instance_named, rows

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "mcp"}
# a feature that may be missing may be left out, and the answer has all outputs of the model
OTHERWISE = {"missing_feature", "too_few_values", "predict_outputs", "unknown_output", "not_instances", "unwrapped_instance"}


def document(case: Case) -> Any | None:
    """Say one instance in the arguments of a tool."""
    if len(rows(case)) != 1:
        return None
    (row,) = rows(case)
    arguments = row if isinstance(row, dict) else dict(zip(FEATURES, row, strict=False))
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "predict", "arguments": arguments}}


def predictions(answer: Any) -> tuple[list[Any], list[Any]]:
    """Read a label and the probabilities of the classes."""
    assert (answer["jsonrpc"], answer["id"], answer["result"]["isError"]) == ("2.0", 7, False)
    found = answer["result"]["structuredContent"]
    return [found["prediction"]], [[*found["probabilities"].values()]]


WORDS = Words({"/predict": "/mcp", "/nothing": "/nothing"}, document, predictions, error={"error": {"code": "<number>"}})


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if one call can't."""
    return None if case.name in OTHERWISE else WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    if case.fault != "invalid_input" or case.name in RAW:
        return (yield from WORDS.differences(case, answer))
    found = json.loads(answer.body)
    result = {"isError": True, "content": [{"type": "text", "text": "<string>"}]}
    yield from matching.differences({"id": 7, "result": result}, found)
    if answer.status != 200 or not instance_named(case, answer.body.decode()):
        yield f"the status is {answer.status}, and the result {answer.body!r}"
