"""GraphQL: the schema of a model, its answers beside native's, the statuses of GraphQL over HTTP, and the limits of queries."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import graphql as g
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

import flyweight
from flyweight.models.signature import Signature
from flyweight.protocols import _graphql_queries, _graphql_schema, graphql
from flyweight.settings import Limits
from flyweight.values import Request
from tests.protocols.conftest import Caller
from tests.protocols.test_open_inference import NAMES, ROW, json_values, rows_of_birds

FUZZED = int(os.environ.get("PROTOCOL_FUZZ", "300"))  # bodies; 100000 for a long run
Model = Callable[..., Caller]
INSTANCE = dict(zip(NAMES, ROW, strict=True))
PREDICT = "query Q($i: [Instance!]!) { predict(instances: $i) { prediction probabilities { label value } } }"
RESPONSE, JSON = "application/graphql-response+json", "application/json"


def asked(caller: Caller, query: Any, variables: Any = None, **headers: str) -> tuple[int, Any]:
    return caller("POST", "/graphql", {"query": query, "variables": variables}, **{"content_type": JSON, **headers})


def got(caller: Caller, query: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    response = caller.service.answer(Request(method, "/graphql", headers, b"", "", query))
    caller.last = response
    return response.status, json.loads(response.body)


def by_three(row: Any) -> dict[str, Any]:
    return dict(zip(("x0", "x1", "x2"), row, strict=True))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_of_birds)
def test_instances_have_the_answers_of_native(birds: Caller, rows: list[list[Any]]) -> None:
    rows = [["Dream" if row[0] == "Atlantis" else row[0], *row[1:]] for row in rows]  # the enum has no other islands
    native = birds("POST", "/predict", {"instances": rows})[1]
    status, document = asked(birds, PREDICT, {"i": [dict(zip(NAMES, row, strict=True)) for row in rows]})
    expected = [
        {
            "prediction": label,
            "probabilities": [{"label": name, "value": share} for name, share in zip(native["classes"], shares, strict=True)],
        }
        for label, shares in zip(native["predictions"], native["probabilities"], strict=True)
    ]
    assert (status, document) == (200, {"data": {"predict": expected}})


def test_the_schema_has_types_enums_and_ranges(birds: Caller) -> None:
    document = asked(birds, g.get_introspection_query())[1]
    text = g.print_schema(g.build_client_schema(document["data"]))
    for part in (
        'predict(\n    """none, one or several instances"""\n    instances: [Instance!]!\n  ): [Prediction!]!',
        "enum Category_island {\n  Biscoe\n  Dream\n  Torgersen\n}",
        '"""seen in training: 32.1 to 59.6"""\n  bill_length_mm: Float',
        "probabilities: [Share!]",
        "model(",
        "models: [Model!]!",
    ):
        assert part in text, text
    assert "mutation" not in text.lower()


def test_what_may_not_be_missing_is_not_null(caller: Model) -> None:
    text = g.print_schema(
        _graphql_schema.made(caller("line").service.models.get(caller("line").service.settings.model).model.predictor)
    )
    assert "x0: Float!" in text and "prediction: Float" in text
    status, document = asked(caller("line"), "{ predict(instances: [{x0: 1, x1: 2}]) { prediction } }")
    assert status == 400 and "x2" in document["errors"][0]["message"]


def test_nullable_features_may_be_left_out(birds: Caller) -> None:
    native = birds("POST", "/predict", {"instances": [[ROW[0], *[None] * 6]]})[1]["predictions"]
    document = asked(birds, "{ predict(instances: [{island: Biscoe, sex: null}]) { prediction } }")[1]
    assert [row["prediction"] for row in document["data"]["predict"]] == native


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        ("line", "prediction", [{"prediction": pytest.approx(6)}]),
        ("plane", "prediction", [{"prediction": pytest.approx([1, 2])}]),
        (
            "flags",
            "prediction probabilities { label }",
            [{"prediction": True, "probabilities": [{"label": "false"}, {"label": "true"}]}],
        ),
        ("numbers", "prediction scores", [{"prediction": 1, "scores": [pytest.approx(1, abs=99)]}]),
        ("several", "prediction", [{"prediction": [1, 2]}]),
    ],
)
def test_each_kind_of_model_has_its_outputs(model: str, fields: str, expected: Any, caller: Model) -> None:
    status, document = asked(caller(model), f"{{ predict(instances: [{{x0: 1, x1: 2, x2: 3}}]) {{ {fields} }} }}")
    assert status == 200 and document.get("data") == {"predict": expected}, document


def test_a_transformation_and_scores_of_several_outputs_are_written(caller: Model) -> None:
    query = "{ predict(instances: [{x0: 1, x1: 2, x2: 3}]) { %s } }"
    assert len(asked(caller("scaler"), query % "prediction")[1]["data"]["predict"][0]["prediction"]) == 3
    shares = asked(caller("several"), query % "probabilities")[1]["data"]["predict"][0]["probabilities"]
    assert [sum(row) for row in shares] == pytest.approx([1, 1])


def test_models_are_described(caller: Model, packed: Callable[..., Any], penguins: Any) -> None:
    ask = caller(penguins, models={"line": str(packed("line"))})
    fields = "{ name version task outputs classes features { name kind nullable categories range } }"
    document = asked(ask, f'{{ model {fields} other: model(name: "line") {{ name task classes }} models {{ name }} }}')[1]["data"]
    assert document["model"]["classes"] == ["Adelie", "Chinstrap", "Gentoo"] and document["model"]["outputs"][0] == "predictions"
    assert document["model"]["features"][0]["categories"] == ["Biscoe", "Dream", "Torgersen"]
    assert document["other"] == {"name": "line", "task": "regression", "classes": None}
    assert [model["name"] for model in document["models"]] == ["penguins", "line"]
    assert asked(ask, '{ model(name: "x") { name } }') == (200, {"data": {"model": None}})
    assert asked(ask, "{ predict(instances: []) { prediction } }") == (200, {"data": {"predict": []}})


def test_each_model_has_a_schema_of_its_own(caller: Model, packed: Callable[..., Any], penguins: Any) -> None:
    ask = caller(penguins, models={"line": str(packed("line"))})
    body = {"query": "{ predict(instances: [{x0: 1, x1: 2, x2: 3}]) { prediction } }"}
    assert ask("POST", "/models/line/graphql", body)[1] == {"data": {"predict": [{"prediction": pytest.approx(6)}]}}
    assert ask("POST", "/models/absent/graphql", body)[0] == 404
    assert ask("POST", "/graphql", body)[0] == 400


def test_a_fault_names_its_instance_and_its_field(caller: Model) -> None:
    rows = [by_three([1, 2, 3]), {**by_three([1, 2, 3]), "x1": 1e308}]
    twice = "query ($i: [Instance!]!) { a: predict(instances: $i) { prediction } b: predict(instances: $i) { prediction } }"
    document = asked(caller("line", limits=Limits(max_instances=2)), twice, {"i": rows})[1]
    assert document["data"] is None and document["errors"][0]["path"] == ["b"]
    assert document["errors"][0]["extensions"] == {"code": "too_large"}
    status, document = asked(
        caller("line"), PREDICT.replace("probabilities { label value }", ""), {"i": [rows[0], {**rows[0], "x1": "a"}]}
    )
    assert status == 400 and "at [1].x1: Float cannot represent non numeric value: 'a'" in document["errors"][0]["message"]


def test_all_predictions_of_a_query_count_as_one_request(caller: Model) -> None:
    ask = caller("line", limits=Limits(max_instances=3))
    one = "predict(instances: [{x0: 1, x1: 2, x2: 3}, {x0: 1, x1: 2, x2: 3}]) { prediction }"
    document = asked(ask, f"{{ a: {one} b: {one} }}")[1]
    assert "4 instances, the limit is 3 a request" in document["errors"][0]["message"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", RESPONSE),
        ("*/*", RESPONSE),
        (RESPONSE, RESPONSE),
        (JSON, JSON),
        (f"{JSON};q=0.5, {RESPONSE}", RESPONSE),
        (f"text/html, {JSON}", JSON),
    ],
)
def test_the_answer_is_of_the_accepted_type_which_decides_the_status_of_a_refused_query(
    accept: str, content_type: str, birds: Caller
) -> None:
    for query, refused in (("{ models { name } }", False), ("{ models { nam } }", True), ("{ models {", True)):
        status, document = asked(birds, query, accept=accept)
        assert birds.last.headers["content-type"] == content_type
        assert status == (400 if refused and content_type == RESPONSE else 200) and ("data" in document) != refused
        if refused:
            assert document["errors"][0]["locations"], "the place of an error is shown"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        ({"query": 7}, {}, 400),
        ({"query": ""}, {}, 400),
        ({"query": "{ models { name } }", "variables": [1]}, {}, 400),
        ({"query": "{ models { name } }", "operationName": 1}, {}, 400),
        (b"query", {"content_type": "text/plain"}, 415),
        ({"query": "{ models { name } }"}, {"accept": "text/html"}, 406),
    ],
)
def test_a_wrong_request_has_an_error_of_graphql(body: Any, headers: dict[str, str], status: int, birds: Caller) -> None:
    answered, document = birds("POST", "/graphql", body, **headers)
    assert answered == status and document["errors"][0]["message"] and "data" not in document


def test_a_query_may_stand_in_the_address(birds: Caller) -> None:
    variables = json.dumps({"i": [INSTANCE]})
    status, document = got(birds, urlencode({"query": PREDICT, "variables": variables, "operationName": "Q"}))
    assert status == 200 and document["data"]["predict"][0]["prediction"] == "Gentoo"
    assert got(birds, "query=" + quote("{models{name}}"))[1] == {"data": {"models": [{"name": "penguins"}]}}
    for query in ("", "query=", "variables=1", "query=%7Bmodels&variables=%7B", "query=" + "&a=1" * 50, "query=%ff%fe"):
        assert got(birds, query)[0] == 400
    assert birds("PUT", "/graphql")[0] == 405 and birds.last.headers["allow"] == "GET, POST, HEAD, OPTIONS"


def test_one_of_several_operations_is_chosen(birds: Caller) -> None:
    both = "query A { models { name } } query B { model { version } }"
    assert birds("POST", "/graphql", {"query": both, "operationName": "B"})[1] == {"data": {"model": {"version": "1.0.0"}}}
    assert birds("POST", "/graphql", {"query": both})[0] == 400
    assert birds("POST", "/graphql", {"query": "mutation { x }"})[0] == 400


def nested(depth: int) -> str:
    return '{ __type(name: "Query") { ' + "ofType { " * depth + "name" + " }" * depth + " } }"


def test_depth_is_limited_also_through_fragments(birds: Caller) -> None:
    assert "the limit is 16" in asked(birds, nested(20))[1]["errors"][0]["message"]
    spread = "query { ...A } " + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(3))
    assert asked(birds, spread)[0] == 400
    chain = "{ __schema { types { ...A } } }"
    for name, end in (("A", "...B"), ("B", "name")):
        chain += f" fragment {name} on __Type {{ {'ofType { ' * 8}{end}{' }' * 8} }}"
    assert "nested 19 deep" in asked(birds, chain)[1]["errors"][0]["message"]
    circle = "{ __schema { types { ...A } } } fragment A on __Type { ofType { ...A } }"
    assert asked(birds, circle)[0] == 400


@pytest.mark.parametrize("opening", ["{ models ", "{ predict(instances: [", "query ($i: [", '{ model(name: """'])
def test_a_query_that_does_not_end_is_refused(opening: str, birds: Caller) -> None:
    assert asked(birds, opening * 5000)[0] == 400


