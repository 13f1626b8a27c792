"""Engines of SQL: their published samples, NULL, numbers as texts, outputs, faults in their own form, and parity with native."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight.errors import MalformedRequest
from flyweight.models.signature import Feature
from flyweight.protocols import _sql, athena, bigquery, redshift, snowflake
from flyweight.settings import Limits
from flyweight.values import Request
from tests.protocols.conftest import ROWS, Caller
from tests.protocols.test_open_inference import NAMES, ROW, json_values, rows_of_birds

FUZZED = int(os.environ.get("PROTOCOL_FUZZ", "300"))  # bodies; 100000 for a long run
Model = Callable[..., Caller]
NOTHING = [None] * len(ROW)
ENGINES = ("bigquery", "redshift", "snowflake")


def said(engine: str, rows: list[Any], **more: Any) -> tuple[Any, dict[str, str]]:
    """Say rows in an engine's words, as its documentation shows a call: a body and headers."""
    if engine == "bigquery":
        caller = "//bigquery.googleapis.com/projects/myproject/jobs/myproject:US.bquxjob_5b4c112c_17961fafeaf"
        user = {"sessionUser": "test-user@test-company.com", "userDefinedContext": more}
        return {"requestId": "124ab1c", "caller": caller, **user, "calls": rows}, {}
    if engine == "redshift":
        named = {"cluster": "arn:aws:redshift:xxxx", "user": "adminuser", "database": "db1"}
        called = {"external_function": f"public.foo_{more['output']}" if more else "public.foo", "query_id": 5678234}
        return {"request_id": "23FF1F97-F28A", **named, **called, "num_records": len(rows), "arguments": rows}, {}
    headers = {
        "sf_external_function_format": "json",
        "sf_external_function_format_version": "1.0",
        "sf_external_function_query_batch_id": "1",
        "sf_external_function_name": "EXT_FUNC",
        "sf_external_function_signature": "(N NUMBER)",
    }
    headers |= {f"sf_custom_{name}": value for name, value in more.items()}
    return {"data": [[place, *row] for place, row in enumerate(rows)]}, headers


def heard(engine: str, document: Any) -> list[Any]:
    """Read the values of an answer, whose form is the engine's."""
    if engine == "bigquery":
        assert [*document] == ["replies"]
        return list(document["replies"])
    if engine == "redshift":
        assert (document["success"], document["num_records"]) == (True, len(document["results"]))
        return list(document["results"])
    assert [row[0] for row in document["data"]] == [*range(len(document["data"]))]
    return [row[1] for row in document["data"]]


def asked(caller: Caller, engine: str, rows: list[Any], **more: Any) -> tuple[int, Any]:
    body, headers = said(engine, rows, **more)
    return caller("POST", "/", body, **headers)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of_birds)
def test_rows_have_the_labels_of_native(birds: Caller, engine: str, rows: list[list[Any]]) -> None:
    native = birds("POST", "/predict", {"instances": rows})[1]["predictions"]
    status, document = asked(birds, engine, rows)
    assert status == 200 and heard(engine, document) == native


@pytest.mark.parametrize("engine", ENGINES)
def test_null_is_a_missing_value_and_a_row_is_in_its_place(engine: str, birds: Caller) -> None:
    native = birds("POST", "/predict", {"instances": [ROW, NOTHING]})[1]["predictions"]
    assert heard(engine, asked(birds, engine, [ROW, NOTHING])[1]) == native


@pytest.mark.parametrize("engine", ENGINES)
def test_null_is_refused_with_its_row_where_the_feature_may_not_be_missing(engine: str, caller: Model) -> None:
    status, document = asked(caller("numbers"), engine, [ROWS[0].tolist(), [1.0, None, 2.0]])
    assert status == 400 and "instance 1, feature 'x1': expected a number, got null" in json.dumps(document)


