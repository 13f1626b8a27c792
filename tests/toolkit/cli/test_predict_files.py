"""`flyweight predict` over folders, patterns and several files: what is written, what is reported, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from tests import fitted

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two days of penguins, one as CSV and one as Parquet."""
    X = fitted.penguins()[1].reset_index(names="id")
    for day, write in (("2026-01-01", X.to_csv), ("2026-01-02", X.to_parquet)):
        path = tmp_path / "in" / f"day={day}" / f"part-0.{write.__name__.removeprefix('to_')}"
        path.parent.mkdir(parents=True)
        write(path, index=False)
    return tmp_path / "in"


def test_a_folder_is_answered_file_by_file_under_the_same_paths(run: Run, penguins: Path, folder: Path, tmp_path: Path) -> None:
    done = run("predict", penguins, folder, "-o", tmp_path / "out", "--keep", "id", "--workers", 2)
    assert done.exit_code == 0 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("2 of 2 files; 688 rows; ")
    estimator, X = fitted.penguins()
    expected = estimator.predict(X).tolist()
    text = pd.read_csv(tmp_path / "out" / "day=2026-01-01" / "part-0.csv")
    table = pd.read_parquet(tmp_path / "out" / "day=2026-01-02" / "part-0.parquet")
    assert [*text.columns] == ["id", "prediction", *[f"probability_{label}" for label in estimator.classes_]]
    assert text["prediction"].tolist() == table["prediction"].tolist() == expected
    assert text["id"].tolist() == table["id"].tolist() == [*range(len(X))]
    again = run("predict", penguins, folder, "-o", tmp_path / "out", "--keep", "id", "--json", "--workers", 1)
    told = json.loads(again.stdout)
    assert (told["files"], told["kept"], told["rows"], told["failed"]) == (2, 2, 688, 0)


def test_named_outputs_and_a_pattern(run: Run, penguins: Path, folder: Path, tmp_path: Path) -> None:
    words = ("predict", penguins, f"{folder}/day=*/*.csv", "-o", tmp_path / "out", "--outputs", "scores", "--workers", 1)
    assert run(*words).exit_code == 0
    (path,) = (tmp_path / "out").rglob("*.csv")
    assert path.read_text().splitlines()[0] == "scores_Adelie,scores_Chinstrap,scores_Gentoo".replace("scores", "score")


def test_a_file_that_fails_is_named_the_others_are_written_and_the_status_is_one(
    run: Run, penguins: Path, folder: Path, tmp_path: Path
) -> None:
    text = (folder / "day=2026-01-01" / "part-0.csv").read_text().splitlines()
    text[5] = text[5].replace(",2007", ",soon")
    (folder / "day=2026-01-01" / "part-0.csv").write_text("\n".join(text))
    done = run("predict", penguins, folder, "-o", tmp_path / "out", "--workers", 1)
    assert done.exit_code == 1
    assert "1 of 2 files have no answers: " in done.stderr and "part-0.csv: line 6: feature 'year'" in done.stderr
    assert "run the same command again" in done.stderr
    assert [path.suffix for path in (tmp_path / "out").rglob("part-*") if "_flyweight" not in str(path)] == [".parquet"]
    told = run("predict", penguins, folder, "-o", tmp_path / "out", "--workers", 1, "--on-error", "column", "--json")
    assert told.exit_code == 0 and json.loads(told.stdout)["faults"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["IN"], "name it: -o FOLDER"),
        (["IN", "-o", "OUT", "--format", "csv"], "the names of the files say the format"),
        (["IN/day=2026-01-01/part-0.csv", "--keep", "id"], "name it with a slash at its end: -o FOLDER/"),
        (["IN/nothing*", "-o", "OUT/"], "no file of a table is there"),
        (["IN", "-o", "FILE"], "is a file, and the answers of several files go to a folder"),
        (["IN", "-o", "OUT", "--keep", "prediction"], "the answers would have the column 'prediction' twice; keep other columns"),
    ],
)
def test_what_has_no_meaning_is_refused_with_what_to_do(
    run: Run, penguins: Path, folder: Path, tmp_path: Path, words: list[str], told: str
) -> None:
    (tmp_path / "file.csv").write_text("")
    known = {"IN": str(folder), "OUT": str(tmp_path / "out"), "FILE": str(tmp_path / "file.csv")}
    given = [known.get(word) or word.replace("IN/", f"{folder}/").replace("OUT/", f"{tmp_path}/out/") for word in words]
    done = run("predict", penguins, *given)
    assert done.exit_code == 1 and told in done.stderr


def test_a_run_that_is_interrupted_says_that_the_same_command_continues(
    run: Run, penguins: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flyweight.jobs.run.run", interrupted)
    done = run("predict", penguins, folder, "-o", tmp_path / "out", "--workers", 1)
    assert done.exit_code == 1 and "the same command continues" in done.stderr


@pytest.mark.parametrize("several", [True, False])
def test_answers_never_replace_the_rows(run: Run, penguins: Path, folder: Path, several: bool) -> None:
    file = folder / "day=2026-01-01" / "part-0.csv"
    before = file.read_bytes()
    rows = folder if several else file
    done = run("predict", penguins, rows, "-o", rows, "--workers", 1) if several else run("predict", penguins, rows, "-o", rows)
    assert done.exit_code == 1 and "would replace" in done.stderr and "name another f" in done.stderr
    assert file.read_bytes() == before


def test_a_store_that_fails_is_followed_by_what_to_check(
    run: Run, penguins: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done = run("predict", penguins, "webhdfs://127.0.0.1:1/birds/", "-o", tmp_path / "out")
    assert done.exit_code == 1 and "next: check the address, the network and your credentials" in done.stderr
