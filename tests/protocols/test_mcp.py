"""The Model Context Protocol: both kinds of versions, the tools of a deployment, faults that a caller can correct."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight.protocols import _mcp_messages, mcp
from flyweight.settings import Cors, Limits
from tests.protocols.conftest import ROWS, Caller
from tests.protocols.test_open_inference import NAMES, ROW, json_values, rows_of_birds

FUZZED = int(os.environ.get("PROTOCOL_FUZZ", "300"))  # bodies; 100000 for a long run
Model = Callable[..., Caller]
INSTANCE = dict(zip(NAMES, ROW, strict=True))
VERSION = "2026-07-28"
META = {"_meta": {_mcp_messages.META: VERSION, _mcp_messages.CAPABILITIES: {}}}


def asked(caller: Caller, method: str, parameters: Any = None, **headers: str) -> tuple[int, Any]:
    message = {"jsonrpc": "2.0", "id": 7, "method": method}
    return caller("POST", "/mcp", message if parameters is None else {**message, "params": parameters}, **headers)


def result(answer: tuple[int, Any]) -> Any:
    status, document = answer
    assert (status, document["jsonrpc"], document["id"]) == (200, "2.0", 7), document
    return document["result"]


def failure(answer: tuple[int, Any]) -> tuple[int, int, str]:
    status, document = answer
    return status, document["error"]["code"], document["error"]["message"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_of_birds)
def test_a_call_has_the_answer_of_native(birds: Caller, rows: list[list[Any]]) -> None:
    for row in rows[:2]:
        native = birds("POST", "/predict", {"instances": [row]})[1]
        found = result(asked(birds, "tools/call", {"name": "predict", "arguments": dict(zip(NAMES, row, strict=True))}))
        shares = dict(zip(native["classes"], native["probabilities"][0], strict=True))
        document = {"prediction": native["predictions"][0], "probabilities": shares, "model": native["model"]}
        assert (found["structuredContent"], found["isError"]) == (document, False)
        assert [(part["type"], json.loads(part["text"])) for part in found["content"]] == [("text", document)]


def test_a_connection_begins_with_a_version_that_both_know(birds: Caller) -> None:
    client = {"capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    for version, agreed in (
        ("2025-06-18", "2025-06-18"),
        ("1999-01-01", "2025-11-25"),
        (VERSION, "2025-11-25"),
        (None, "2025-11-25"),
    ):
        found = result(asked(birds, "initialize", {"protocolVersion": version, **client}))
        assert found["protocolVersion"] == agreed and found["capabilities"] == {"tools": {}}
        assert found["serverInfo"]["name"] == "flyweight" and "resultType" not in found
    notified = birds("POST", "/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, mcp_protocol_version="2025-11-25")
    assert notified == (202, None)
    assert result(asked(birds, "ping")) == {}


def test_a_message_may_stand_alone(birds: Caller) -> None:
    found = result(asked(birds, "server/discover", META, mcp_protocol_version=VERSION, mcp_method="server/discover"))
    assert VERSION in found["supportedVersions"] and found["resultType"] == "complete" and found["ttlMs"] == 0
    called = result(asked(birds, "tools/call", {"name": "predict", "arguments": INSTANCE, **META}, mcp_name="predict"))
    assert called["structuredContent"]["prediction"] == "Gentoo" and called["resultType"] == "complete"


@pytest.mark.parametrize(
    ("parameters", "headers", "code"),
    [
        (META, {"mcp_protocol_version": "2025-06-18"}, -32020),
        (META, {"mcp_method": "tools/call"}, -32020),
        ({"_meta": {_mcp_messages.META: "1999-01-01", _mcp_messages.CAPABILITIES: {}}}, {}, -32022),
        ({"_meta": {_mcp_messages.META: [1], _mcp_messages.CAPABILITIES: {}}}, {}, -32022),
        ({}, {"mcp_protocol_version": "1999-01-01"}, -32022),
        ({"_meta": {_mcp_messages.META: VERSION}}, {}, -32602),
    ],
)
def test_a_version_that_is_unknown_or_contradicts_itself_is_refused(
    parameters: Any, headers: dict[str, str], code: int, birds: Caller
) -> None:
    status, document = asked(birds, "tools/list", parameters, **headers)
    assert (status, document["error"]["code"], document["id"]) == (400, code, 7)
    if code == -32022:
        assert VERSION in document["error"]["data"]["supported"]


def test_the_schema_of_a_tool_is_that_of_an_instance(birds: Caller) -> None:
    (tool,) = result(asked(birds, "tools/list"))["tools"]
    assert tool["name"] == "predict" and "Adelie, Chinstrap, Gentoo" in tool["description"]
    jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
    validator = jsonschema.Draft202012Validator(tool["inputSchema"])
    validator.validate(INSTANCE)
    validator.validate({})
    assert not validator.is_valid({**INSTANCE, "year": "x"}) and not validator.is_valid({"years": 1})
    assert tool["inputSchema"]["properties"]["island"]["examples"] == ["Biscoe", "Dream", "Torgersen"]
    answer = result(asked(birds, "tools/call", {"name": "predict", "arguments": INSTANCE}))["structuredContent"]
    jsonschema.Draft202012Validator(tool["outputSchema"]).validate(answer)


def test_each_model_is_a_tool_and_one_that_can_not_be_loaded_is_not_listed(caller: Model, packed: Callable[..., Any]) -> None:
    ask = caller("numbers", models={"line": str(packed("line")), "gone": "/nowhere/gone.safetensors"})
    tools = result(asked(ask, "tools/list"))["tools"]
    assert [tool["name"] for tool in tools] == ["predict", "predict_line"]
    assert tools[1]["inputSchema"]["required"] == ["x0", "x1", "x2"]
    found = result(asked(ask, "tools/call", {"name": "predict_line", "arguments": {"x0": 1, "x1": 2, "x2": "3"}}))
    assert found["structuredContent"]["prediction"] == pytest.approx(6)
    assert result(asked(ask, "tools/call", {"name": "predict_gone", "arguments": {}}))["isError"] is True


def test_what_may_be_missing_may_be_left_out(birds: Caller) -> None:
    native = birds("POST", "/predict", {"instances": [[ROW[0], *[None] * 6]]})[1]["predictions"]
    found = result(asked(birds, "tools/call", {"name": "predict", "arguments": {"island": ROW[0]}}))
    assert [found["structuredContent"]["prediction"]] == native


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x0": 1, "x1": 2}, "feature 'x2'"),
        ({"x0": 1, "x1": 2, "x2": "many"}, "feature 'x2': expected a number, got 'many'"),
        ({"x0": 1, "x1": 2, "x2": 3, "x3": 4}, "x3"),
        ([1, 2, 3], "arguments should be an object by feature name"),
        (None, "feature 'x0'"),
    ],
)
def test_wrong_arguments_are_a_result_that_says_what_is_wrong(arguments: Any, words: str, caller: Model) -> None:
    ask = caller("numbers")
    found = result(asked(ask, "tools/call", {"name": "predict", "arguments": arguments}))
    assert found["isError"] is True and words in found["content"][0]["text"]
    assert words in ask.entries[-1]["message"], "the log has it, too"


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"[]", 400, -32700),
        ({"id": 7, "method": "ping"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": [7], "method": "ping"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 7}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 7, "method": "prompts/list"}, 404, -32601),
        ({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": [1]}, 400, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "absent"}}, 400, -32602),
    ],
)
def test_a_wrong_message_has_an_error_of_json_rpc(message: Any, status: int, code: int, birds: Caller) -> None:
    assert failure(birds("POST", "/mcp", message))[:2] == (status, code)


def test_there_are_no_streams_and_no_sessions(birds: Caller) -> None:
    for method in ("GET", "DELETE"):
        assert birds(method, "/mcp")[0] == 405
        assert birds.last.headers["allow"] == "POST, OPTIONS"


def test_a_body_over_the_limit_and_another_type_are_refused(caller: Model) -> None:
    assert failure(asked(caller("numbers", limits=Limits(max_body_bytes=50)), "tools/list", {"x": "y" * 100}))[0] == 413
    assert caller("numbers")("POST", "/mcp", b"a", content_type="text/csv")[0] == 415


@pytest.mark.parametrize(
    ("origin", "allowed", "status"),
    [
        ("http://localhost:3000", (), 200),
        ("http://127.0.0.1", (), 200),
        ("http://[::1]:80", (), 200),
        ("https://evil.example", (), 403),
        ("https://localhost.evil.example", (), 403),
        ("null", (), 403),
        ("https://app.example", ("https://app.example",), 200),
        ("https://a.app.example", ("https://*.app.example",), 200),
        ("https://evil.example", ("https://*.app.example",), 403),
    ],
)
def test_a_page_of_elsewhere_may_not_call(origin: str, allowed: tuple[str, ...], status: int, caller: Model) -> None:
    ask = caller("numbers", cors=Cors(cors_origins=allowed) if allowed else None)
    assert asked(ask, "ping", origin=origin)[0] == status


def test_an_unexpected_error_reveals_the_request_alone(birds: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("secret")

    monkeypatch.setitem(mcp.METHODS, "ping", broken)
    status, document = asked(birds, "ping")
    assert (status, document["error"]["code"]) == (500, -32603) and "secret" not in json.dumps(document)


messages = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0")},
    optional={
        "id": st.integers() | json_values,
        "method": st.sampled_from([*mcp.METHODS, "notifications/initialized"]) | json_values,
        "params": st.fixed_dictionaries(
            {},
            optional={
                "name": st.just("predict") | json_values,
                "arguments": st.dictionaries(st.sampled_from(["x0", "x1", "x2", "x3"]), json_values) | json_values,
                "protocolVersion": json_values,
                "_meta": st.dictionaries(st.sampled_from([_mcp_messages.META, _mcp_messages.CAPABILITIES]), json_values)
                | json_values,
            },
        )
        | json_values,
    },
)


@settings(max_examples=FUZZED, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(messages.map(lambda d: json.dumps(d).encode()) | st.binary(max_size=60), st.sampled_from(["numbers", "line"]))
def test_any_message_is_answered_or_refused_and_never_an_internal_error(caller: Model, body: bytes, model: str) -> None:
    status, document = caller(model)("POST", "/mcp", body)
    assert status in (200, 202, 400, 404, 413) and (status == 202 or ("result" in document) != ("error" in document))


def test_rows_are_not_read_where_a_tool_takes_one_instance(caller: Model) -> None:
    found = result(asked(caller("numbers"), "tools/call", {"name": "predict", "arguments": {"instances": ROWS[:1].tolist()}}))
    assert found["isError"] is True