def test_a_row_that_is_null_has_a_null_result_and_faults_count_it(caller: Model, birds: Caller) -> None:
    results = heard("redshift", asked(birds, "redshift", [ROW, None, ROW])[1])
    assert results == ["Gentoo", None, "Gentoo"]
    assert heard("redshift", asked(birds, "redshift", [None, None])[1]) == [None, None]
    document = asked(caller("numbers"), "redshift", [None, [1, 2, 3], None, [1, 2, "x"]])[1]
    assert document == {"success": False, "error_msg": "instance 3, feature 'x2': expected a number, got 'x'"}


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_that_a_double_does_not_hold_come_as_texts(engine: str, caller: Model) -> None:
    """Such are INT64 beyond 2^53, NUMERIC and BIGNUMERIC."""
    numbers = ["9007199254740993", "-123456789.987654321", 1e3]
    native = caller("line")("POST", "/predict", {"instances": [[9007199254740993, -123456789.987654321, 1000]]})
    assert heard(engine, asked(caller("line"), engine, [numbers])[1]) == native[1]["predictions"]
    status, document = asked(caller("line"), engine, [["Infinity", 1, 2]])
    assert status == 400 and "finite" in json.dumps(document)
    status, document = asked(caller("line"), engine, [["NaN", 1, 2]])
    assert status == 400 and "expected a number, got null" in json.dumps(document)


def test_nan_is_a_missing_value_whatever_texts_the_model_file_lists() -> None:
    for kind in ("number", "boolean"):
        assert _sql.argument("NaN", Feature("x", kind, True, missing=frozenset())) is None
    assert _sql.argument("NaN", Feature("x", "string", True, missing=frozenset(["NaN"]))) == "NaN", "SQL has NULL for a text"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_call_without_rows_has_an_answer_without_rows(engine: str, birds: Caller) -> None:
    status, document = asked(birds, engine, [])
    assert status == 200 and heard(engine, document) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_another_output_is_asked_for_and_has_a_name_for_each_class(engine: str, birds: Caller) -> None:
    native = birds("POST", "/predict", {"instances": [ROW]})[1]
    (value,) = heard(engine, asked(birds, engine, [ROW], output="probabilities")[1])
    assert isinstance(value, str) == (engine == "redshift"), "Redshift has scalars only"
    shares = json.loads(value) if isinstance(value, str) else value
    assert shares == dict(zip(native["classes"], native["probabilities"][0], strict=True))


@pytest.mark.parametrize("engine", ["bigquery", "snowflake"])
def test_an_unknown_output_or_model_is_refused_in_words(engine: str, birds: Caller) -> None:
    assert "among predictions, probabilities, scores, got 'shap'" in str(asked(birds, engine, [ROW], output="shap"))
    assert "no model is called 'absent'" in str(asked(birds, engine, [ROW], model="absent"))
    assert asked(birds, engine, [ROW], model="penguins")[0] == 200


def test_an_unknown_key_of_the_users_context_is_refused(birds: Caller) -> None:
    status, document = asked(birds, "bigquery", [ROW], outptu="x")
    assert (status, document) == (400, {"errorMessage": "user_defined_context should name output or model, got outptu"})


def test_a_class_of_any_type_is_a_name(caller: Model) -> None:
    ((name, _), _) = heard("bigquery", asked(caller("flags"), "bigquery", [[1, 2, 3]], output="probabilities")[1])[0].items()
    assert name == "false"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_model_with_several_outputs_gives_a_list(engine: str, caller: Model) -> None:
    (value,) = heard(engine, asked(caller("plane"), engine, [[1, 2, 3]])[1])
    assert (json.loads(value) if isinstance(value, str) else value) == pytest.approx([1, 2])


@pytest.mark.parametrize(
    ("function", "models", "expected"),
    [
        ("public.foo", (), ("predictions", "")),
        ("PUBLIC.FOO_PROBABILITIES", (), ("probabilities", "")),
        ("foo_score_samples", (), ("score_samples", "")),
        ("db.churn_eu_scores", ("eu", "churn-eu"), ("scores", "churn-eu")),
        ('"my.schema"."predict_churn"', ("churn",), ("predictions", "churn")),
        ("probabilities", (), ("predictions", "")),
        ("", ("churn",), ("predictions", "")),
        (None, ("churn",), ("predictions", "")),
        (7, ("churn",), ("predictions", "")),
    ],
)
def test_the_name_of_a_function_ends_in_a_model_and_an_output(function: Any, models: Any, expected: Any) -> None:
    assert _sql.asked_by(function, models) == expected