def test_aliases_and_tokens_are_limited(birds: Caller) -> None:
    aliases = " ".join(f"a{n}: model {{ name }}" for n in range(_graphql_queries.MOST_ALIASES + 1))
    assert "the limit is 30" in asked(birds, f"{{ {aliases} }}")[1]["errors"][0]["message"]
    one = "{island: Biscoe, year: 2007},"
    status, document = asked(birds, f"{{ predict(instances: [{one * 4000}]) {{ prediction }} }}")
    assert status == 400 and "send instances as variables" in document["errors"][0]["message"]
    lists = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    assert "introspection depth" in asked(birds, lists)[1]["errors"][0]["message"].lower()


def test_the_work_of_a_query_does_not_grow_with_the_square_of_its_fields(birds: Caller) -> None:
    """The library compares each two fields of one name; a query of many is refused before that, wherever they stand."""
    most = _graphql_queries.MOST_PARTS
    spreads = " ".join(f"...F{n}" for n in range(most))
    fragments = " ".join(f"fragment F{n} on Query {{ __typename }}" for n in range(most))
    for query in (
        f"{{ {'models { name } ' * most} }}",
        f"{{ {'... on Query { __typename } ' * most} }}",
        f"{{ {spreads} }} {fragments}",
        " ".join(f"query Q{n} {{ __typename }}" for n in range(most)),
    ):
        status, document = asked(birds, query)
        assert status == 400 and f"the limit is {most}" in document["errors"][0]["message"]


