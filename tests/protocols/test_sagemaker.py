"""SageMaker's bodies, JSON, CSV, JSON lines and NumPy's files, give native's answers, a line for each line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flyweight.values import Request, Response
from tests.protocols.conftest import ROWS, Caller

TABLE = [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007], ["Torgersen", 39.1, 18.7, 181, 3750, "male", 2007]]
LABELS = ["Gentoo", "Adelie"]
CSV = "\n".join(",".join(map(str, row)) for row in TABLE)


@pytest.fixture(scope="module")
def birds(caller: Callable[..., Caller], penguins: Any) -> Caller:
    return caller(penguins, protocols=("sagemaker",))


def posted(ask: Caller, body: bytes, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask.service.answer(Request("POST", "/invocations", named, body))


@pytest.mark.parametrize("accept", ["", "*/*", "text/csv", "text/csv;q=0.5, application/xml"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_csv_has_an_answer_for_each_line_and_no_line_end_after_the_last(birds: Caller, accept: str, end: str) -> None:
    answer = posted(birds, (CSV + end).encode(), content_type="text/csv", accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv")
    assert answer.body == "\n".join(LABELS).encode()


def test_json_lines_have_an_answer_for_each_line(birds: Caller) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in TABLE).encode()
    answer = posted(birds, lines, content_type="application/jsonlines", accept="application/jsonlines")
    assert (answer.headers["content-type"], answer.body) == ("application/jsonlines", b'"Gentoo"\n"Adelie"')


@pytest.mark.parametrize("document", [TABLE, {"instances": TABLE}, {"inputs": TABLE}])
def test_json_is_answered_by_json(birds: Caller, document: Any) -> None:
    answer = posted(birds, json.dumps(document).encode(), content_type="application/json")
    assert json.loads(answer.body) == {"predictions": LABELS}
    assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "model=penguins/1.0.0"


def test_custom_attributes_name_outputs(birds: Caller) -> None:
    attributes = {"x_amzn_sagemaker_custom_attributes": "trace=7; outputs=predictions, probabilities"}
    native = json.loads(birds.service.answer(Request("POST", "/invocations", {}, json.dumps(TABLE).encode())).body)
    answer = json.loads(posted(birds, json.dumps(TABLE).encode(), **attributes).body)["predictions"]
    assert [row["prediction"] for row in answer] == native["predictions"] and len(answer[0]["probabilities"]) == 3
    lines = posted(birds, CSV.encode(), content_type="text/csv", **attributes).body.decode().split("\n")
    assert [line.split(",")[0] for line in lines] == LABELS and all(len(line.split(",")) == 4 for line in lines)


def test_arrays_of_numpy_are_read_and_written(caller: Callable[..., Caller]) -> None:
    ask = caller("line", protocols=("sagemaker",))
    expected = json.loads(posted(ask, json.dumps(ROWS.tolist()).encode()).body)["predictions"]
    npy, npz = io.BytesIO(), io.BytesIO()
    np.save(npy, ROWS)
    np.savez(npz, ROWS)
    for body, kind in ((npy, "application/x-npy"), (npz, "application/x-npz")):
        answer = posted(ask, body.getvalue(), content_type=kind)
        assert answer.headers["content-type"] == "application/x-npy"
        assert np.load(io.BytesIO(answer.body), allow_pickle=False).tolist() == expected
    text = posted(ask, npy.getvalue(), content_type="application/x-npy", accept="application/json")
    assert json.loads(text.body) == {"predictions": expected}


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"1,2", {"content_type": "text/csv"}, 400, "line 1: expected 7 values"),
        (CSV.encode(), {"content_type": "text/xml"}, 415, "'text/xml' is not one of"),
        (CSV.encode(), {"content_type": "text/csv", "accept": "image/png"}, 406, "supported are application/json"),
        (b"", {"content_type": "application/x-npy"}, 400, "no npy file"),
        (b"", {}, 400, "the body is empty"),
        (b"[[1]]", {"x_amzn_sagemaker_target_model": "absent"}, 404, "no model is called 'absent'"),
        (json.dumps(TABLE).encode(), {"accept": "," * 9000}, 406, "9000 characters"),
        (json.dumps(TABLE).encode(), {"x_amzn_sagemaker_custom_attributes": "outputs=nothing"}, 400, "predictions"),
    ],
)
def test_a_fault_is_told_with_its_status(birds: Caller, body: bytes, headers: dict[str, str], status: int, words: str) -> None:
    answer = posted(birds, body, **headers)
    assert answer.status == status and words in json.loads(answer.body)["error"]


def test_an_answer_that_is_no_array_is_not_acceptable_as_one(birds: Caller) -> None:
    asked = {"accept": "application/x-npy", "x_amzn_sagemaker_custom_attributes": "outputs=predictions,probabilities"}
    assert posted(birds, json.dumps(TABLE).encode(), **asked).status == 406
    only = np.load(io.BytesIO(posted(birds, json.dumps(TABLE).encode(), accept="application/x-npy").body), allow_pickle=False)
    assert only.tolist() == LABELS


def test_ping_is_empty_and_execution_parameters_fit_batch_transform(birds: Caller) -> None:
    ping = birds.service.answer(Request("GET", "/ping", {}, b""))
    assert (ping.status, ping.body) == (200, b"")
    parameters = json.loads(birds.service.answer(Request("GET", "/execution-parameters", {}, b"")).body)
    assert {*parameters} == {"MaxConcurrentTransforms", "MaxPayloadInMB"} and parameters["MaxPayloadInMB"] >= 1
