"""`flyweight call --protocol` asks as the clients of that protocol do, and shows the answer of a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flyweight import predictor, protocols
from flyweight.toolkit.cli import _wording, main
from flyweight.toolkit.running.server import Server

ROWS = """island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year
Biscoe,46.1,13.2,211,4500,female,2007
Dream,,18.0,195,3700,NA,2008
"""


@pytest.fixture(scope="module")
def url(penguins: Path) -> Iterator[str]:
    with Server(penguins, "127.0.0.1", 0) as server:
        yield server.url


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The file with the answers: the server in this process writes its log to standard output."""
    return tmp_path / "out.json"


@pytest.fixture
def call(url: str, out: Path) -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(main, ["call", url, "-o", str(out), "--retries", "0", *map(str, words)])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


@pytest.mark.parametrize("name", _wording.names())
def test_each_protocol_answers_the_sample_with_the_models_own_label(
    name: str, call: Callable[..., Result], out: Path, penguins: Path
) -> None:
    result = call("--protocol", name)
    assert result.exit_code == 0, result.output
    (label,) = predictor.load(str(penguins)).file.document["sample"]["predictions"][:1]
    assert label in json.dumps(json.loads(out.read_text()))


@pytest.mark.parametrize("name", [name for name in _wording.names() if name != "mcp"])
def test_rows_of_a_file_are_asked_with_their_missing_values(
    name: str, call: Callable[..., Result], out: Path, table: Path, penguins: Path
) -> None:
    result = call(table, "--protocol", name, "--json")
    assert result.exit_code == 0, result.output
    exchange = json.loads(out.read_text())
    assert exchange["request"]["method"] == "POST" and "null" in json.dumps(exchange["request"]["body"])
    rows = [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007], ["Dream", None, 18.0, 195, 3700, None, 2008]]
    for label in predictor.load(str(penguins)).predict(rows).predictions or []:
        assert label in json.dumps(exchange["answer"])


def test_rows_are_sent_in_batches(call: Callable[..., Result], out: Path, table: Path) -> None:
    result = call(table, "--protocol", "mcp", "--batch", 1, "--json")
    assert result.exit_code == 0 and len(out.read_text().splitlines()) == 2, result.output


def test_a_tool_takes_one_instance(call: Callable[..., Result], table: Path) -> None:
    result = call(table, "--protocol", "mcp")
    assert result.exit_code != 0 and "one instance, got 2" in result.output


def test_an_unknown_protocol_is_refused_with_those_that_exist(call: Callable[..., Result]) -> None:
    result = call("--protocol", "kserv")
    assert result.exit_code != 0
    assert "--protocol kserv" in result.output and "open_inference" in result.output and "page" not in _wording.names()


def test_a_protocol_that_is_off_is_said_so(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_PROTOCOLS", "native")
    with Server(penguins, "127.0.0.1", 0) as server:
        result = CliRunner().invoke(main, ["call", server.url, "--protocol", "kserve"])
    assert result.exit_code != 0 and "answered 404" in result.output and "--protocol kserve" in result.output


def test_whatever_says_its_example_can_be_called() -> None:
    assert {*_wording.names()} == {name for name in protocols.names() if hasattr(protocols.find(name), "example")}
