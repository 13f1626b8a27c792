"""The benchmark, the demo and the parity page work on a small scale; no test checks a duration."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks import cold_start, demo, figures, folders, parity, picture, rounds, show
from benchmarks.folders import EMPTY, FLYWEIGHT, JOBLIB, KINDS, OWN

HERE = {"aws": Path(sys.executable)}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Measure one round of the linear model on aws, without onnxruntime, in the environment that runs the tests."""
    place = tmp_path_factory.mktemp("bench")
    options = ["--rounds", "1", "--providers", "aws", "--models", "linear", "--functions", "empty,flyweight,own,joblib", "--here"]
    done = CliRunner().invoke(cold_start.main, [*options, "--out", str(place)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "warm handler" in done.output
    document: dict[str, Any] = json.loads((place / "cold_start.json").read_text())
    return document


def test_every_function_has_its_figures(measured: dict[str, Any]) -> None:
    assert [row["function"] for row in measured["results"]] == [EMPTY, FLYWEIGHT, OWN, JOBLIB]
    names = {
        "cold_ms",
        "cold_vs_empty",
        "warm_p50_us",
        "warm_p95_us",
        "handler_p50_us",
        "times_joblib",
        "folder_mb",
        "installed_mb",
    }
    for row in measured["results"]:
        alone = {"handler_p50_us", "times_joblib"}  # without a runtime it is the same handler
        assert names - (alone if row["function"] == OWN else set()) <= {*row}
        assert row["runtime"].startswith("flyweight's client" if row["function"] == OWN else "awslambdaric ")
    assert measured["rounds"] == 1
    assert {"cores", "python", "versions"} <= {*measured["machine"]}


def test_only_the_baseline_needs_packages_beside_its_folder(measured: dict[str, Any]) -> None:
    needed = {row["function"]: row["installed_mb"] for row in measured["results"]}
    assert needed[EMPTY] == needed[FLYWEIGHT] == needed[OWN] == 0
    assert needed[JOBLIB] > 100


def test_flyweight_and_the_joblib_handler_give_the_same_answers(measured: dict[str, Any]) -> None:
    assert [found["function"] for found in measured["answers"]] == [FLYWEIGHT, OWN]
    for found in measured["answers"]:
        assert found["labels_equal"]
        assert found["largest_difference"] <= 1e-12


def test_each_provider_has_a_client_or_a_server_of_ours() -> None:
    assert {provider: folders.own_target(provider) for provider in folders.PROVIDERS} == {
        "aws": "aws", "gcp": "cloudrun", "azure": "azure"
    }  # fmt: skip


def test_the_results_describe_only_the_kind_of_the_machine(measured: dict[str, Any]) -> None:
    assert str(Path(__file__).resolve().parents[2]) not in json.dumps(measured)


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    assert rounds.ratio([2.0, 9.0, 40.0], [1.0, 3.0, 10.0]) == 3.0


def test_the_worst_model_decides_whether_a_target_is_met() -> None:
    rows = [
        {"provider": "aws", "function": FLYWEIGHT, "model": m, "cold_vs_empty": v} for m, v in (("linear", 1.1), ("mixed", 1.2))
    ]
    (verdict,) = figures.judged(rows)
    assert (verdict["model"], verdict["value"], verdict["met"]) == ("mixed", 1.2, False)


def test_the_ranges_are_over_the_models() -> None:
    rows = [
        {"provider": "aws", "function": kind, "model": model, "cold_ms": ms, "cold_vs_empty": ms / 50}
        for kind, model, ms in ((FLYWEIGHT, "linear", 55.0), (FLYWEIGHT, "mixed", 54.0), (EMPTY, "linear", 50.0))
    ]
    assert figures.ranges(rows) == [
        {"provider": "aws", "function": FLYWEIGHT, "cold_ms": [54.0, 55.0], "cold_vs_empty": [1.08, 1.1]}
    ]


def test_an_unknown_model_is_refused_with_the_known_names() -> None:
    done = CliRunner().invoke(cold_start.main, ["--models", "linaer"])
    assert done.exit_code == 2
    assert "linaer; there are linear, forest" in done.output


def test_the_picture_is_drawn_and_is_the_same_each_time(tmp_path: Path) -> None:
    cells = product(("aws", "gcp", "azure"), picture.MODELS, KINDS)
    rows = [
        {"provider": provider, "model": model, "function": kind, "cold_ms": 10.0 * len(kind), "handler_p50_us": 5.0 * len(kind)}
        for provider, model, kind in cells
        if (model, kind) != ("mixed", "onnxruntime")
    ]
    paths = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in paths:
        picture.draw({"results": rows}, path)
    assert paths[0].read_text() == paths[1].read_text()
    assert "<svg" in paths[0].read_text()


def _silent(words: str, total: int) -> Callable[[], None]:
    return lambda: None


def test_the_demo_answers_every_sample_event_and_shows_each_function(tmp_path: Path) -> None:
    shown, others = demo.built(["aws"], ["mixed"], tmp_path, _silent)
    series = rounds.measure([*others, *(row.function for row in shown)], HERE, 1, warm_calls=2)
    assert [row.event for row in shown] == [
        "predict", "predict.rest", "predict.alb", "predict.direct", "predict_csv"
    ]  # fmt: skip
    right, total = demo.samples_answered(shown[0].function)
    assert right == total > 60
    console = Console(file=io.StringIO(), width=150)
    console.print(demo.answers(shown, series), demo.comparison(series))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "ours, own client" in printed and "Own client: AWS Lambda: flyweight's client." in demo.notes(series)
    assert printed.count("Adelie (0.9996)") == len(shown)
    assert "AWS Lambda" in printed


def test_parity_is_checked_and_each_family_has_a_line() -> None:
    proofs = [parity.prove_case("bins", case, 200) for case in parity.FAMILIES["bins"]]
    assert all(proof.parity.holds for proof in proofs)
    document = parity.summary(proofs, 600, 1.0)
    assert document["families"]["bins"]["rows"] >= 600
    assert document["families"]["bins"]["label_differences"] == 0
    assert "\n| bins | 3 | " in parity.markdown(document)


@pytest.mark.parametrize(("microseconds", "text"), [(0.21, "0.2 us"), (345.6, "346 us"), (23_000.0, "23 ms"), (None, "")])
def test_durations_are_shown_in_a_suitable_unit(microseconds: float | None, text: str) -> None:
    assert show.duration(microseconds) == text