def test_an_answer_does_not_repeat_a_long_query(birds: Caller) -> None:
    status, document = asked(birds, f"{{ {'m' * 5_000_000} }}")
    assert status == 400 and len(json.dumps(document)) < 500
    assert "the limit is 100000; send instances as variables" in document["errors"][0]["message"]


def test_variables_with_too_many_instances_are_refused_before_they_are_converted(caller: Model) -> None:
    ask = caller("line", limits=Limits(max_instances=3))
    for variables in ({"i": [None] * 4}, {"i": [None] * 2, "other": [None] * 2}):
        status, document = asked(ask, PREDICT.replace("probabilities { label value }", ""), variables)
        assert status == 413 and document["errors"][0]["message"] == "4 instances, the limit is 3 a request"


def test_values_that_are_left_out_do_not_make_much_of_a_small_body(tmp_path: Path, caller: Model) -> None:
    wide = np.random.default_rng(0).random((60, 600))
    wide[::7] = np.nan
    model = HistGradientBoostingClassifier(max_iter=2).fit(wide, np.arange(60) % 2)
    flyweight.pack(model, tmp_path / "wide.safetensors", sample=wide, name="wide")
    query = "query ($i: [Instance!]!) { predict(instances: $i) { prediction } }"
    ask = caller(tmp_path / "wide.safetensors")
    assert asked(ask, query, {"i": [{}] * 3})[0] == 200
    document = asked(ask, query, {"i": [{}] * 10_000})[1]
    assert "6000000 values of the instances would take" in document["errors"][0]["message"]


