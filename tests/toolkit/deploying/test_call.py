"""Rows to an endpoint: real servers, the network's faults injected between; answers in order, all that can be had."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight.models import file as model_file
from flyweight.toolkit.running import runtime
from tests import fitted
from tests.services.faults import FaultyProxy, Seen
from tests.toolkit.deploying.fixtures import served

Run = Callable[..., Result]
ROWS = 344


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The penguins, as CSV."""
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    fitted.penguins()[1].to_csv(path, index=False)
    return path


@pytest.fixture
def proxy(port: int) -> Iterator[FaultyProxy]:
    """The served model behind a proxy that spoils what it is told to."""
    made = FaultyProxy(port)
    yield made
    made.close()


def cells(text: str, left_out: list[int] | None = None) -> list[list[str | float]]:
    """A table's cells by rows, header first, to twelve digits: one row and many are summed in other orders."""
    rows = [[round(float(cell), 12) if cell[:1].isdigit() else cell for cell in line] for line in csv.reader(text.splitlines())]
    return [row for number, row in enumerate(rows, -1) if number not in (left_out or [])]


@pytest.fixture(scope="module")
def expected(table: Path, penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `flyweight predict` answers, to the byte."""
    from click.testing import CliRunner

    from flyweight.toolkit.cli import main

    out = tmp_path_factory.mktemp("expected") / "answers.csv"
    CliRunner().invoke(main, ["predict", str(penguins), str(table), "-o", str(out)], catch_exceptions=False)
    return out.read_text()


def spoilt(table: Path, path: Path, *numbers: int) -> Path:
    """The table with a word for a number in some rows."""
    lines = table.read_text().splitlines()
    for number in numbers:
        cells = lines[number + 1].split(",")
        lines[number + 1] = ",".join([cells[0], "long", *cells[2:]])
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("batch", [1000, 50])
def test_answers_are_those_of_predict_in_order(batch: int, run: Run, port: int, table: Path, here: Path, expected: str) -> None:
    result = run("call", f"http://127.0.0.1:{port}", table, "-o", here / "out.csv", "--batch", batch, "--concurrency", 8)
    assert result.exit_code == 0, result.output
    assert cells((here / "out.csv").read_text()) == cells(expected)
    assert f"{ROWS} of {ROWS} rows answered" in result.stderr


def test_answers_come_from_a_real_functions_framework(
    run: Run, built: Callable[[str], Path], table: Path, here: Path, expected: str
) -> None:
    with runtime("gcp")(built("gcp")) as process:
        process.invoke({"method": "GET", "path": "/health"})
        port = process.variables()["PORT"]
        result = run("call", f"http://127.0.0.1:{port}", table, "-o", here / "out.csv", "--batch", 100)
    assert result.exit_code == 0, result.output
    assert cells((here / "out.csv").read_text()) == cells(expected)


@pytest.mark.parametrize("fault", ["reset", "lost", "429", "500", "503", "truncate"])
def test_faults_are_tried_again(fault: str, run: Run, proxy: FaultyProxy, table: Path, here: Path, expected: str) -> None:
    proxy.fail(fault, times=2, when=lambda seen: seen.method == "POST")
    result = run("call", proxy.url, table, "-o", here / "out.csv", "--batch", 100)
    assert result.exit_code == 0, result.output
    assert cells((here / "out.csv").read_text()) == cells(expected)
    assert len([seen for seen in proxy.seen if seen.method == "POST"]) == 6
    assert ", 2 retries" in result.stderr


def test_tries_have_an_end(run: Run, proxy: FaultyProxy, table: Path) -> None:
    proxy.fail("429", when=lambda seen: seen.method == "POST")
    result = run("call", proxy.url, table, "--retries", 1, "--concurrency", 1)
    assert result.exit_code == 1
    assert "answered 429 after 2 tries" in result.stderr and "lower --concurrency" in result.stderr
    assert len([seen for seen in proxy.seen if seen.method == "POST"]) == 2


def test_nobody_there_is_said_in_words(run: Run, proxy: FaultyProxy, table: Path) -> None:
    proxy.fail("refused")
    result = run("call", proxy.url, table, "--retries", 0)
    assert result.exit_code == 1
    assert "does not answer" in result.stderr and "next: check the URL" in result.stderr


@pytest.mark.parametrize("batch", [500, 7, 1])
def test_rejected_rows_are_told_and_all_others_answered(
    batch: int, run: Run, port: int, table: Path, here: Path, expected: str
) -> None:
    numbers = [0, 1, 70, 343]
    rows = spoilt(table, here / "rows.csv", *numbers)
    url = f"http://127.0.0.1:{port}"
    result = run("call", url, rows, "-o", here / "out.csv", "--rejected", here / "no.ndjson", "--batch", batch)
    assert result.exit_code == 1
    assert f"{ROWS - 4} of {ROWS} rows answered" in result.stderr
    assert "line 72: bill_length_mm: expected a number or null, got 'long'" in result.stderr
    rejected = [json.loads(line) for line in (here / "no.ndjson").read_text().splitlines()]
    assert [(one["row"], one["line"]) for one in rejected] == [(number, number + 2) for number in numbers]
    assert {one["problem"]["status"] for one in rejected} == {422}
    lines = (here / "out.csv").read_text().splitlines()
    assert cells("\n".join(lines), numbers) == cells(expected, numbers)
    assert {lines[number + 1] for number in numbers} == {",,,"}


def test_more_rejected_rows_than_one_answer_names_are_all_found(run: Run, port: int, table: Path, here: Path) -> None:
    rows = spoilt(table, here / "rows.csv", *range(100, 160))
    result = run("call", f"http://127.0.0.1:{port}", rows, "--rejected", here / "no.ndjson", "--json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["row"] for one in told] == [*range(ROWS)]
    assert [one["row"] for one in told if "problem" in one] == [*range(100, 160)]


def test_a_batch_that_is_too_large_is_halved(
    run: Run, penguins: Path, table: Path, here: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.toolkit.deploying.fixtures import served

    monkeypatch.setenv("FLYWEIGHT_MAX_INSTANCES", "100")
    with served(penguins) as port:
        result = run("call", f"http://127.0.0.1:{port}", table, "-o", here / "out.csv")
    assert result.exit_code == 0, result.output
    assert cells((here / "out.csv").read_text()) == cells(expected)


def test_a_table_that_lacks_a_feature_is_refused_before_anything_is_asked(
    run: Run, proxy: FaultyProxy, table: Path, here: Path
) -> None:
    (here / "rows.csv").write_text("island\nDream\n")
    result = run("call", proxy.url, here / "rows.csv")
    assert result.exit_code == 1 and "'bill_length_mm'" in result.stderr
    assert [seen.method for seen in proxy.seen] == ["GET"]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("azure", "x-functions-key", "k"), ("api-key", "x-api-key", "k"), ("bearer", "authorization", "Bearer k")],
)
def test_a_key_goes_into_its_header_and_no_other(
    auth: str, header: str, value: str, run: Run, proxy: FaultyProxy, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWEIGHT_KEY", "k")
    assert run("call", proxy.url, table, "--auth", auth).exit_code == 0
    assert {seen.headers.get(header) for seen in proxy.seen} == {value}
    assert {len([v for v in seen.headers.values() if v == value]) for seen in proxy.seen} == {1}


def test_a_key_is_asked_for(run: Run, here: Path, table: Path) -> None:
    result = run("call", "https://birds.azurewebsites.net", table)
    assert result.exit_code == 1 and "FLYWEIGHT_KEY" in result.stderr


def test_no_credential_is_sent_in_the_clear(run: Run, here: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_KEY", "k")
    result = run("call", "http://birds.azurewebsites.net", table)
    assert result.exit_code == 1 and "is not encrypted" in result.stderr


def test_what_asks_who_one_is_says_what_to_do(run: Run, proxy: FaultyProxy, table: Path) -> None:
    proxy.fail("403")
    result = run("call", proxy.url, table)
    assert result.exit_code == 1 and "answered 403" in result.stderr and "--auth" in result.stderr


def test_an_interrupted_answer_is_never_taken_for_a_whole_one(
    run: Run, proxy: FaultyProxy, table: Path, here: Path, expected: str
) -> None:
    """Half of a body with a length that says so: fewer lines than rows, which is said instead of shifted answers."""
    proxy.fail("short", when=lambda seen: seen.method == "POST")
    result = run("call", proxy.url, table, "-o", here / "out.csv", "--retries", 0)
    assert result.exit_code == 1
    assert "rows were sent" in result.stderr


def test_the_body_is_signed_as_botocore_signs_it(run: Run, proxy: FaultyProxy, table: Path, here: Path) -> None:
    assert run("call", proxy.url, table, "--auth", "aws", "--region", "eu-west-1").exit_code == 0
    posts: list[Seen] = [seen for seen in proxy.seen if seen.method == "POST"]
    assert posts
    for seen in posts:
        assert "/eu-west-1/execute-api/aws4_request" in seen.headers["authorization"]
        assert seen.headers["x-amz-date"]


def test_a_column_of_no_feature_is_refused_unless_it_is_to_be_ignored(
    run: Run, proxy: FaultyProxy, table: Path, here: Path
) -> None:
    lines = table.read_text().splitlines()[:4]
    (here / "rows.csv").write_text("\n".join(f"{line},{extra}" for line, extra in zip(lines, ["species", *"abc"], strict=True)))
    refused = run("call", proxy.url, here / "rows.csv")
    assert refused.exit_code == 1 and "the model has no feature 'species'" in refused.stderr
    assert "--unknown ignore" in refused.stderr
    ignored = run("call", proxy.url, here / "rows.csv", "--unknown", "ignore")
    assert ignored.exit_code == 0 and len(ignored.stdout.splitlines()) == 4


def test_without_rows_the_models_own_are_sent(run: Run, proxy: FaultyProxy, penguins: Path) -> None:
    result = run("call", proxy.url, "--json")
    assert result.exit_code == 0, result.output
    recorded = model_file.read(str(penguins)).document["sample"]["predictions"]
    assert [json.loads(line)["prediction"] for line in result.stdout.splitlines()] == recorded


def test_json_has_the_labels_of_the_model_also_those_that_look_like_numbers(run: Run, tmp_path: Path) -> None:
    rows = np.arange(20.0).reshape(-1, 1)
    estimator = LogisticRegression().fit(rows, np.where(rows[:, 0] > 9, "00125", "99"))
    flyweight.pack(estimator, tmp_path / "zips.safetensors", sample=rows, name="zips", edge_count=5)
    with served(tmp_path / "zips.safetensors") as port:
        result = run("call", f"http://127.0.0.1:{port}", "--json")
    answered = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["prediction"] for row in answered} <= {"00125", "99"} and answered
    assert all(isinstance(row["probability_00125"], float) for row in answered)
