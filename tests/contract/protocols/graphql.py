"""GraphQL: it asks with a query and instances by name as variables; a fault of a field has the status 200."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract import matching
from tests.contract.cases import Case
from tests.contract.rephrasing import FEATURES, RAW, Words, rows

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "graphql"}
# a feature that may be missing may be left out; a category that was not seen in training is none of its enum
OTHERWISE = {"no_instances", "missing_feature", "too_few_values", "predict_unseen_category", "options", "head", "wrong_method"}
FIELDS = {"predictions": "prediction", "probabilities": "probabilities { label value }", "scores": "scores", "shap": "shap"}


def document(case: Case) -> Any | None:
    """Say the instances by name, and the outputs as fields."""
    plain = (case.request or {}).get("body")
    plain = plain if isinstance(plain, dict) else {}
    if "parse_text" in plain:
        return None
    instances = [row if isinstance(row, dict) else dict(zip(FEATURES, row, strict=False)) for row in rows(case)]
    fields = " ".join(FIELDS[name] for name in plain.get("outputs", ["predictions", "probabilities"]))
    return {"query": f"query ($i: [Instance!]!) {{ predict(instances: $i) {{ {fields} }} }}", "variables": {"i": instances}}


def predictions(answer: Any) -> tuple[list[Any], list[Any]]:
    """Read labels, and the probabilities of the classes."""
    found = answer["data"]["predict"]
    return [row["prediction"] for row in found], [
        [one["value"] for one in row["probabilities"]] for row in found if "probabilities" in row
    ]


WORDS = Words(
    {"/predict": "/graphql", "/nothing": "/nothing", "/model": "/graphql?query=%7B%20model%20%7B%20name+version%20%7D%20%7D"},
    document,
    predictions,
    {"model": {"data": {"model": {"name": "penguins", "version": "1.0.0"}}}},
    {"errors": [{"message": "<string>"}]},
)


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if a query can't."""
    return None if case.name in OTHERWISE else WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    if case.fault != "invalid_input" or case.name in RAW:
        return (yield from WORDS.differences(case, answer))
    found = json.loads(answer.body)
    yield from matching.differences({"errors": [{"message": "<string>"}]}, {"errors": found["errors"][:1]})
    if answer.status != (200 if "data" in found else 400):
        yield f"the status is {answer.status}: {found}"
    for error in case.expected.get("errors", [])[:1]:
        if "instance" in error and f"[{error['instance']}]" not in json.dumps(found):
            yield f"the instance is not named: {found}"