def test_a_function_asks_one_of_the_models(caller: Model, packed: Callable[..., Any], penguins: Any) -> None:
    ask = caller(penguins, models={"line": str(packed("line"))})
    body, _ = said("redshift", [[1, 2, 3]])
    answer = ask("POST", "/predict", {**body, "external_function": "public.predict_line"})
    assert heard("redshift", answer[1]) == pytest.approx([6])
    assert heard("bigquery", asked(ask, "bigquery", [[1, 2, 3]], model="line")[1]) == pytest.approx([6])


@pytest.mark.parametrize(
    ("engine", "rows", "words"),
    [
        ("bigquery", [ROW[1:]], "row 0 should have 7 arguments (island, bill_length_mm"),
        ("redshift", [ROW, 7], "row 1 should be an array of arguments, got 7"),
        ("snowflake", [[]], "row 0 should have 7 arguments"),
        ("bigquery", [["x"] * 7], "instance 0, feature 'bill_length_mm': expected a number or null, got 'x'"),
    ],
)
def test_a_wrong_row_is_named(engine: str, rows: list[Any], words: str, birds: Caller) -> None:
    status, document = asked(birds, engine, rows)
    assert status == 400 and words in json.dumps(document)


def test_errors_have_the_form_that_each_engine_shows(birds: Caller) -> None:
    assert [*asked(birds, "bigquery", [[1]])[1]] == ["errorMessage"]
    assert asked(birds, "redshift", [[1]])[1]["success"] is False
    assert [*asked(birds, "snowflake", [[1]])[1]] == ["error"]
    wrong, _ = said("redshift", [ROW])
    assert "num_records should be the number of rows, 1, got 2" in str(birds("POST", "/", {**wrong, "num_records": 2}))
    assert "row 0 of data should begin with its number" in str(
        birds("POST", "/", {"data": [["0", *ROW]]}, sf_external_function_format="json")
    )


def test_bigquery_shows_less_than_a_kilobyte_of_an_error() -> None:
    text = json.loads(bigquery.error(MalformedRequest("é" * 2000), "id").body)["errorMessage"]
    assert text == "é" * 500


@pytest.mark.parametrize("engine", ENGINES)
def test_a_body_over_the_limit_is_refused_in_the_engines_form_and_not_tried_again(
    engine: str, penguins: Any, caller: Model
) -> None:
    ask = caller(penguins, limits=Limits(max_body_bytes=1000))
    status, document = asked(ask, engine, [ROW] * 100)
    assert status == 413 and "the limit is 1000" in json.dumps(document) and "type" not in document


@pytest.mark.parametrize("module", [bigquery, redshift, snowflake, athena])
def test_an_error_that_may_pass_has_a_status_that_engines_try_again(module: Any) -> None:
    from flyweight.errors import ModelUnavailable

    assert module.error(ModelUnavailable("later"), "id").status == 503
    unexpected = module.error(KeyError("secret"), "the-id")
    assert unexpected.status == 500 and b"secret" not in unexpected.body and b"the-id" in unexpected.body


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{"calls": 1, "requestId": 2}]},
        {"instances": [[1, 2]], "external_function": 1, "arguments": 2},
        {"rows": 'text with "calls": and "requestId":'},
        {"data": 1},
        {"@type": 3},
        {"calls": []},
    ],
)
def test_a_body_that_is_no_engines_keeps_the_error_of_native(body: Any, birds: Caller) -> None:
    status, document = birds("POST", "/predict", body)
    assert status == 422 and document["type"] == "urn:flyweight:problem:invalid_input"


