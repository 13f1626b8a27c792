"""A file is scored once and whole: in any format each row is answered or rejected with its line; a bad file leaves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from flyweight.errors import InvalidInput, MalformedRequest, ObjectNotFound, UnsupportedMediaType
from flyweight.files.scoring import score_object
from tests.files.samples import BAD, CSV, FILES, GOOD, LINES, TABLE, bytes_of, cut, documents, folder, predictor, small

if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.stores import Store

__all__ = ["folder", "predictor", "small"]


def test_every_row_is_answered_once_or_rejected_with_its_line(predictor: Predictor, folder: Store) -> None:
    done = score_object(predictor, folder, "in/a.csv", folder, "out")
    answers, rejects = map(documents, bytes_of(folder, done))
    assert (done.done, done.rows, done.rejected) == (True, len(GOOD), len(BAD))
    assert [answer["line"] for answer in answers] == GOOD
    assert [reject["line"] for reject in rejects] == BAD
    assert [reject["row"] for reject in rejects] == [LINES[line - 1] for line in BAD]
    assert [reject["problem"]["status"] for reject in rejects] == [400, 400, 422]
    assert rejects[2]["problem"]["errors"][0] == {
        "expected": "a number or null",
        "actual": f"'{LINES[30].split(',')[1]}'",
        "feature": "bill_length_mm",
    }


def test_answers_are_those_of_a_request(predictor: Predictor, folder: Store) -> None:
    answers = documents(bytes_of(folder, score_object(predictor, folder, "in/a.jsonl", folder, "out"))[0])
    expected = predictor.predict(TABLE)
    assert [answer["prediction"] for answer in answers] == expected.predictions
    probabilities = [pytest.approx(one, abs=1e-12) for one in expected.probabilities or []]
    assert [answer["probabilities"] for answer in answers] == probabilities
    assert [answer["line"] for answer in answers] == [*range(1, len(TABLE) + 1)]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
def test_a_compressed_file_gives_the_same_answers(predictor: Predictor, folder: Store, name: str) -> None:
    plain = bytes_of(folder, score_object(predictor, folder, "in/a.csv", folder, "out"))
    assert bytes_of(folder, score_object(predictor, folder, f"in/{name}", folder, "out")) == plain


def test_parquet_gives_the_answers_of_json_lines(predictor: Predictor, tmp_path: Path, folder: Store) -> None:
    TABLE.to_parquet(tmp_path / "in" / "a.parquet", row_group_size=8, index=False)
    lines = bytes_of(folder, score_object(predictor, folder, "in/a.jsonl", folder, "out"))
    whole = documents(bytes_of(folder, score_object(predictor, folder, "in/a.parquet", folder, "out"))[0])
    assert [answer["line"] for answer in whole] == [*range(1, len(TABLE) + 1)]
    assert [answer["prediction"] for answer in whole] == [answer["prediction"] for answer in documents(lines[0])]
    assert bytes_of(folder, cut(predictor, folder, "in/a.parquet", 4)) == bytes_of(
        folder, score_object(predictor, folder, "in/a.parquet", folder, "out")
    )


def test_answers_in_csv_have_one_header(predictor: Predictor, folder: Store) -> None:
    done = cut(predictor, folder, "in/a.csv", 5, file_format="csv")
    table = pd.read_csv(f"{folder._folder}/{done.output}")  # type: ignore[attr-defined]
    assert table["line"].tolist() == GOOD
    classes = [f"probability_{name}" for name in ("Adelie", "Chinstrap", "Gentoo")]
    assert table.columns.tolist() == ["line", "prediction", *classes]


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("b.csv", b"island,year\nBiscoe,2007\n", InvalidInput),
        ("b.csv", b"", MalformedRequest),
        ("b.csv.gz", FILES["a.csv.gz"][:-300], MalformedRequest),
        ("b.csv.gz", CSV, MalformedRequest),
        ("b.parquet", CSV, MalformedRequest),
        ("b.txt", CSV, UnsupportedMediaType),
    ],
)
def test_a_file_that_can_not_be_scored_is_refused_and_leaves_nothing(
    predictor: Predictor, folder: Store, name: str, data: bytes, kind: type[Exception]
) -> None:
    folder.put(f"in/{name}", data, None)
    with pytest.raises(kind):
        score_object(predictor, folder, f"in/{name}", folder, "out")
    assert folder.keys("out") == []


def test_a_file_with_only_a_header_gives_empty_answers(predictor: Predictor, folder: Store) -> None:
    folder.put("in/b.csv", CSV.splitlines()[0], None)
    done = score_object(predictor, folder, "in/b.csv", folder, "out")
    assert bytes_of(folder, done) == (b"", b"") and done.rejects == ""


def test_a_missing_file_is_an_error(predictor: Predictor, folder: Store) -> None:
    with pytest.raises(ObjectNotFound):
        score_object(predictor, folder, "in/none.csv", folder, "out")
