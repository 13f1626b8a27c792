"""The cases of the contract over gRPC: the same labels, and faults that name the same features."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import Any

import pytest

from tests.contract.cases import HTTP, Case
from tests.contract.protocols import open_inference
from tests.contract.rephrasing import NATIVE, RAW, columns
from tests.server.grpc_definitions import CLASSES
from tests.server.test_grpc import Client, asked, caller, client, packed, typed

__all__ = ["asked", "caller", "client", "packed"]
OF_HTTP = {"wrong_charset", "compressed"}  # faults of headers
KINDS = {"BYTES": (str,), "FP64": (int, float, type(None))}  # what a tensor of protobuf holds, null as NaN


def cases() -> Iterator[Any]:
    """The cases that tensors can ask, with values that protobuf holds."""
    for case in HTTP:
        if case.name in {*RAW, *NATIVE, *OF_HTTP} or (case.request or {})["path"] != "/predict" or not columns(case):
            continue
        document = open_inference.document(case)
        tensors = document["inputs"] if document else [{"data": [None], "datatype": "BYTES"}]
        if all(type(value) in KINDS[tensor["datatype"]] for tensor in tensors for value in tensor["data"]):
            yield pytest.param(case, document, id=case.name)


@pytest.mark.parametrize(("case", "document"), [*cases()])
def test_a_case_is_answered_as_over_http(case: Case, document: dict[str, Any], client: Client) -> None:
    request = CLASSES["Request"](model_name="penguins", outputs=[CLASSES["Output"](**output) for output in document["outputs"]])
    for tensor in document["inputs"]:
        request.inputs.append(typed({**tensor, "data": [nan if value is None else value for value in tensor["data"]]}))
    if document["parameters"]["parse_text"]:
        request.parameters.append(CLASSES["Entry"](key="parse_text", value=CLASSES["Parameter"](bool_param=True)))
    if not case.fault:
        labels = client("ModelInfer", request).outputs[0]
        assert [value.decode() for value in labels.contents.bytes_contents] == case.predictions
        return
    code, text = client.refused("ModelInfer", request)
    assert code == "INVALID_ARGUMENT", text
    for error in case.expected.get("errors", [])[:1]:
        assert error.get("feature", "") in text


def test_cases_of_answers_and_of_faults_are_asked() -> None:
    faults = [bool(parameters.values[0].fault) for parameters in cases()]
    assert faults.count(True) > 3 and faults.count(False) > 3