def test_errors_of_validation_are_limited_in_number(birds: Caller) -> None:
    fields = " ".join(f"f{n}" for n in range(400))
    assert len(asked(birds, f"{{ {fields} }}")[1]["errors"]) <= 21


def test_an_unexpected_error_reveals_the_request_alone(birds: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("secret")

    monkeypatch.setattr("flyweight.models.validation.Validator.rows", broken)
    document = asked(birds, PREDICT, {"i": [INSTANCE]})[1]
    assert document["data"] is None and "secret" not in json.dumps(document)
    assert "the log has it under the request id" in document["errors"][0]["message"]
    assert "secret" in json.dumps(birds.entries[-1])


def test_a_deployment_without_the_package_says_what_to_build(birds: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "graphql", None)
    status, document = asked(birds, "{ models { name } }")
    assert status == 503 and "--protocol graphql" in document["errors"][0]["message"]


def test_names_that_graphql_can_not_have_are_rewritten_and_keep_their_features() -> None:
    words = ["a b", "a-b", "a_b", "1st", "__x", "é", "", "true", "true_", "größe"]
    names = _graphql_schema.names(words)
    assert len({*names}) == len(words) and all(g.assert_name(name) and not name.startswith("__") for name in names)


@given(st.lists(st.text(max_size=4), max_size=6, unique=True))
def test_any_words_become_names_and_no_two_the_same(words: list[str]) -> None:
    names = _graphql_schema.names(words)
    assert len({*names}) == len(words) and all(g.assert_name(name) and not name.startswith("__") for name in names)
    assert not {"true", "false", "null"} & {*names}


def test_a_feature_with_odd_names_and_categories_is_answered(caller: Model, tmp_path: Any) -> None:
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    import flyweight

    table = pd.DataFrame(
        {"the city": ["New York", "São Paulo", "3rd", "true"] * 5, "petal length (cm)": [1.0, 2.0, 3.0, 4.0] * 5}
    )
    steps = make_column_transformer((OneHotEncoder(), ["the city"]), remainder="passthrough")
    path = tmp_path / "odd.safetensors"
    flyweight.pack(
        make_pipeline(steps, LogisticRegression()).fit(table, [0, 1, 0, 1] * 5), path, sample=table, name="odd", version="1"
    )
    ask = caller(path)
    native = ask("POST", "/predict", {"instances": [["New York", 1.0], ["true", 4.0]]})[1]["predictions"]
    rows = [{"the_city": "New_York", "petal_length__cm_": 1.0}, {"the_city": "true_", "petal_length__cm_": 4.0}]
    document = asked(ask, "query ($i: [Instance!]!) { predict(instances: $i) { prediction } }", {"i": rows})[1]
    assert [row["prediction"] for row in document["data"]["predict"]] == native


def test_a_signature_with_every_kind_makes_a_schema(birds: Caller) -> None:
    features = [
        {"name": "when", "kind": "datetime", "nullable": False, "zone": "UTC", "range": [0, 1e15]},
        {"name": "flag", "kind": "boolean", "nullable": True},
        {"name": "text", "kind": "string", "nullable": True, "categories": [f"c{n}" for n in range(300)]},
        {"name": "nothing", "kind": "unread", "nullable": True},
    ]
    signature = Signature.of({"signature": {"task": "regression", "features": features, "outputs": 1}})
    predictor = birds.service.models.get(birds.service.settings.model).model.predictor

    class Other:
        name, version, labels, output_names = "other", "1", None, ["predictions"]
        validator = type("Validator", (), {"features": signature.features})

    Other.signature = signature  # type: ignore[attr-defined]
    made: Any = Other
    text = g.print_schema(_graphql_schema.made(made))
    assert "when: String!" in text and "flag: Boolean" in text and "text: String" in text and "nothing" not in text
    assert predictor.name == "penguins"


documents = st.fixed_dictionaries(
    {
        "query": st.sampled_from([PREDICT, PREDICT.replace("probabilities { label value }", ""), "{ models { name } }"])
        | st.text(max_size=30)
    },
    optional={
        "variables": st.fixed_dictionaries(
            {},
            optional={
                "i": st.lists(st.dictionaries(st.sampled_from(["x0", "x1", "x2", "x3"]), json_values) | json_values, max_size=3)
                | json_values
            },
        )
        | json_values,
        "operationName": st.just("Q") | json_values,
        "extensions": json_values,
    },
)


@settings(max_examples=FUZZED, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(documents.map(lambda d: json.dumps(d).encode()) | st.binary(max_size=60), st.sampled_from(["numbers", "line"]))
def test_any_body_is_answered_or_refused_and_never_an_internal_error(caller: Model, body: bytes, model: str) -> None:
    status, document = caller(model)("POST", "/graphql", body)
    assert status in (200, 400, 413) and ("data" in document or "errors" in document)
    assert all(error.get("extensions", {}).get("code") != "internal" for error in document.get("errors", [])), document


@settings(max_examples=FUZZED, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet='{}()[]:!$@#"\\. ,amodelsprict...fragon01_\n', max_size=60) | st.text(max_size=30))
def test_any_text_is_a_query_or_refused(caller: Model, query: str) -> None:
    assert asked(caller("line"), query)[0] in (200, 400)


def test_route_leaves_other_paths_alone() -> None:
    assert graphql.route("GET", "/models/graphql") is None and graphql.route("GET", "/models/a/b/graphql") is None
    assert graphql.route("GET", "/graphql") == (graphql.infer, "") and graphql.route("POST", "/models/m/graphql") == (
        graphql.infer,
        "m",
    )
