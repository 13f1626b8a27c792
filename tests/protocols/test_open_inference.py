"""The Open Inference Protocol: tensors in and out, in JSON and in bytes, give native's answers; every fault is a 400 in words."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight.errors import InvalidInput, MalformedRequest
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.protocols import _signatures, _tensors
from flyweight.protocols._tensors import Tensor
from flyweight.settings import Limits
from tests.protocols.conftest import ROWS, Caller

INFER = "/v2/models/penguins/infer"
NAMES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
ROW = ["Biscoe", 46.1, 13.2, 211.0, 4500.0, "female", 2007.0]
Model = Callable[..., Caller]


def tensor(name: str, values: list[Any], datatype: str = "", **more: Any) -> dict[str, Any]:
    """One column as a tensor."""
    usual = "BYTES" if isinstance(values[0], str) else "FP64"
    return {"name": name, "shape": [len(values), 1], "datatype": datatype or usual, "data": values, **more}


def columns(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [tensor(name, [*values]) for name, values in zip(NAMES, zip(*rows, strict=True), strict=True)]


def matrix(rows: list[list[float]], datatype: str = "FP64", **more: Any) -> dict[str, Any]:
    return {"name": "x", "shape": [len(rows), len(rows[0])], "datatype": datatype, "data": rows, **more}


def packed_body(document: dict[str, Any], *pieces: bytes) -> tuple[bytes, dict[str, str]]:
    """A body with bytes after its JSON, and its header."""
    text = json.dumps(document).encode()
    return b"".join((text, *pieces)), {"inference_header_content_length": str(len(text))}


def outputs(document: Any) -> dict[str, Any]:
    return {output["name"]: output for output in document["outputs"]}


rows_of_birds = st.lists(
    st.tuples(
        st.sampled_from(["Biscoe", "Dream", "Torgersen", "Atlantis"]),
        *[st.floats(low, high, width=32) for low, high in ((30, 60), (13, 22), (170, 235), (2700, 6300))],
        st.sampled_from(["male", "female"]),
        st.integers(2007, 2009).map(float),
    ).map(list),
    min_size=1,
    max_size=6,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_of_birds)
def test_json_and_bytes_give_the_answers_of_native(birds: Caller, rows: list[list[Any]]) -> None:
    native = birds("POST", "/predict", {"instances": rows})[1]
    in_json = outputs(birds("POST", INFER, {"inputs": columns(rows)})[1])
    assert in_json["predictions"]["data"] == native["predictions"]
    assert in_json["probabilities"]["data"] == [value for row in native["probabilities"] for value in row]
    tensors = [Tensor(one["name"], one["datatype"], one["shape"], one["data"]) for one in columns(rows)]
    pieces = [*map(_tensors.to_bytes, tensors)]
    described = [
        {"name": one.name, "shape": one.shape, "datatype": one.datatype, "parameters": {"binary_data_size": len(piece)}}
        for one, piece in zip(tensors, pieces, strict=True)
    ]
    body, header = packed_body({"inputs": described, "parameters": {"binary_data_output": True}}, *pieces)
    status, document = birds("POST", INFER, body, **header)
    assert status == 200 and birds.last.headers["content-type"] == "application/octet-stream"
    rest = birds.last.body[int(birds.last.headers["inference-header-content-length"]) :]
    for output in document["outputs"]:
        size = output["parameters"]["binary_data_size"]
        read = _tensors.of_bytes(output["name"], output["datatype"], output["shape"], memoryview(rest)[:size])
        assert read.values == in_json[output["name"]]["data"]
        rest = rest[size:]
    assert rest == b""


def test_the_answer_has_the_request_id_the_model_and_its_version(birds: Caller) -> None:
    status, document = birds("POST", INFER, {"id": "7", "inputs": columns([ROW]), "unknown": [1], "model_name": "other"})
    assert (status, document["id"], document["model_name"], document["model_version"]) == (200, "7", "penguins", "1.0.0")
    assert outputs(document)["predictions"] == {"name": "predictions", "shape": [1], "datatype": "BYTES", "data": ["Gentoo"]}
    assert outputs(document)["probabilities"]["shape"] == [1, 3]
    assert "id" not in birds("POST", INFER, {"inputs": columns([ROW])})[1]


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress])
def test_compressed_bodies_are_read_and_the_header_counts_plain_bytes(encode: Callable[[bytes], bytes], birds: Caller) -> None:
    raw = struct.pack("<d", 46.1)
    described = [one if one["name"] != NAMES[1] else {**one, "parameters": {"binary_data_size": 8}} for one in columns([ROW])]
    described[1].pop("data")
    body, header = packed_body({"inputs": described}, raw)
    encoding = "gzip" if encode is gzip.compress else "deflate"
    assert birds("POST", INFER, encode(body), content_encoding=encoding, **header)[0] == 200


def test_outputs_are_chosen_by_name_each_in_its_own_form(birds: Caller) -> None:
    asked = [{"name": "scores"}, {"name": "predictions", "parameters": {"binary_data": True}}]
    status, document = birds("POST", INFER, {"inputs": columns([ROW]), "outputs": asked})
    assert status == 200 and [*outputs(document)] == ["predictions", "scores"]
    assert outputs(document)["predictions"]["parameters"] == {"binary_data_size": 10}
    assert birds.last.body.endswith(b"\x06\0\0\0Gentoo") and len(outputs(document)["scores"]["data"]) == 3
    one = [{"name": "predictions", "parameters": {"binary_data": False}}]
    body = {"inputs": columns([ROW]), "outputs": one, "parameters": {"binary_data_output": True}}
    assert outputs(birds("POST", INFER, body)[1])["predictions"]["data"] == ["Gentoo"]


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
def test_a_model_of_numbers_takes_one_matrix_in_json_or_bytes(datatype: str, caller: Model) -> None:
    ask, rows = caller("numbers"), ROWS[:4].round(1).tolist()
    native = ask("POST", "/predict", {"instances": rows})[1]
    path = "/v2/models/numbers/infer"
    found = outputs(ask("POST", path, {"inputs": [matrix(rows, datatype)]})[1])
    assert found["predictions"] == {"name": "predictions", "shape": [4], "datatype": "INT64", "data": native["predictions"]}
    assert found["probabilities"]["data"] == [value for row in native["probabilities"] for value in row]
    flat = [value for row in rows for value in row]
    piece = _tensors.to_bytes(Tensor("x", datatype, [4, 3], flat))
    described = {"name": "x", "shape": [4, 3], "datatype": datatype, "parameters": {"binary_data_size": len(piece)}}
    body, header = packed_body({"inputs": [described]}, piece)
    assert outputs(ask("POST", path, body, **header)[1])["predictions"]["data"] == native["predictions"]


def test_the_same_model_takes_one_tensor_a_column(caller: Model) -> None:
    ask = caller("numbers")
    names = [feature.name for feature in ask.service.models.get(ask.service.settings.model).model.predictor.signature.features]
    rows = ROWS[:5].tolist()
    by_column = [tensor(name, [row[place] for row in rows]) for place, name in enumerate(names)]
    flat = [{**one, "shape": [5]} for one in by_column]
    wanted = ask("POST", "/v2/models/numbers/infer", {"inputs": [matrix(rows)]})[1]
    for inputs in (by_column, flat, by_column[::-1]):
        assert ask("POST", "/v2/models/numbers/infer", {"inputs": inputs})[1] == wanted


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("numbers", {"predictions": ("INT64", [2]), "probabilities": ("FP64", [2, 2])}),
        ("flags", {"predictions": ("BOOL", [2]), "probabilities": ("FP64", [2, 2])}),
        ("line", {"predictions": ("FP64", [2])}),
        ("plane", {"predictions": ("FP64", [2, 2])}),
        ("scaler", {"predictions": ("FP64", [2, 3])}),
        ("several", {"predictions": ("INT64", [2, 2]), "probabilities_0": ("FP64", [2, 2]), "probabilities_1": ("FP64", [2, 3])}),
    ],
)
def test_outputs_have_the_datatypes_and_shapes_of_the_metadata(model: str, found: dict[str, Any], caller: Model) -> None:
    ask, path = caller(model), f"/v2/models/{model}"
    document = ask("POST", f"{path}/infer", {"inputs": [matrix(ROWS[:2].tolist())]})[1]
    assert {name: (one["datatype"], one["shape"]) for name, one in outputs(document).items()} == found
    described = {one["name"]: (one["datatype"], [2, *one["shape"][1:]]) for one in ask("GET", path)[1]["outputs"]}
    assert {name: described[name] for name in found} == found
    assert ask("GET", path)[1]["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 3]}]
    native = ask("POST", "/predict", {"instances": ROWS[:2].tolist()})[1]
    rows = native["predictions"]
    flat = [value for row in rows for value in row] if isinstance(rows[0], list) else rows
    assert outputs(document)["predictions"]["data"] == flat


def test_one_of_several_outputs_is_chosen_by_its_tensor(caller: Model) -> None:
    body = {"inputs": [matrix(ROWS[:2].tolist())], "outputs": [{"name": "probabilities_1"}]}
    assert [*outputs(caller("several")("POST", "/v2/models/several/infer", body)[1])] == ["probabilities_1"]


def test_a_model_of_one_feature_takes_a_vector_of_any_name(caller: Model) -> None:
    ask = caller("one")
    for shape in ([2], [2, 1]):
        body = {"inputs": [{"name": "any", "shape": shape, "datatype": "FP32", "data": [1, 2]}]}
        (output,) = ask("POST", "/v2/models/one/infer", body)[1]["outputs"]
        assert output["data"] == pytest.approx([2, 4])


def test_missing_values_are_null_or_nan(birds: Caller) -> None:
    missing = columns([ROW])
    missing[1] |= {"data": [None]}
    wanted = outputs(birds("POST", INFER, {"inputs": missing})[1])
    missing[1] |= {"parameters": {"binary_data_size": 8}}
    missing[1].pop("data")
    body, header = packed_body({"inputs": missing}, struct.pack("<d", float("nan")))
    assert outputs(birds("POST", INFER, body, **header)[1]) == wanted
    text = json.dumps({"inputs": columns([[ROW[0], float("nan"), *ROW[2:]]])}).encode()
    assert b"NaN" in text and outputs(birds("POST", INFER, text)[1]) == wanted


def test_datetimes_are_texts_or_whole_microseconds() -> None:
    validator = Validator(Signature("regression", [Feature("at", "datetime", True, zone="UTC")], 1), Limits())
    wanted = validator.rows([["2024-05-31T13:45:00Z"]])
    whole = Tensor("at", "INT64", [1], [1717163100 * 10**6])
    assert validator.rows(_signatures.instances_of([whole], validator)) == wanted
    texts = Tensor("at", "BYTES", [1, 1], ["2024-05-31T13:45:00Z"])
    assert validator.rows(_signatures.instances_of([texts], validator)) == wanted
    with pytest.raises(MalformedRequest, match="beyond the year 9999"):
        _signatures.instances_of([Tensor("at", "INT64", [1], [1 << 62])], validator)


BAD: list[tuple[Any, str]] = [
    (b"", "the body is empty"),
    (b"{", "is not JSON"),
    (b"[]", "should be"),
    (b"\xff", "not UTF-8"),
    ({}, "inputs should be an array"),
    ({"inputs": {}}, "inputs should be an array"),
    ({"inputs": []}, "there is no input tensor"),
    ({"inputs": [1]}, "inputs[0] should be an object"),
    ({"inputs": [{**matrix([[1.0]]), "name": 1}]}, "name of an input"),
    ({"inputs": [{**matrix([[1.0]]), "datatype": "BF16"}]}, "expected a datatype among BOOL, "),
    ({"inputs": [{**matrix([[1.0]]), "datatype": ["FP64"]}]}, "expected a datatype among"),
    ({"inputs": [{**matrix([[1.0]]), "shape": []}]}, "expected a shape such as [2, 4]"),
    ({"inputs": [{**matrix([[1.0]]), "shape": [-1, 3]}]}, "expected a shape such as [2, 4]"),
    ({"inputs": [{**matrix([[1.0]]), "shape": [1.0, 3]}]}, "expected a shape such as [2, 4]"),
    ({"inputs": [{**matrix([[1.0]]), "shape": [1 << 40, 3]}]}, "expected a shape such as [2, 4]"),
    ({"inputs": [{**matrix([[1.0]]), "shape": [1] * 9}]}, "expected a shape such as [2, 4]"),
    ({"inputs": [matrix([[1.0, 2.0]])]}, "has the shape [1, 2]; expected [1, 3]"),
    ({"inputs": [{**matrix([[1.0]]), "shape": [1], "data": [1.0]}]}, "no such"),
    ({"inputs": [{**matrix([[1.0]]), "parameters": 7}]}, "the parameters of 'x' should be an object"),
    ({"inputs": [{**matrix([[1.0]]), "parameters": {"binary_data_size": 8}}]}, "0 bytes are left"),
    ({"inputs": [{**matrix([[1.0]]), "parameters": {"binary_data_size": True}}]}, "binary_data_size true"),
    ({"inputs": [matrix([[1.0] * 3]), matrix([[1.0] * 3] * 2)]}, "'x' has 1 instances, tensor 'x' has 2"),
    ({"inputs": [tensor("x0", [1.0]), tensor("x0", [1.0])]}, "is there twice"),
    ({"inputs": [matrix([[1.0] * 3])], "outputs": [{"name": "shap"}]}, "a list of outputs among predictions"),
    ({"inputs": [matrix([[1.0] * 3])], "outputs": [{"name": 1}]}, "the name of an output"),
    ({"inputs": [matrix([[1.0] * 3])], "outputs": "all"}, "outputs should be an array"),
    ({"inputs": [matrix([[1.0] * 3])], "id": 7}, "id should be a string"),
    ({"inputs": [matrix([[1.0] * 3])], "parameters": []}, "the parameters of the body should be an object"),
]


@pytest.mark.parametrize(("body", "words"), BAD)
def test_a_wrong_body_is_refused_in_words(body: Any, words: str, caller: Model) -> None:
    status, document = caller("numbers")("POST", "/v2/models/numbers/infer", body)
    assert status == 400 and [*document] == ["error"] and words in document["error"], document
    assert len(document["error"]) < 600


@pytest.mark.parametrize(
    ("length", "status"), [("0", 400), ("9" * 30, 400), ("-1", 400), ("1e1", 400), ("²", 400), ("", 400), ("10", 400)]
)
def test_a_wrong_length_of_the_json_is_refused(length: str, status: int, caller: Model) -> None:
    body = json.dumps({"inputs": [matrix([[1.0] * 3])]}).encode()
    answer = caller("numbers")("POST", "/v2/models/numbers/infer", body, inference_header_content_length=length)
    assert answer[0] == status and "error" in answer[1]


def test_bytes_that_belong_to_no_tensor_are_refused(caller: Model) -> None:
    body, header = packed_body({"inputs": [matrix([[1.0] * 3])]}, b"abc")
    status, document = caller("numbers")("POST", "/v2/models/numbers/infer", body, **header)
    assert (status, document) == (400, {"error": "3 bytes of the body belong to no tensor"})


def test_a_wrong_value_is_named_with_its_instance(birds: Caller) -> None:
    rows = [ROW] * 3 + [[*ROW[:5], "f" * 20_000, 2007.0]]
    assert "instance 3, feature 'sex'" in birds("POST", INFER, {"inputs": columns(rows)})[1]["error"]
    wrong = columns([ROW] * 4)
    wrong[6] |= {"datatype": "INT16", "data": [1, 2, 3, 70_000]}
    assert "instance 3 of tensor 'year'" in birds("POST", INFER, {"inputs": wrong})[1]["error"]


def test_too_much_is_refused_before_it_is_read(caller: Model) -> None:
    ask = caller("numbers", limits=Limits(max_instances=5, max_body_bytes=4096))
    path = "/v2/models/numbers/infer"
    assert ask("POST", path, {"inputs": [matrix([[1.0] * 3] * 6)]})[0] == 413
    body, header = packed_body({"inputs": []}, b"x" * 5000)
    assert ask("POST", path, body, **header)[0] == 413
    assert ask("POST", path, {"inputs": [{**matrix([[1.0]]), "shape": [2_000_000_000, 0], "data": []}]})[0] == 413


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/numbers/ready", {"name": "numbers", "ready": True}),
        ("/v2/models/numbers/versions/1/ready", {"name": "numbers", "ready": True}),
        ("/v2/models", {"models": ["numbers"]}),
    ],
)
def test_health_and_readiness_are_the_protocols_own(path: str, document: Any, caller: Model) -> None:
    assert caller("numbers")("GET", path) == (200, document)
    assert caller("numbers")("GET", f"{path}/") == (200, document)


def test_a_process_that_ends_is_live_and_not_ready(caller: Model) -> None:
    ask = caller("numbers", cors=None)
    ask.service.stopping = True
    try:
        assert ask("GET", "/v2/health/live")[0] == 200
        assert ask("GET", "/v2/health/ready")[0] == 503 and ask("GET", "/v2/models/numbers/ready")[0] == 503
    finally:
        ask.service.stopping = False


def test_the_server_tells_its_extensions_and_the_configuration_is_triton_s(caller: Model) -> None:
    ask = caller("numbers")
    status, server = ask("GET", "/v2")
    assert status == 200 and server["name"] == "flyweight" and "binary_tensor_data" in server["extensions"]
    config = ask("GET", "/v2/models/numbers/config")[1]
    assert config["input"] == [{"name": "input", "data_type": "TYPE_FP64", "dims": [3]}]
    assert config["output"][0] == {"name": "predictions", "data_type": "TYPE_INT64", "dims": [1]}
    assert ask("POST", "/v2/repository/index", {})[1] == [{"name": "numbers", "version": "1", "state": "READY", "reason": ""}]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v2/models/numbers/infer", "POST, OPTIONS"),
        ("POST", "/v2/models/numbers/ready", "GET, HEAD, OPTIONS"),
        ("TRACE", "/v2", "GET, HEAD, OPTIONS"),
        ("DELETE", "/v2/models/numbers/versions/1", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_refused_in_the_protocols_form(method: str, path: str, allow: str, caller: Model) -> None:
    status, document = caller("numbers")(method, path)
    assert (status, [*document]) == (405, ["error"])
    assert caller("numbers").last.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/v2/nothing", "/v2/models/numbers/nothing", "/v2/models/numbers/versions", "/v2/repository"])
def test_an_unknown_path_is_refused_in_the_protocols_form(path: str, caller: Model) -> None:
    status, document = caller("numbers")("GET", path)
    assert (status, [*document]) == (404, ["error"])


def test_a_path_that_only_begins_alike_is_of_another_protocol(caller: Model) -> None:
    assert caller("numbers")("GET", "/v2x")[1].get("type") == "urn:flyweight:problem:not_found"


def test_an_internal_error_tells_the_request_id_alone(caller: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise RuntimeError("a secret")

    ask = caller("numbers")
    monkeypatch.setattr(_signatures, "instances_of", broken)
    status, document = ask("POST", "/v2/models/numbers/infer", {"inputs": [matrix([[1.0] * 3])]})
    assert status == 500 and "secret" not in document["error"] and ask.last.headers["x-request-id"] in document["error"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
shapes = st.lists(st.integers(-1, 4) | json_values, max_size=3) | json_values
fuzzed_inputs = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*NAMES, "x", "x0"]) | json_values,
        "shape": st.sampled_from([[1, 3], [2, 1], [2], [1]]) | shapes,
        "datatype": st.sampled_from([*_tensors.DATATYPES, "BF16"]) | json_values,
        "data": st.lists(json_values, max_size=4) | st.just([1.0, 2.0, 3.0]) | json_values,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": st.integers(-1, 40) | json_values}) | json_values,
    },
)
fuzzed_documents = st.fixed_dictionaries(
    {"inputs": st.lists(fuzzed_inputs, max_size=3) | json_values},
    optional={
        "id": st.text(max_size=3) | json_values,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_output": st.booleans() | json_values}) | json_values,
        "outputs": st.lists(
            st.fixed_dictionaries(
                {}, optional={"name": st.sampled_from(["predictions", "scores", "shap"]) | json_values, "parameters": json_values}
            ),
            max_size=2,
        )
        | json_values,
    },
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    fuzzed_documents.map(lambda d: json.dumps(d).encode()) | st.binary(max_size=60),
    st.binary(max_size=48),
    st.sampled_from([0, 0, 0, -3, 5]),
    st.booleans(),
)
def test_any_body_is_answered_or_refused_and_never_an_internal_error(
    caller: Model, text: bytes, rest: bytes, off: int, split: bool
) -> None:
    ask = caller("numbers")
    header = {"inference_header_content_length": str(len(text) + off)} if split else {}
    status, document = ask("POST", "/v2/models/numbers/infer", text + rest if split else text, **header)
    assert status in (200, 400, 413) and ("outputs" in document if status == 200 else isinstance(document["error"], str)), (
        document
    )


@pytest.mark.parametrize("policy", ["error", "ignore"])
def test_a_tensor_that_is_no_feature_is_refused_or_ignored_as_the_settings_say(policy: str, caller: Model) -> None:
    validator = Validator(
        Signature("regression", [Feature("a", "number", False), Feature("b", "number", False)], 1),
        Limits(unknown_features=policy),
    )
    found = [Tensor(name, "FP64", [1], [1.0]) for name in ("a", "b", "c")]
    if policy == "error":
        with pytest.raises(InvalidInput, match="'c'"):
            _signatures.instances_of(found, validator)
    else:
        assert _signatures.instances_of(found, validator) == [[1.0, 1.0]]