def test_snowflake_is_known_without_its_headers_and_sends_gzip(birds: Caller) -> None:
    import gzip

    body, headers = said("snowflake", [ROW])
    assert birds("POST", "/", json.dumps(body, indent=1).encode())[0] == 200
    packed_body = gzip.compress(json.dumps(body).encode())
    assert birds("POST", "/", packed_body, content_encoding="gzip", content_type="application/json", **headers)[0] == 200


@pytest.mark.parametrize("engine", ENGINES)
def test_a_protocol_alone_answers_the_paths_that_engines_call(engine: str, penguins: Any, caller: Model) -> None:
    ask = caller(penguins, protocols=(engine,))
    body, headers = said(engine, [ROW])
    assert ask("POST", "/", body, **headers)[0] == ask("POST", "/predict", body, **headers)[0] == 200
    assert ask("GET", "/predict")[0] in (400, 405) and ask("GET", "/")[0] in (400, 404)


# Athena: columns of Arrow


def written(schema: pa.Schema | pa.RecordBatch) -> str:
    return base64.b64encode(schema.serialize()).decode()


def columns(rows: list[Any], types: list[Any], returns: Any = None, method: str = "predict") -> dict[str, Any]:
    """A call of Athena, as the SDK of its connectors writes it."""
    schema = pa.schema([pa.field(name, kind) for name, kind in zip(NAMES, types, strict=False)])
    batch = pa.record_batch(
        [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), types, strict=True)], schema=schema
    )
    return {
        "@type": "UserDefinedFunctionRequest",
        "identity": {"id": "UNKNOWN", "principal": "UNKNOWN", "account": "0", "arn": "UNKNOWN", "tags": {}, "groups": []},
        "inputRecords": {"aId": "7b", "schema": written(schema), "records": written(batch)},
        "outputSchema": {"schema": written(pa.schema([pa.field("predicted", returns or pa.string())]))},
        "methodName": method,
        "functionType": "SCALAR",
    }


def column(answer: tuple[int, Any]) -> list[Any]:
    status, document = answer
    assert status == 200 and document["@type"] == "UserDefinedFunctionResponse", document
    records = document["records"]
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(records["schema"])))
    batch = pa.ipc.read_record_batch(pa.py_buffer(base64.b64decode(records["records"])), schema)
    batch.validate(full=True)
    return list(batch.column(0).to_pylist())


TYPES = [pa.string(), *[pa.float64()] * 4, pa.string(), pa.int32()]


def test_athena_sends_columns_and_gets_a_column(birds: Caller) -> None:
    native = birds("POST", "/predict", {"instances": [ROW, NOTHING]})[1]
    assert column(birds("POST", "/predict", columns([ROW, NOTHING], TYPES))) == native["predictions"]
    shares = column(birds("POST", "/predict", columns([ROW], TYPES, method="predict_probabilities")))
    assert [*json.loads(shares[0])] == native["classes"]


def test_athena_sends_decimals_and_gets_numbers(caller: Model) -> None:
    from decimal import Decimal

    call = columns([[Decimal("1.5"), 2, 3]], [pa.decimal128(20, 3), pa.int64(), pa.float32()], returns=pa.float64())
    assert column(caller("line")("POST", "/predict", call)) == pytest.approx([6.5])


def test_athena_pings(birds: Caller) -> None:
    ping = {"@type": "PingRequest", "identity": {}, "catalogName": "event", "queryId": "q"}
    expected = {"@type": "PingResponse", "catalogName": "event", "queryId": "q", "sourceType": "athena_udf", "capabilities": 23}
    assert birds("POST", "/predict", ping) == (200, expected)


