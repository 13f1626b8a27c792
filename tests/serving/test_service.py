"""Every request gets a response: paths, headers, problem documents, log lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from flyweight.errors import MalformedRequest
from flyweight.handler import bind
from flyweight.protocols.native import ROUTES
from flyweight.serving.service import Service
from flyweight.settings import Cors, Limits, Settings
from flyweight.values import Request, Response
from tests.ops.hostile import document, raw

GENTOO = {
    "island": "Biscoe",
    "bill_length_mm": 46.1,
    "bill_depth_mm": 13.2,
    "flipper_length_mm": 211,
    "body_mass_g": 4500,
    "sex": "female",
    "year": 2007,
}


class Endpoint:
    """A service over one model file, and its log entries."""

    def __init__(self, model: Path, **limits: int) -> None:
        self.logged: list[dict[str, Any]] = []
        self.service = Service(Settings(str(model), limits=Limits(**limits)), lambda entry: self.logged.append(dict(entry)))

    def ask(self, method: str, path: str, body: Any = b"", **headers: str) -> tuple[Response, Any]:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.service.answer(Request(method, path, named, body, "r-1"))
        content_type = response.headers["content-type"]
        is_json = content_type.endswith("json") and "ndjson" not in content_type
        return response, json.loads(response.body) if is_json else response.body


@pytest.fixture
def endpoint(penguins: Path) -> Endpoint:
    return Endpoint(penguins)


@pytest.mark.parametrize("path", ["/predict", "/predict/", "/"])
def test_post_predicts(endpoint: Endpoint, path: str) -> None:
    response, answer = endpoint.ask("POST", path, {"instances": [GENTOO]})
    assert response.status == 200
    assert answer["predictions"] == ["Gentoo"]
    assert answer["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert sum(answer["probabilities"][0]) == pytest.approx(1.0)
    assert answer["model"] == {"name": "penguins", "version": "1.0.0"}


def test_a_caller_asks_for_outputs_by_name(endpoint: Endpoint) -> None:
    _, answer = endpoint.ask("POST", "/predict", {"instances": [GENTOO], "outputs": ["scores"]})
    assert [*answer] == ["scores", "classes", "model"]
    assert len(answer["scores"][0]) == 3
    _, lines = endpoint.ask(
        "POST", "/predict", json.dumps(GENTOO).encode(), content_type='application/x-ndjson; outputs="scores"'
    )
    assert lines["scores"] == answer["scores"]
    response, problem = endpoint.ask("POST", "/predict", {"instances": [GENTOO], "outputs": []})
    assert response.status == 422
    assert problem["errors"][0]["expected"] == "a list of outputs among predictions, probabilities, scores"
    _, usual = endpoint.ask("POST", "/predict", {"instances": [GENTOO], "outputs": None})
    assert [*usual] == ["predictions", "probabilities", "classes", "model"]


def test_every_response_has_its_timing_its_model_and_its_request_id(endpoint: Endpoint) -> None:
    first, _ = endpoint.ask("POST", "/predict", [GENTOO])
    second, _ = endpoint.ask("POST", "/predict", [GENTOO])
    for response in (first, second):
        assert response.headers["x-request-id"] == "r-1"
        assert response.headers["x-flyweight-model"] == "penguins/1.0.0"
        names = [part.split(";")[0].strip() for part in response.headers["server-timing"].split(",")]
        assert names == ["init", "load", "predict"]
    assert "load;dur=0.000" not in first.headers["server-timing"]
    assert "load;dur=0.000" in second.headers["server-timing"]


def test_loading_is_not_counted_twice(endpoint: Endpoint) -> None:
    """The first request loads the model: that time is under `load` and not under `predict` as well."""
    first, _ = endpoint.ask("POST", "/predict", [GENTOO])
    timing = dict(part.strip().split(";dur=") for part in first.headers["server-timing"].split(","))
    entry = endpoint.logged[0]
    assert float(timing["load"]) == pytest.approx(entry["load_ms"], abs=0.002)
    assert float(timing["predict"]) == pytest.approx(entry["duration_ms"] - entry["load_ms"], abs=0.002)
    endpoint.ask("POST", "/predict", [GENTOO])
    assert "load_ms" not in endpoint.logged[1]


def test_a_failing_log_does_not_fail_the_request(penguins: Path) -> None:
    def full(entry: Any) -> None:
        raise OSError(28, "No space left on device")

    assert Service(Settings(str(penguins)), full).answer(Request("GET", "/health", {}, b"")).status == 200


def test_a_request_without_an_id_gets_one(endpoint: Endpoint) -> None:
    response = endpoint.service.answer(Request("GET", "/health", {}, b""))
    assert len(response.headers["x-request-id"]) == 32


def test_a_request_is_one_log_line(endpoint: Endpoint) -> None:
    endpoint.ask("POST", "/predict", [GENTOO, GENTOO])
    endpoint.ask("POST", "/predict", b"{")
    good, bad = endpoint.logged
    assert {
        key: good[key] for key in ("level", "operation", "status", "instances", "model", "version", "request_id", "cold")
    } == {
        "level": "INFO",
        "operation": "predict",
        "status": 200,
        "instances": 2,
        "model": "penguins",
        "version": "1.0.0",
        "request_id": "r-1",
        "cold": True,
    }
    assert (bad["level"], bad["status"], bad["cold"]) == ("WARNING", 400, False)
    assert "malformed_request" in bad["message"]


def test_get_describes_health_readiness_and_the_model(endpoint: Endpoint) -> None:
    assert endpoint.ask("GET", "/health")[1] == {"status": "ok"}
    assert endpoint.ask("GET", "/ready")[1] == {"status": "ready"}
    _, model = endpoint.ask("GET", "/model")
    assert model["name"] == "penguins" and len(model["sha256"]) == 64 and model["bytes"] > 1000
    assert model["parity"]["label_differences"] == 0 and "plan" not in model


def test_the_openapi_document_is_valid_and_its_example_is_answered(endpoint: Endpoint) -> None:
    _, description = endpoint.ask("GET", "/openapi.json")
    validate(description)
    content = description["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert endpoint.ask("POST", "/predict", content["application/json"]["example"])[0].status == 200
    assert set(description["paths"]) >= set(ROUTES)


def test_the_openapi_schema_and_the_endpoint_take_the_same_instances(endpoint: Endpoint) -> None:
    import jsonschema

    _, description = endpoint.ask("GET", "/openapi.json")
    schema = description["components"]["schemas"]["Instance"]
    cases = [GENTOO, [*GENTOO.values()], {**GENTOO, "sex": None}, {**GENTOO, "sx": 1}, {**GENTOO, "year": "x"}, [1, 2]]
    for instance in cases:
        valid = jsonschema.Draft202012Validator(schema).is_valid(instance)
        assert valid == (endpoint.ask("POST", "/predict", [instance])[0].status == 200), instance


def test_an_answer_has_the_content_type_that_is_accepted(endpoint: Endpoint) -> None:
    response, body = endpoint.ask("POST", "/predict", [GENTOO], accept="text/csv")
    assert response.headers["content-type"] == "text/csv"
    assert body.decode().splitlines()[1].startswith("Gentoo,")


PROBLEMS: dict[str, tuple[int, str, tuple[Any, ...], dict[str, str]]] = {
    "malformed": (400, "malformed_request", ("POST", "/predict", b"{"), {}),
    "not found": (404, "not_found", ("GET", "/nowhere"), {}),
    "wrong method": (405, "method_not_allowed", ("GET", "/predict"), {}),
    "not acceptable": (406, "not_acceptable", ("POST", "/predict", [GENTOO]), {"accept": "text/html"}),
    "too large": (413, "too_large", ("POST", "/predict", b" " * 6_291_457), {}),
    "media type": (415, "unsupported_media_type", ("POST", "/predict", b"<x/>"), {"content_type": "text/xml"}),
    "encoding": (415, "unsupported_media_type", ("POST", "/predict", b"x"), {"content_encoding": "br"}),
    "invalid": (422, "invalid_input", ("POST", "/predict", [{**GENTOO, "year": "x"}]), {}),
}


@pytest.mark.parametrize(("status", "code", "call", "headers"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_problem_document_describes_the_error(
    endpoint: Endpoint, status: int, code: str, call: tuple[Any, ...], headers: dict[str, str]
) -> None:
    response, problem = endpoint.ask(*call, **headers)
    assert response.status == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:flyweight:problem:{code}"
    assert (problem["status"], problem["request_id"]) == (status, "r-1")
    assert problem["detail"]


def test_an_invalid_input_names_instance_feature_expected_and_actual(endpoint: Endpoint) -> None:
    _, problem = endpoint.ask("POST", "/predict", [GENTOO, {**GENTOO, "year": "x"}])
    assert problem["errors"] == [{"instance": 1, "feature": "year", "expected": "a number or null", "actual": "'x'"}]


def test_the_answer_to_a_wrong_method_names_the_right_one(endpoint: Endpoint) -> None:
    assert endpoint.ask("DELETE", "/predict")[0].headers["allow"] == "POST, OPTIONS"


def test_an_unexpected_error_is_answered_with_its_request_id_only_and_logged_whole(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.ask("GET", "/ready")
    predictor = endpoint.service.models.get(endpoint.service.settings.model).model.predictor
    monkeypatch.setattr(predictor, "answer", lambda rows, outputs: 1 / 0)
    response, problem = endpoint.ask("POST", "/predict", [GENTOO])
    assert response.status == 500
    assert problem == {"type": "urn:flyweight:problem:internal", "title": "internal", "status": 500, "request_id": "r-1"}
    assert "ZeroDivisionError" in endpoint.logged[-1]["exception"]


def test_no_model_is_503_and_health_still_answers(tmp_path: Path) -> None:
    endpoint = Endpoint(tmp_path / "absent.safetensors")
    assert endpoint.ask("POST", "/predict", [GENTOO])[0].status == 503
    assert endpoint.ask("GET", "/ready")[0].status == 503
    assert endpoint.ask("GET", "/health")[0].status == 200


def test_a_hostile_model_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(raw(document([{"op": "os.system", "inputs": ["input"], "output": "y"}], "y")))
    response, problem = Endpoint(tmp_path / "m").ask("POST", "/predict", [[1, 2]])
    assert response.status == 503 and "'os.system' is not an op" in problem["detail"]


def test_a_model_that_no_longer_answers_as_recorded_is_not_ready(tmp_path: Path) -> None:
    recorded = {"instances": [[1, 2]], "predictions": [4.0]}
    nodes = [{"op": "columns.take", "inputs": ["input"], "output": "y", "positions": [1]}]
    (tmp_path / "m").write_bytes(raw(document(nodes, "y", sample=recorded)))
    assert Endpoint(tmp_path / "m").ask("GET", "/ready")[0].status == 503


@pytest.mark.parametrize("sample", [3, [], {}, {"instances": 5}, {"instances": [[1, 2]], "predictions": 7}, {"instances": [[1]]}])
def test_a_malformed_sample_is_not_ready_and_no_crash(tmp_path: Path, sample: Any) -> None:
    nodes = [{"op": "columns.take", "inputs": ["input"], "output": "y", "positions": [1]}]
    (tmp_path / "m").write_bytes(raw(document(nodes, "y", sample=sample)))
    endpoint = Endpoint(tmp_path / "m")
    assert endpoint.ask("GET", "/ready")[0].status == 503
    for path in ("/model", "/openapi.json"):
        assert endpoint.ask("GET", path)[0].status == 200


def test_limits_are_settings(penguins: Path) -> None:
    endpoint = Endpoint(penguins, max_instances=1, max_string_length=6)
    assert endpoint.ask("POST", "/predict", [GENTOO])[0].status == 200
    assert endpoint.ask("POST", "/predict", [GENTOO] * 2)[0].status == 413
    assert endpoint.ask("POST", "/predict", [{**GENTOO, "sex": "x" * 7}])[0].status == 422


def bound(penguins: Path, monkeypatch: pytest.MonkeyPatch, decode: Any, **settings: str) -> Any:
    monkeypatch.setenv("FLYWEIGHT_MODEL", str(penguins))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return bind(
        decode, lambda response, *event: (response.status, event), folder="/nowhere", logs={"": lambda: lambda entry: None}
    )


def test_bind_answers_a_platforms_event_in_its_own_form(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = bound(penguins, monkeypatch, lambda event, context: Request("GET", event, {}, b""))
    assert handler("/health", "context") == (200, ("/health", "context"))
    assert handler("/nowhere", "context")[0] == 404


def test_an_event_that_can_not_be_decoded_is_answered(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(event: Any) -> Request:
        raise MalformedRequest("not base64", "r-9")

    def crash(event: Any) -> Request:
        raise KeyError("requestContext")

    assert bound(penguins, monkeypatch, refuse)("x")[0] == 400
    service = Service(Settings(str(penguins)), lambda entry: None)
    assert service.respond(refuse, ("x",)).headers["x-request-id"] == "r-9"
    assert bound(penguins, monkeypatch, crash)("x")[0] == 500


def test_an_invalid_setting_stops_the_start(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="FLYWEIGHT_OBSERVABILITY should be one of ''"):
        bound(penguins, monkeypatch, None, FLYWEIGHT_OBSERVABILITY="splunk")
    monkeypatch.delenv("FLYWEIGHT_OBSERVABILITY")
    with pytest.raises(ValueError, match="FLYWEIGHT_MAX_INSTANCES should be a whole number"):
        bound(penguins, monkeypatch, None, FLYWEIGHT_MAX_INSTANCES="-1")


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/", 200), ("/nowhere", 404), ("/predict", 405)])
def test_head_is_get_without_its_body(endpoint: Endpoint, path: str, status: int) -> None:
    asked = endpoint.service.answer(Request("GET", path, {}, b"", "r-1"))
    response = endpoint.service.answer(Request("HEAD", path, {}, b"", "r-1"))
    assert (response.status, response.body) == (status, b"")
    assert abs(int(response.headers["content-length"]) - len(asked.body)) <= 1, "the message names another method"


def test_options_of_an_unknown_path_are_not_found(endpoint: Endpoint) -> None:
    response = endpoint.service.answer(Request("OPTIONS", "/nowhere", {}, b""))
    assert response.status == 404
    known = endpoint.service.answer(Request("OPTIONS", "/predict", {}, b""))
    assert (known.status, known.body, known.headers["allow"]) == (204, b"", "POST, OPTIONS")
    assert "content-type" not in known.headers


def test_a_compressed_request_is_unpacked_where_its_path_is_known(endpoint: Endpoint) -> None:
    body = gzip.compress(json.dumps([GENTOO]).encode())
    assert endpoint.ask("POST", "/predict", body, content_encoding="gzip")[1]["predictions"] == ["Gentoo"]
    assert endpoint.ask("POST", "/nowhere", body, content_encoding="br")[0].status == 404, "the path is looked at first"
    refused, _ = endpoint.ask("POST", "/predict", body, content_encoding="br")
    assert refused.headers["accept-encoding"].startswith("gzip, deflate")


def test_a_repeated_content_type_counts_once(endpoint: Endpoint) -> None:
    for content_type in ("application/json, text/csv", "application/json; charset=utf-8, application/json; charset=utf-8"):
        assert endpoint.ask("POST", "/predict", [GENTOO], content_type=content_type)[0].status == 200


def test_the_description_names_the_base_path_that_callers_use(endpoint: Endpoint) -> None:
    assert "servers" not in endpoint.ask("GET", "/openapi.json")[1]
    _, document = endpoint.ask("GET", "/ml/openapi.json", x_forwarded_prefix="/ml")
    assert document["servers"] == [{"url": "/ml"}]
    validate(document)
    _, document = endpoint.ask("GET", "/openapi.json", x_forwarded_prefix="https://evil.example")
    assert document["servers"] == [{"url": "/https:/evil.example"}], "a path, and no host"


METHODS = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "post", "PROPFIND", "", "\0"])
PLACES = st.sampled_from(["/predict", "/", "//ml//predict/", "/%2570redict", "*", "/models/m/predict", "/openapi.json"])
NAMES = ("accept", "accept-encoding", "content-type", "content-encoding", "origin", "x-forwarded-prefix")
NAMES += ("access-control-request-method", "access-control-request-headers")
VALUES = st.sampled_from(
    ["gzip", "deflate, zstd", "text/csv", "*/*", "application/x-www-form-urlencoded", "/ml", "https://shop.example", ";q=,"]
)
BODIES = st.sampled_from([b"", b"[]", b"{}", gzip.compress(b"[[1]]"), json.dumps([GENTOO]).encode()]) | st.binary(max_size=60)


@pytest.fixture(scope="module")
def mounted(penguins: Path) -> Service:
    """A service below a base path, with two names for its model, that pages of other origins may call."""
    cors = Cors(("https://shop.example", "https://*.lab.example"), ("*",))
    return Service(Settings(str(penguins), base_path="/ml", cors=cors, models={"m": str(penguins)}), lambda entry: None)


@given(
    METHODS | st.text(max_size=5),
    PLACES | st.text(max_size=30),
    st.dictionaries(st.sampled_from(NAMES), VALUES | st.text()),
    BODIES,
)
def test_no_request_crashes_the_service(mounted: Service, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    response = mounted.answer(Request(method, path, headers, body))
    assert response.status in (200, 204, 400, 404, 405, 406, 413, 415, 422)
    assert all(isinstance(value, str) and "\n" not in value for value in response.headers.values())
