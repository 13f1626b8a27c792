"""A job answers every row once, in order, as a scorer does, wherever files are cut and however often it is killed."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight.arrow.scorer import WrongScorer
from flyweight.jobs import inputs, scoring
from flyweight.jobs.run import run
from flyweight.jobs.scoring import Job
from tests import fitted
from tests.jobs.conftest import ROWS, Score, table, write_all
from tests.versions import az, bucket, gs, s3, servers

if TYPE_CHECKING:
    from flyweight.jobs.run import Progress

__all__ = ["az", "bucket", "gs", "s3", "servers"]

JOB = """
import sys
from flyweight.jobs import blocks, inputs, pieces, run
from flyweight.jobs.scoring import Job
pieces.MIN_BYTES, pieces.PIECE_BYTES, pieces.PIECE_ROWS = 1000, 9000, 500  # in each process
blocks.BLOCK_BYTES, blocks.BLOCK_ROWS = 2000, 130
if __name__ == "__main__":
    model, sha256, output, workers, *rows = sys.argv[1:]
    done = run.run(Job(model, sha256, output, ("id",), None, "column"), inputs.find(rows), int(workers))
    print(done.files, done.rows, done.faults, done.kept, len(done.errors))
"""


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of answers in any format, with the names of CSV's columns."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    data = zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress(data) if path.suffix == ".zst" else data
    if ".csv" in path.name:
        rows: list[dict[str, Any]] = [*csv.DictReader(data.decode().splitlines())]
        for row in rows:
            row |= {
                "id": int(row["id"]),
                **{name: float(text) if text else None for name, text in row.items() if "probability" in name},
            }
            if "error" in row:
                row["error"] = row["error"] or None
                row["prediction"] = row["prediction"] or None
        return rows
    rows = [json.loads(line) for line in data.splitlines()] if ".jsonl" in path.name else arrow(path).to_pylist()
    classes = fitted.penguins()[0].classes_
    named = [
        {f"probability_{one}": value for one, value in zip(classes, r.pop("probabilities") or [None] * 3, strict=True)}
        for r in rows
    ]
    return [{**row, **more} for row, more in zip(rows, named, strict=True)]


def arrow(path: Path) -> pa.Table:
    return pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path).read_all()


def expected(penguins: Path, frame: pd.DataFrame, **options: Any) -> list[dict[str, Any]]:
    answers = flyweight.Scorer(penguins, keep=["id"], **options)(pa.Table.from_pandas(frame, preserve_index=False)).to_pylist()
    classes = fitted.penguins()[0].classes_
    for row in answers:
        values = row.pop("probabilities") or [None] * 3
        row |= {f"probability_{one}": value for one, value in zip(classes, values, strict=True)}
    return answers


def answers_of(folder: Path) -> dict[str, bytes]:
    """The bytes of all answers by their path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    }


def test_every_format_has_the_scorers_answers_under_its_own_path(
    penguins: Path, tmp_path: Path, score: Score, small: None
) -> None:
    write_all(tmp_path / "in", table())
    done = score(tmp_path / "in", keep=("id",))
    assert (done.files, done.rows, done.faults, done.errors) == (7, 7 * ROWS, 0, ())
    paths = sorted(path for path in (tmp_path / "in").rglob("*") if path.is_file())
    assert [*answers_of(tmp_path / "out")] == [str(path.relative_to(tmp_path / "in")) for path in paths]
    wanted = expected(penguins, table())
    for path in answers_of(tmp_path / "out"):
        assert read(tmp_path / "out" / path) == wanted, path
    assert not [*(tmp_path / "out" / "_flyweight").glob("**/*-*-*")], "parts are left"


def test_several_processes_write_the_same_bytes_as_one(penguins: Path, tmp_path: Path, score: Score, small: None) -> None:
    write_all(tmp_path / "in", table())
    score(tmp_path / "in", keep=("id",), on_error="column")
    alone = answers_of(tmp_path / "out")
    assert told(launch(penguins, tmp_path, 3)) == [7, 7 * ROWS, 0, 0, 0]
    assert answers_of(tmp_path / "several") == alone