def test_athena_says_what_a_udf_can_not_return(birds: Caller) -> None:
    status, document = birds("POST", "/predict", columns([ROW], TYPES, returns=pa.float64()))
    assert status == 400 and "the UDF returns double, which does not hold the output predictions" in document["error"]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (pa.nulls(900_000), "900000 values of the instances would take"),
        (pa.FixedSizeListArray.from_arrays(pa.nulls(5_000_000), 5_000_000), "should hold numbers, truth values, texts or dates"),
        (pa.RunEndEncodedArray.from_arrays(pa.array([20_000], pa.int32()), pa.array(["a" * 20_000])), "should hold numbers"),
        (pa.array(["a" * 20_000], pa.string_view()), "should hold numbers"),
    ],
    ids=["nulls", "a list of nulls", "one run", "a view"],
)
def test_a_small_call_of_athena_does_not_become_many_values(array: Any, words: str, caller: Model) -> None:
    batch = pa.record_batch([array], names=["x0"])
    call = {**columns([[1.0]], [pa.float64()]), "inputRecords": {"schema": written(batch.schema), "records": written(batch)}}
    status, document = caller("one")("POST", "/predict", call)
    assert status in (400, 413) and words in document["error"]


def test_compressed_columns_are_refused_before_they_are_unpacked(caller: Model) -> None:
    batch, file = pa.record_batch([pa.array([0.0] * 100_000)], names=["x0"]), pa.BufferOutputStream()
    with pa.ipc.new_stream(file, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_batch(batch)
    messages = [*pa.ipc.MessageReader.open_stream(file.getvalue())]
    call = {
        **columns([[1.0]], [pa.float64()]),
        "inputRecords": {"schema": written(batch.schema), "records": written(messages[1])},
    }
    status, document = caller("one")("POST", "/predict", call)
    assert status == 400 and document["error"] == "the columns of the call are compressed; send them as they are"


def test_a_deployment_without_pyarrow_says_what_to_build(birds: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, document = birds("POST", "/predict", columns([ROW], TYPES))
    assert status == 500 and "--protocol athena" in document["error"]


@settings(
    max_examples=FUZZED // 3 + 1, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.data())
def test_damaged_columns_are_answered_or_refused(birds: Caller, data: st.DataObject) -> None:
    call = columns([ROW, NOTHING], TYPES)
    place = data.draw(st.sampled_from([("inputRecords", "schema"), ("inputRecords", "records"), ("outputSchema", "schema")]))
    raw = bytearray(base64.b64decode(call[place[0]][place[1]]))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    call[place[0]][place[1]] = base64.b64encode(bytes(raw[: data.draw(st.integers(0, len(raw)))])).decode()
    assert birds("POST", "/predict", call)[0] in (200, 400)


rows_of_anything = st.lists(st.lists(json_values | st.floats(), max_size=8) | json_values, max_size=3) | json_values
fuzzed = st.one_of(
    st.fixed_dictionaries(
        {"calls": rows_of_anything, "requestId": json_values},
        optional={"userDefinedContext": st.dictionaries(st.sampled_from(["output", "model", "x"]), json_values) | json_values},
    ),
    st.fixed_dictionaries(
        {"external_function": json_values, "arguments": rows_of_anything}, optional={"num_records": json_values}
    ),
    st.fixed_dictionaries({"data": rows_of_anything}),
    st.fixed_dictionaries(
        {"@type": st.sampled_from(["UserDefinedFunctionRequest", "PingRequest"]) | json_values},
        optional={"inputRecords": json_values, "outputSchema": json_values, "methodName": json_values},
    ),
)


@settings(max_examples=FUZZED, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(fuzzed.map(lambda d: json.dumps(d).encode()) | st.binary(max_size=60), st.booleans(), st.sampled_from(["numbers", "line"]))
def test_any_body_is_answered_or_refused_and_never_an_internal_error(
    caller: Model, body: bytes, headers: bool, model: str
) -> None:
    named = {"sf_external_function_format": "json"} if headers else {}
    status, _ = caller(model)("POST", "/", body, **named)
    assert status in (200, 400, 404, 413, 422)


@given(st.binary(max_size=200), st.sampled_from([bigquery, redshift, snowflake, athena]))
def test_a_claim_never_raises(body: bytes, module: Any) -> None:
    module.claim(Request("POST", "/", {}, body))
