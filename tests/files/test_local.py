"""Lines of a file of this machine are those that a store gets for it, with the file's name in front."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flyweight.errors import InvalidInput, ObjectNotFound, UnsupportedMediaType
from flyweight.files.local import scored_lines
from flyweight.files.scoring import score_object
from tests.files.samples import bytes_of, documents, folder, predictor, small

if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.stores import Store

__all__ = ["folder", "predictor", "small"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.csv.gz"])
def test_lines_are_those_that_a_store_gets(predictor: Predictor, folder: Store, tmp_path: Path, name: str) -> None:
    lines = [json.loads(line) for line in scored_lines(predictor, str(tmp_path / "in" / name))]
    answers, rejects = map(documents, bytes_of(folder, score_object(predictor, folder, f"in/{name}", folder, "out")))
    assert answers and {line.pop("file") for line in lines} == {name}
    assert [line for line in lines if "problem" not in line] == answers
    assert [line for line in lines if "problem" in line] == rejects


def test_a_relative_path_begins_at_the_working_directory(
    predictor: Predictor, folder: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [*scored_lines(predictor, "in/a.jsonl")] == [*scored_lines(predictor, str(tmp_path / "in" / "a.jsonl"))]


def test_a_line_stays_one_line_whatever_its_texts_hold(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "b\u2028 é.jsonl").write_text(json.dumps({"island": "a\u2028b\u0085c\nd"}) + "\n")
    (line,) = scored_lines(predictor, str(tmp_path / "b\u2028 é.jsonl"))
    assert json.loads(line)["file"] == "b\u2028 é.jsonl" and "\n" not in line


def test_a_file_that_can_not_be_scored_raises(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("wrong\n1\n")
    (tmp_path / "a.txt").write_text("1\n")
    for name, kind in (("a.csv", InvalidInput), ("a.txt", UnsupportedMediaType), ("none.csv", ObjectNotFound)):
        with pytest.raises(kind):
            [*scored_lines(predictor, str(tmp_path / name))]