def test_a_job_imports_no_pandas_and_its_first_process_only_what_joins_files(penguins: Path, tmp_path: Path) -> None:
    """To import them takes as long as to score 100,000 rows."""
    (tmp_path / "in").mkdir()
    for form in ("csv", "parquet"):
        getattr(table(), f"to_{form}")(tmp_path / "in" / f"a.{form}", index=False)
    table().to_json(tmp_path / "in" / "a.jsonl", orient="records", lines=True)
    with open(tmp_path / "in" / "a.jsonl", "a") as lines:
        lines.write('{"island": 1}\n{"island"\n')  # rows whose answers are null
    for workers, expected in ((1, {"numpy", "pyarrow"}), (2, set[str]())):
        script = tmp_path / "job.py"
        more = "    heavy = {'numpy', 'pandas', 'pyarrow'} & {*__import__('sys').modules}\n    print(*sorted(heavy))"
        script.write_text(JOB.replace("pieces.MIN_BYTES", "# ").replace("blocks.BLOCK_BYTES", "# ") + more)
        line = [sys.executable, script, penguins, flyweight.load(penguins).file.sha256, f"file://{tmp_path}/{workers}", workers]
        done = subprocess.run([*map(str, line), str(tmp_path / "in")], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["3", str(3 * ROWS + 2), "2", "0", "0", *sorted(expected)]


def test_columns_that_share_a_name_are_refused(score: Score, tmp_path: Path) -> None:
    table()[:5].rename(columns={"id": "prediction"}).to_csv(tmp_path / "a.csv", index=False)
    for keep in (("prediction",), ("year", "year")):
        with pytest.raises(WrongScorer, match=f"the column '{keep[0]}' twice"):
            score(tmp_path / "a.csv", keep=keep)


def launch(penguins: Path, folder: Path, workers: int, output: str = "") -> subprocess.Popen[str]:
    """Start a job of several processes that cuts files into small pieces."""
    script = folder / "job.py"
    script.write_text(JOB)
    sha256 = flyweight.load(penguins).file.sha256
    line = [sys.executable, script, penguins, sha256, output or f"file://{folder / 'several'}", workers, folder / "in"]
    return subprocess.Popen([*map(str, line)], stdout=subprocess.PIPE, text=True, start_new_session=True)


def written(folder: Path) -> int:
    """How many files a job has written, parts too."""
    return sum(path.is_file() for path in [*folder.rglob("*")])


def told(process: subprocess.Popen[str]) -> list[int]:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return [*map(int, out.split())]


@pytest.mark.slow
def test_a_job_that_is_killed_at_any_moment_goes_on_and_answers_each_row_once(
    penguins: Path, tmp_path: Path, score: Score, small: None
) -> None:
    """Either the first process alone is killed, and the others end by themselves, or all of them at the same moment."""
    write_all(tmp_path / "in", table())
    score(tmp_path / "in", keep=("id",), on_error="column")
    alone, chance = answers_of(tmp_path / "out"), random.Random(0)
    several, most, kills = tmp_path / "several", 0, 0
    for attempt in range(6):
        process = launch(penguins, tmp_path, 2)
        enough = written(several) + chance.randint(1, 9)
        while process.poll() is None and written(several) < enough:
            time.sleep(0.005)
        time.sleep(chance.random() / 50)
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL) if attempt % 2 else os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
        found = answers_of(several)
        assert found.items() <= alone.items(), "answers that are there are whole"
        most = max(most, len(found))
    assert kills > 1
    files, rows, _, kept, errors = told(launch(penguins, tmp_path, 2))
    assert (files, rows, errors) == (7, 7 * ROWS, 0) and kept + 3 >= most
    assert answers_of(tmp_path / "several") == alone


def test_a_second_run_does_nothing_and_what_changed_is_scored_anew(penguins: Path, tmp_path: Path, score: Score) -> None:
    write_all(tmp_path / "in", table())
    score(tmp_path / "in")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert score(tmp_path / "in").kept == 7
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (tmp_path / "out" / "day=0" / "part-0.csv").unlink()
    table()[:10].to_csv(tmp_path / "in" / "day=1" / "part-0.csv.gz", index=False)
    done = score(tmp_path / "in")
    assert (done.kept, done.rows) == (5, 6 * ROWS + 10)
    estimator, X = fitted.penguins()
    other = tmp_path / "other.safetensors"
    flyweight.pack(LogisticRegression().fit(X[["year"]], estimator.predict(X)), other, sample=X[["year"]])
    assert score(tmp_path / "in", model=other).kept == 0
    assert score(tmp_path / "in", model=other, keep=("id",)).kept == 0


