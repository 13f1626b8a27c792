"""The Open Inference Protocol: it asks with one tensor a column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import Case
from tests.contract.rephrasing import FEATURES, Words, columns, instance_named

SETTINGS = {"FLYWEIGHT_PROTOCOLS": "open_inference"}
PATHS = {
    "/predict": "/v2/models/penguins/infer",
    "/health": "/v2/health/live",
    "/ready": "/v2/health/ready",
    "/model": "/v2/models/penguins",
    "/nothing": "/v2/nothing",
}
TEXTS = ("island", "sex", "species")
OF_COLUMNS = (
    "missing_feature",
    "misspelt_feature",
    "unknown_feature",
    "no_instances",
    "unknown_output",
)  # no instance is at fault


def document(case: Case) -> Any | None:
    """Say the instances in tensors."""
    if case.name == "too_few_values":
        return None  # a column has no width
    tensors = [
        {"name": name, "shape": [len(values), 1], "datatype": "BYTES" if name in TEXTS else "FP64", "data": values}
        for name, values in columns(case).items()
    ]
    plain = (case.request or {}).get("body")
    plain = plain if isinstance(plain, dict) else {}
    if "parse_text" in plain:
        tensors = [{**tensor, "datatype": "BYTES"} for tensor in tensors]
    outputs = [{"name": name} for name in plain.get("outputs", [])]
    return {"id": "7", "inputs": tensors, "outputs": outputs, "parameters": {"parse_text": plain.get("parse_text", False)}}


def predictions(answer: Any) -> tuple[list[Any], list[Any]]:
    """Read labels and probabilities."""
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("penguins", "1.0.0", "7")
    tensors = {tensor["name"]: tensor for tensor in answer["outputs"]}
    labels, shares = tensors["predictions"], tensors.get("probabilities")
    assert (labels["datatype"], labels["shape"]) == ("BYTES", [len(labels["data"])])
    flat = shares["data"] if shares else []
    return labels["data"], [flat[place : place + 3] for place in range(0, len(flat), 3)]


WORDS = Words(
    PATHS,
    document,
    predictions,
    {
        "health": {"live": True},
        "ready": {"ready": True},
        "model": {
            "name": "penguins",
            "versions": ["1.0.0"],
            "platform": "flyweight",
            "inputs": [{"name": name, "datatype": "BYTES" if name in TEXTS else "FP64", "shape": [-1, 1]} for name in FEATURES],
        },
    },
)


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case, None if tensors can't."""
    return WORDS.request(case)


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects."""
    yield from WORDS.differences(case, answer)
    if case.fault == "invalid_input" and case.name not in OF_COLUMNS and not instance_named(case, answer.body.decode()):
        yield f"the instance is not named: {answer.body!r}"
