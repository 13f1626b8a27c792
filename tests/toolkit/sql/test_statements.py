"""`flyweight sql`: statements that sqlglot reads in the engine's dialect, with odd names of features and functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from flyweight.predictor import load
from flyweight.protocols import _sql
from flyweight.toolkit import sql
from flyweight.toolkit.sql import Argument, Call, NotWritten, Part
from tests.toolkit.cli.conftest import run

__all__ = ["run"]
DIALECTS = {"aurora": "postgres", "sqlserver": "tsql", "athena": "athena"}
# statements of which sqlglot has no grammar; the words of the statements are checked instead
NOT_READ = re.compile(
    r"CREATE (OR REPLACE )?(EXTERNAL FUNCTION|API INTEGRATION)|USING EXTERNAL|DECLARE|DESCRIBE|CREATE (DATABASE|CONN)"
)
ODD = [
    "a b",
    'quo"te',
    "back`tick",
    "apo'strophe",
    "brack]et",
    "dot.ted",
    "back\\slash",
    "semi;colon",
    "größe",
    "select",
    "-- x",
    "$$",
]
NAMED = {"url": "https://a.example/predict", "function": "penguins"}


def test_the_help_names_the_engines_in_a_sentence_and_not_in_the_usage(run: Callable[..., Result]) -> None:
    shown = run("sql", "--help").output
    assert shown.splitlines()[0].endswith(" sql [OPTIONS] ENGINE")
    assert f"ENGINE is one of: {', '.join(sql.engines())}." in " ".join(shown.split())


def call(columns: list[str], **changes: Any) -> Call:
    names = sql.plain_names(columns)
    kinds = ["number", "string", "boolean", "datetime"]
    arguments = [Argument(name, column, kinds[n % 4], "UTC") for n, (name, column) in enumerate(zip(names, columns, strict=True))]
    return Call(
        **{
            "name": "f",
            "arguments": tuple(arguments),
            "returns": "string",
            "output": "predictions",
            "title": "m 1",
            **NAMED,
            **changes,
        }
    )


def read(engine: str, part: Part) -> list[Any]:
    return sqlglot.parse(part.text, dialect=DIALECTS.get(engine, engine), error_level=sqlglot.ErrorLevel.RAISE)


def statements(engine: str, made: Call) -> list[Part]:
    return [part for part in sql.written(engine, made) if part.language == "sql"]


@pytest.mark.parametrize("engine", sql.engines())
def test_a_query_reads_each_column_by_its_own_name(engine: str) -> None:
    if engine == "sqlserver":
        pytest.skip("its query is in a variable: see the next test")
    odd = [name for name in ODD if engine != "bigquery" or "." not in name]  # no column of BigQuery has a point in its name
    query = statements(engine, call(odd))[-1]
    text = query.text[query.text.index("SELECT") :]
    (tree,) = sqlglot.parse(text, dialect=DIALECTS.get(engine, engine), error_level=sqlglot.ErrorLevel.RAISE)
    assert tree is not None
    found = [column.name for column in tree.find_all(exp.Column) if not isinstance(column.this, exp.Star)]
    plain = [name.upper() if engine == "snowflake" and name.isascii() and name.isidentifier() else name for name in odd]
    assert sorted(found) == sorted(plain)


def test_the_query_of_sql_server_reads_each_column_by_its_own_name() -> None:
    text = statements("sqlserver", call(ODD))[-1].text
    (tree,) = sqlglot.parse(
        text[text.index("SELECT") : text.index("  FOR JSON")], dialect="tsql", error_level=sqlglot.ErrorLevel.RAISE
    )
    assert tree is not None and [column.name for column in tree.find_all(exp.Column)] == ODD


@pytest.mark.parametrize("engine", sql.engines())
@pytest.mark.parametrize("odd", ODD)
def test_every_statement_that_sqlglot_knows_is_read_with_odd_names(engine: str, odd: str) -> None:
    made = call(["x"], name=odd, table=odd, function=odd, connection=odd, role=odd, url=f"https://a.example/{odd}")
    for part in statements(engine, made):
        if not NOT_READ.match(part.text):
            trees = read(engine, part)
            assert trees and not any(isinstance(tree, exp.Command) and "--" in odd for tree in trees[1:]), part


@pytest.mark.parametrize("engine", sql.engines())
@settings(max_examples=40, deadline=None)
@given(
    columns=st.lists(
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6), min_size=1, max_size=4, unique=True
    )
)
def test_any_names_of_columns_keep_the_number_of_statements(engine: str, columns: list[str]) -> None:
    """A name that broke out of its quotes would make more statements, or none that can be read."""
    query = statements(engine, call(columns))[-1].text
    end = "  FOR JSON" if engine == "sqlserver" else ";"
    text = query[query.index("SELECT") :]
    text = text[: text.rindex(end)]
    dialect = sqlglot.Dialect.get_or_raise(DIALECTS.get(engine, engine))
    kinds = [token.token_type for token in dialect.tokenize(text)]
    assert sqlglot.TokenType.SEMICOLON not in kinds and kinds[0] is sqlglot.TokenType.SELECT


@pytest.mark.parametrize("engine", sql.engines())
def test_types_follow_the_kinds_of_features_and_the_output(engine: str) -> None:
    made = {
        kind: "\n".join(part.text for part in sql.written(engine, call(["x"], returns=kind))) for kind in ("number", "document")
    }
    if engine != "databricks":  # its query reads every answer as a text
        assert made["number"] != made["document"]


def test_bigquery_names_another_output_in_the_users_context_and_redshift_in_the_functions_name() -> None:
    other = call(["x"], output="probabilities", returns="document")
    assert "user_defined_context = [('output', 'probabilities')]" in statements("bigquery", other)[0].text
    assert "HEADERS = ('output' = 'probabilities')" in statements("snowflake", other)[2].text
    for engine in ("redshift", "athena"):
        name = re.search(r'FUNCTION "?(\w+)"?\(', statements(engine, other)[0].text)
        assert name and _sql.asked_by(name[1], ()) == ("probabilities", "")


def test_the_gateway_of_each_provider_has_its_integration() -> None:
    for url, provider in (
        ("https://k3.execute-api.eu-west-1.amazonaws.com/predict", "aws_api_gateway"),
        ("https://k3.azure-api.net/predict", "azure_api_management"),
        ("https://k3-4x.uc.gateway.dev/predict", "google_api_gateway"),
    ):
        assert f"API_PROVIDER = {provider}" in statements("snowflake", call(["x"], url=url))[0].text


def test_the_body_of_a_function_of_aurora_can_not_be_ended_by_a_name() -> None:
    (made,) = [
        part.text for part in statements("aurora", call(["x"], function="a$flyweight$b")) if "CREATE OR REPLACE" in part.text
    ]
    assert made.count("$flyweight_$") == 2


@pytest.mark.parametrize("engine", sql.engines())
def test_an_option_that_an_engine_needs_is_named(engine: str) -> None:
    with pytest.raises(NotWritten, match=r"needs --(url|function)"):
        sql.written(engine, call(["x"], url="", function=""))


def test_an_unknown_engine_and_an_unknown_output_are_refused_with_those_that_exist(penguins: Path) -> None:
    with pytest.raises(NotWritten, match="the engines are athena, aurora, bigquery"):
        sql.written("oracle", call(["x"]))
    with pytest.raises(NotWritten, match="has no output 'shap'"):
        sql.call_of(load(str(penguins)), "", "shap")
    with pytest.raises(NotWritten, match="control character"):
        sql.call_of(load(str(penguins)), "a\nb", "predictions")


@given(st.lists(st.text(max_size=5), max_size=6))
def test_plain_names_are_identifiers_and_differ(words: list[str]) -> None:
    names = sql.plain_names(words)
    assert len({*names}) == len(words) and all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


@pytest.mark.parametrize("engine", sql.engines())
def test_the_verb_prints_every_part_or_one_document(engine: str, penguins: Path, run: Callable[..., Result]) -> None:
    words = ("sql", engine, "--model", penguins, "--url", "https://a.example", "--function", "penguins")
    text = run(*words).stdout
    document = json.loads(run(*words, "--json").stdout)
    assert (document["engine"], document["model"]) == (engine, "penguins 1.0.0")
    assert all(part["title"] in text and part["text"] in text for part in document["parts"])
    assert "bill_length_mm" in text.lower()


def test_the_verb_says_what_is_missing(penguins: Path, run: Callable[..., Result]) -> None:
    result = run("sql", "bigquery", "--model", penguins)
    assert result.exit_code == 1 and result.stderr.startswith("error: bigquery needs --url")
    assert run("sql", "oracle", "--model", penguins).exit_code == 2


def test_an_address_that_is_no_web_address_is_refused(penguins: Path, run: Callable[..., Result]) -> None:
    result = run("sql", "snowflake", "--model", penguins, "--url", "ftp://penguins")
    assert result.exit_code == 1 and "'ftp://penguins' is no address of a deployment" in result.stderr