def spoil(folder: Path) -> None:
    """Write files of twelve rows, three of them bad: a text for a number, another width, and no JSON."""
    lines = table()[:12].to_csv(index=False).splitlines()
    lines[3] = lines[3].replace(",2007", ",soon").replace(",2008", ",soon").replace(",2009", ",soon")
    lines[7] += ",1"
    folder.mkdir()
    (folder / "a.csv").write_text("\n".join(lines) + "\n")
    documents = table()[:12].to_json(orient="records", lines=True).splitlines()
    documents[2] = documents[2].replace('"year":2007', '"year":"soon"')
    documents[6] = "{"
    (folder / "b.jsonl").write_text("\n".join(documents))


@pytest.mark.parametrize(
    "damage", [b"", b"\xff", b"[1]", b"{}", b'{"options": 1}', b"[" * 100_000], ids=lambda damage: damage[:20]
)
def test_a_file_whose_document_is_damaged_is_scored_anew(tmp_path: Path, score: Score, damage: bytes) -> None:
    table()[:5].to_csv(tmp_path / "a.csv", index=False)
    score(tmp_path / "a.csv")
    (tmp_path / "out" / "_flyweight" / "a.csv.json").write_bytes(damage)
    done = score(tmp_path / "a.csv")
    assert (done.files, done.rows, done.kept) == (1, 5, 0)


def test_a_bad_row_has_a_reason_in_a_column_and_all_others_are_answered(penguins: Path, tmp_path: Path, score: Score) -> None:
    spoil(tmp_path / "in")
    frame = table()[:12]
    frame["year"] = frame["year"].astype(float)
    frame.loc[2, "year"] = float("inf")
    frame.to_parquet(tmp_path / "in" / "c.parquet")
    done = score(tmp_path / "in", keep=("id",), on_error="column")
    assert (done.files, done.rows, done.faults) == (3, 36, 5)
    wanted = expected(penguins, table()[:12], on_error="column")
    for name, bad in (("a.csv", [2, 6]), ("b.jsonl", [2, 6]), ("c.parquet", [2])):
        path = tmp_path / "out" / name
        lines = [*csv.DictReader(path.read_text().splitlines())] if name.endswith("csv") else None
        rows = read(path) if lines is None else [{**row, "error": row["error"] or None} for row in lines]
        assert [place for place, row in enumerate(rows) if row["error"]] == bad, name
        assert "year" in rows[2]["error"]
        assert [row["prediction"] for place, row in enumerate(rows) if place not in bad] == [
            row["prediction"] for place, row in enumerate(wanted) if place not in bad
        ]
        assert all(rows[place]["prediction"] in (None, "") for place in bad)


def test_a_bad_row_ends_its_own_file_only_and_is_named_by_its_line(tmp_path: Path, score: Score, small: None) -> None:
    spoil(tmp_path / "in")
    lines = table().to_csv(index=False).splitlines()
    lines[2000] = lines[2000].replace(",200", ",soon200")
    (tmp_path / "in" / "long.csv").write_text("\n".join(lines))
    table().to_parquet(tmp_path / "in" / "good.parquet")
    done = score(tmp_path / "in")
    assert (done.files, done.rows, len(done.errors)) == (1, ROWS, 3)
    assert [*answers_of(tmp_path / "out")] == ["good.parquet"]
    texts = sorted(done.errors)
    assert f"{tmp_path}/in/a.csv: line 4: " in texts[0] and f"{tmp_path}/in/b.jsonl: line 3: " in texts[1]
    assert f"{tmp_path}/in/long.csv: line 2,001: " in texts[2]


def test_a_file_that_is_not_what_its_name_says_is_an_error_of_its_own(tmp_path: Path, score: Score) -> None:
    (tmp_path / "in").mkdir()
    for name, text in (("a.parquet", "x"), ("b.arrow", "x"), ("c.csv", ""), ("d.csv", "id,x\n1,2\n"), ("e.csv.gz", "x")):
        (tmp_path / "in" / name).write_text(text)
    table()[:5].to_csv(tmp_path / "in" / "good.csv", index=False)
    done = score(tmp_path / "in")
    assert (done.files, done.rows, len(done.errors)) == (1, 5, 5)
    assert [*answers_of(tmp_path / "out")] == ["good.csv"]
    assert any("'no'" in error for error in score(tmp_path / "in", keep=("no",)).errors)


