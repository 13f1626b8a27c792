"""Whatever file a verb gets, it ends in an answer or in one message with a next step, never in a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import joblib
import pandas as pd
import pytest
from click.testing import Result

from flyweight.toolkit.packing.pack import pack
from tests.toolkit.cli import odd_files

AS_MODEL = (
    "pack {} --rows 5 -o out.safetensors",
    "inspect {}",
    "predict {} rows.csv",
    "build aws --model {} -o built",
    "verify {} --key key.pub",
    "push {} store",
)
AS_ROWS = ("predict good.safetensors {}", "pack good.joblib --rows 5 --sample {} -o out.safetensors")
AS_OTHER = (
    "sign good.safetensors --key {}",
    "verify good.safetensors --key {}",
    "invoke aws --folder {}",
    "invoke aws --model {}",
    "invoke aws --folder built --event {}",
    "deploy aws --folder {} --dry-run",
    "plan aws --folder {}",
    "new project --model {}",
    "events show aws predict --model {}",
    "call http://127.0.0.1:9 {} --retries 0",
    "models ls {}",
    "--steps {} inspect good.safetensors",
    "--import {} inspect good.safetensors",
)
ROWS = (odd_files.tables, odd_files.documents, odd_files.binary_tables, odd_files.containers, odd_files.places)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with good files, and work in it."""
    monkeypatch.chdir(tmp_path)
    fitted = odd_files.estimator()
    joblib.dump(fitted, "good.joblib")
    Path("rows.csv").write_text(odd_files.CSV)
    pack(fitted, "good.safetensors", sample=pd.DataFrame(odd_files.X, columns=["a", "b"]), edge_count=5)
    Path("odd").mkdir()
    return tmp_path


def test_there_are_two_hundred_files(tmp_path: Path) -> None:
    made = []
    for family in odd_files.FAMILIES:
        (tmp_path / family.__name__).mkdir()
        made += family(tmp_path / family.__name__)
    assert len({*made}) >= 200


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", odd_files.FAMILIES, ids=lambda family: family.__name__)
def test_a_verb_that_gets_an_odd_file_ends_in_words(
    family: Callable[[Path], list[Path]], here: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.warnoptions", [])
    wrong = []
    for number, path in enumerate(family(here / "odd")):
        verbs = [*AS_MODEL, *(AS_ROWS if family in ROWS else ()), AS_OTHER[number % len(AS_OTHER)]]
        for verb in verbs:
            result = run(*[str(path) if word == "{}" else word for word in verb.split()])
            fault = why_wrong(result, shows_a_log=verb.startswith("invoke"))
            if fault:
                wrong.append(f"{verb.format(path)[:300]!r}: {fault}")
    assert not wrong, "\n".join(wrong)


def why_wrong(result: Result, shows_a_log: bool) -> str:
    """Say how a verb ended otherwise than in an answer, or one message with a next step; "" if it ended well.

    :param shows_a_log: whether the verb shows what a function of the user's printed, which may be a traceback.
    """
    said = result.stderr
    if ("Traceback" in result.output and not shows_a_log) or not isinstance(result.exception, SystemExit | None):
        return f"a traceback: {result.exception!r} {said[-400:]}"
    if result.exit_code == 0:
        return ""
    if result.exit_code == 2:  # click's own message about how a verb is called
        return "" if "Usage: " in said and "\nError: " in said else f"status 2: {said[-400:]}"
    if result.exit_code not in (1, 3):
        return f"status {result.exit_code}: {said[-400:]}"
    errors, steps = said.count("error: "), said.count("\nnext: ")
    return "" if errors >= 1 and steps == 1 and len(said) < 4000 else f"{errors} errors, {steps} next steps: {said[-400:]}"
