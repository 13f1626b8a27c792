"""The mapper's file answers lines as Hadoop streaming pipes them: keys, counters, failed rows, exit statuses."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flyweight
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.targets.hadoop.package import refuse_unfit
from tests import fitted
from tests.conftest import PYTHON, ROOT

NAMES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
BIRD = dict(zip(NAMES, ["Biscoe", 46.1, 13.2, 211.0, 4500.0, "female", 2007.0], strict=True))
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(built: Callable[[str], Path]) -> Run:
    """Run the file with some lines, in a Python without any package."""
    mapper = built("hadoop") / "mapper.pyz"

    def mapped(lines: bytes, *options: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([sys.executable, "-I", "-S", mapper, *options], input=lines, capture_output=True, env=environ)

    return mapped


def lines_of(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def answers(done: subprocess.CompletedProcess[bytes]) -> list[tuple[str, dict[str, object]]]:
    """The key and the answer of each line."""
    assert done.returncode == 0, done.stderr.decode()
    cut = [line.rpartition("\t") for line in done.stdout.decode().splitlines()]
    return [(key, json.loads(answer)) for key, _, answer in cut]


def test_each_row_is_answered_after_its_key(run: Run, penguins: Path) -> None:
    [first, second] = answers(run(lines_of({"id": 7, **BIRD}, {"id": "eight", **BIRD}), "--key", "id,year"))
    predicted = flyweight.load(penguins).predict([BIRD])
    assert (first[0], second[0]) == ("7\t2007.0", "eight\t2007.0")
    assert first[1] == {"prediction": predicted.predictions[0], "probabilities": predicted.probabilities[0]}


def test_csv_and_tsv_are_read_by_the_columns_that_are_named(run: Run) -> None:
    columns = ["--columns", ",".join(["id", *reversed(NAMES), "note"])]
    texts = ["1", "2007", "female", "4500", "211", "13.2", "46.1", "Biscoe"]
    want = answers(run(lines_of(BIRD)))[0][1]
    assert answers(run((",".join([*texts, '"a, b"']) + "\r\n").encode(), "--format", "csv", "--key", "id", *columns)) == [
        ("1", want)
    ]
    assert answers(run("\t".join([*texts, 'a " b']).encode(), "--format", "tsv", "--key", "id", *columns)) == [("1", want)]
    missing = answers(run("\t".join(["1", "2007", "\\N", *texts[3:], ""]).encode(), "--format", "tsv", *columns))[0][1]
    assert missing == answers(run(lines_of({**BIRD, "sex": None})))[0][1]


def test_fields_of_the_key_are_joined_by_the_jobs_separator(run: Run) -> None:
    environ = {"stream_map_output_field_separator": "|"}
    done = run(lines_of({"id": 1, **BIRD}, {"id": "a|b", **BIRD}), "--key", "id,sex", **environ)
    first, second = done.stdout.decode().splitlines()
    assert first.startswith('1|female|{"prediction":"Gentoo"')
    assert second.startswith('||{"prediction":null,"error":"a field of the key has')


BAD = [
    (b"{", "is not JSON"),
    (b'{"id": 1, "year": "last"}', "feature 'island'"),
    (b'{"year": 2007}', "the row has no field 'id', which --key names"),
    (b"[1]", "a row is an object where --key names fields"),
    (b"\xff", "not UTF-8"),
    (lines_of({**BIRD, "id": "\ud800"}).strip(), "a field of the key holds half a character"),
    (b'{"id": "' + b"x" * (2 << 20) + b'"}', "the limit is 1048576"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_a_row_that_fails_has_its_reason_and_the_others_are_answered(run: Run, line: bytes, reason: str) -> None:
    good = lines_of({"id": 1, **BIRD})
    done = run(good + line + b"\n" + good, "--key", "id")
    first, failed, last = answers(done)
    assert first == last and first[1]["prediction"] == "Gentoo"
    assert failed[1]["prediction"] is None and reason in str(failed[1]["error"])
    logged = run(good + line + b"\n" + good, "--key", "id", "--on-error", "log")
    assert answers(logged) == [first, last] and reason in logged.stderr.decode()
    refused = run(good + line + b"\n" + good, "--key", "id", "--on-error", "raise")
    assert refused.returncode == 4 and b"--on-error is raise" in refused.stderr


def test_counters_tell_hadoop_what_was_done(run: Run) -> None:
    done = run(lines_of(*[BIRD] * 2500, *[{}] * 4))
    grown = re.findall(r"^reporter:counter:flyweight,(\w+),(\d+)$", done.stderr.decode(), re.MULTILINE)
    assert len(grown) > 4, "they are told while the task runs"
    sums = {name: sum(int(number) for one, number in grown if one == name) for name, _ in grown}
    assert sums == {"rows": 2504, "answered": 2500, "failed": 4}
    assert done.stderr.decode().splitlines()[-1] == "reporter:status:flyweight: 2504 rows, 4 failed"


def test_too_many_failed_rows_fail_the_task(run: Run) -> None:
    lines = lines_of(BIRD, {}, {}, BIRD)
    assert run(lines).returncode == 0
    done = run(lines, "--max-error-rate", "0.4")
    assert done.returncode == 4 and b"2 of 4 rows failed, more than --max-error-rate 0.4" in done.stderr
    assert run(b"", "--max-error-rate", "0").returncode == 0


REFUSED = [
    (["--model", "/nowhere/model.safetensors"], 3, "the model can't be loaded"),
    (["--format", "csv"], 2, "--format csv needs --columns"),
    (["--format", "csv", "--columns", "island,sex"], 2, "the options do not fit the model"),
    (["--format", "csv", "--columns", ",".join(NAMES), "--key", "id"], 2, "no column 'id'"),
    (["--outputs", "transformed"], 2, "the options do not fit the model"),
    (["--max-error-rate", "2"], 2, "expected a share from 0 to 1"),
]


@pytest.mark.parametrize(("options", "status", "words"), REFUSED)
def test_options_and_models_that_make_no_sense_end_with_a_status(run: Run, options: list[str], status: int, words: str) -> None:
    done = run(lines_of(BIRD), *options)
    assert done.returncode == status and words in done.stderr.decode() and not done.stdout


def test_an_old_python_is_told_what_is_needed(built: Callable[[str], Path], tmp_path: Path) -> None:
    mapper = built("hadoop") / "mapper.pyz"
    with zipfile.ZipFile(mapper) as parts:
        first = [parts.read(name).decode() for name in ("__main__.py", "hadoop_main.py")]
    for source in first:
        ast.parse(source, feature_version=(3, 4))
    imported = [node for node in ast.parse(first[1]).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(node) for node in imported] == ["import sys"], "nothing else is imported before the version is checked"
    program = f"import sys, runpy; sys.version_info = (3, 6, 8, 'final', 0); runpy.run_path({str(mapper)!r})"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True)
    assert done.returncode == 5 and "needs Python 3.11 or newer" in done.stderr and "is Python 3.6.8" in done.stderr


@settings(max_examples=5)
@given(cuts=st.lists(st.integers(0, 200), max_size=4))
def test_no_answer_depends_on_where_the_lines_were_cut(penguins: Path, cuts: list[int]) -> None:
    """NumPy is loaded here, whose last digits would depend on it."""
    import numpy  # noqa: F401

    sys.path.insert(0, str(ROOT / "handlers" / "hadoop"))
    try:
        import hadoop_mapper
    finally:
        sys.path.pop(0)
    rows = json.loads(fitted.penguins()[1].to_json(orient="records"))[:200]
    lines = [lines_of(row) for row in rows]

    def mapped(part: list[bytes]) -> bytes:
        import io

        out = io.BytesIO()
        options = hadoop_mapper._options([])
        hadoop_mapper.Mapper(flyweight.load(penguins), options, out, io.StringIO()).run(io.BytesIO(b"".join(part)))
        return out.getvalue()

    edges = [0, *sorted(cuts), 200]
    assert b"".join(mapped(lines[a:b]) for a, b in pairwise(edges)) == mapped(lines)


def test_the_file_is_the_same_each_time(penguins: Path, tmp_path: Path) -> None:
    made = [flyweight.build("hadoop", penguins, tmp_path / name, python=PYTHON).folder for name in "ab"]
    first, second = [(folder / "mapper.pyz").read_bytes() for folder in made]
    assert first == second


def test_a_model_that_needs_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# of the model\nonnxruntime==1.31.1\n")
    with pytest.raises(BuildFailed, match=r"plain Python, and this one needs onnxruntime==1\.31\.1") as refused:
        refuse_unfit(tmp_path)
    assert "pack the model with --engine pure" in refused.value.next_step
