"""TensorFlow Serving: it asks with columns, of one version, and gets outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.rephrasing import Words, columns, instance_named

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "tensorflow_serving"}
MODEL = "/v1/models/penguins"
PATHS = {
    "/predict": f"{MODEL}/versions/1.0.0:predict",
    "/ready": f"{MODEL}/versions/1.0.0",
    "/model": f"{MODEL}/metadata",
    "/nothing": f"{MODEL}/nothing",
}
OF_COLUMNS = (
    "missing_feature",
    "misspelt_feature",
    "unknown_feature",
    "no_instances",
    "unknown_output",
)  # no instance is at fault


def document(case: Case) -> Any | None:
    """Say the instances in columns, and ask for labels with probabilities."""
    plain = (case.request or {}).get("body")
    plain = plain if isinstance(plain, dict) else {}
    if "parse_text" in plain or case.name == "too_few_values":
        return None
    outputs = plain.get("outputs", ["predictions", "probabilities"])
    return {"inputs": columns(case), "parameters": {"outputs": outputs}}


def predictions(answer: Any) -> tuple[list[Any], list[Any]]:
    """Read labels and probabilities."""
    return answer["outputs"]["predictions"], answer["outputs"].get("probabilities", [])


STATE = {"version": "1.0.0", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
WORDS = Words(
    PATHS,
    document,
    predictions,
    {
        "ready": {"model_version_status": [STATE]},
        "model": {"model_spec": {"name": "penguins", "signature_name": "", "version": "1.0.0"}},
    },
)


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if columns can't."""
    return WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name not in OF_COLUMNS and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