def test_a_table_with_damaged_values_or_a_name_twice_ends_its_own_file_only(tmp_path: Path, score: Score) -> None:
    (tmp_path / "in").mkdir()
    whole, place = pa.Table.from_pandas(table()[:5], preserve_index=False), table().columns.get_loc("island")
    codes, ends = pa.array([0, 0, 7, 0, -1], pa.int8()), pa.py_buffer(array("i", [0, 1, 1 << 30, 3, 4, 5]))
    spoilt = {
        "codes": pa.DictionaryArray.from_arrays(codes, pa.array(["Biscoe"]), safe=False),
        "ends": pa.Array.from_buffers(pa.string(), 5, [None, ends, pa.py_buffer(b"abcde")]),
        "latin": pa.array([b"\xe9"] * 5).view(pa.string()),
    }
    for name, column in spoilt.items():
        _write_arrow(whole.set_column(place, "island", column), tmp_path / "in" / f"{name}.arrow")
    pq.write_table(whole.set_column(place, "island", spoilt["latin"]), tmp_path / "in" / "latin.parquet")
    for form, write in (("arrow", _write_arrow), ("parquet", pq.write_table)):
        write(whole.append_column("island", whole.column("island")), tmp_path / "in" / f"feature.{form}")
        write(whole.append_column("id", whole.column("id")), tmp_path / "in" / f"kept.{form}")
        write(whole, tmp_path / "in" / f"good.{form}")
    done = score(tmp_path / "in", keep=("id",))
    assert sorted(answers_of(tmp_path / "out")) == ["good.arrow", "good.parquet"]
    found = {Path(error.partition(": ")[0]).name: error for error in done.errors}
    assert all("is not Arrow" in found[f"{name}.arrow"] for name in spoilt) and "is not Parquet" in found["latin.parquet"]
    assert all("'island': expected each feature once" in found[f"feature.{form}"] for form in ("arrow", "parquet"))
    assert all("2 columns are named 'id'" in found[f"kept.{form}"] for form in ("arrow", "parquet"))


def _write_arrow(rows: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(str(path), rows.schema) as writer:
        writer.write_table(rows)


@pytest.mark.parametrize("kind", ["s3", "gs", "az"])
def test_stores_are_read_and_written_by_several_requests_as_folders_are(
    request: pytest.FixtureRequest, penguins: Path, tmp_path: Path, score: Score, small: None, kind: str
) -> None:
    made = request.getfixturevalue(kind)
    store, folder = made.open(), tmp_path / "in"
    write_all(folder, table())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        store.put_stream(f"in/{path.relative_to(folder)}", [path.read_bytes()])
    score(folder, keep=("id",))
    job = Job(str(penguins), flyweight.load(penguins).file.sha256, f"{made.root}/out", ("id",))

    def again() -> Progress:
        return run(job, inputs.find([f"{made.root}/in/"]), 1)

    done = again()
    assert (done.files, done.rows, done.errors) == (7, 7 * ROWS, ())
    alone = answers_of(tmp_path / "out")
    assert {key.removeprefix("out/"): store.get(key, 1 << 30)[0] for key in store.keys("out") if "_flyweight" not in key} == alone
    assert again().kept == 7


def test_without_pyarrow_texts_have_the_same_answers(penguins: Path, tmp_path: Path, score: Score) -> None:
    spoil(tmp_path / "in")
    table().to_csv(tmp_path / "in" / "c.csv", index=False)
    score(tmp_path / "in", keep=("id",), on_error="column")
    shutil.move(tmp_path / "out", tmp_path / "by arrow")
    script = "import sys; sys.modules['pyarrow'] = None\n" + JOB
    (tmp_path / "job.py").write_text(script)
    sha256 = flyweight.load(penguins).file.sha256
    line = [sys.executable, tmp_path / "job.py", penguins, sha256, f"file://{tmp_path / 'out'}", 1, tmp_path / "in"]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", str(ROWS + 24), "4", "0", "0"]
    for name in ("a.csv", "b.jsonl", "c.csv"):
        own, other = ([*csv.reader((tmp_path / part / name).read_text().splitlines())] for part in ("out", "by arrow"))
        if name.endswith("csv"):
            assert own[0] == other[0]
            assert [(row[:2], bool(row[-1])) for row in own] == [(row[:2], bool(row[-1])) for row in other]
    assert json.loads((tmp_path / "out" / "b.jsonl").read_text().splitlines()[0]).keys() >= {"id", "prediction", "error"}


def test_what_is_written_says_what_it_is_of(penguins: Path, tmp_path: Path, score: Score) -> None:
    table()[:5].to_csv(tmp_path / "a.csv", index=False)
    score(tmp_path / "a.csv")
    written = json.loads((tmp_path / "out" / scoring.OWN / "a.csv.json").read_text())
    assert written["model"]["sha256"] == flyweight.load(penguins).file.sha256
    assert (written["rows"], written["faults"], written["input"]["address"]) == (5, 0, str(tmp_path / "a.csv"))
