"""Parity includes the reading: what the model's readers give back from files is what the estimator was asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from flyweight.formats.csv import MISSING
from flyweight.models import file as model_file
from flyweight.models import texts
from flyweight.predictor import Predictor
from flyweight.toolkit.packing import original, sample
from flyweight.toolkit.packing.original import SampleMisread
from flyweight.toolkit.packing.pack import Packed, pack
from flyweight.toolkit.packing.sample import SampleRefused

ROWS = 60
FORMS = ["CSV", "JSON", "NDJSON", "Parquet"]
RNG = np.random.default_rng(0)
SIZE = RNG.normal(size=ROWS)


def encoded() -> Any:
    encoder = ColumnTransformer([("words", OneHotEncoder(handle_unknown="ignore"), ["word"])], remainder="passthrough")
    return make_pipeline(encoder, LogisticRegression())


def of_words(*words: str | None) -> tuple[Any, pd.DataFrame]:
    """A model that depends on words, and its table."""
    frame = pd.DataFrame({"word": pd.Series(RNG.choice(np.array(words, dtype=object), ROWS), dtype=object), "size": SIZE})
    return encoded().fit(frame, (SIZE + 2 * (frame["word"] == words[0]) > 1).astype(int)), frame


def packed(estimator: Any, X: Any, **options: Any) -> Packed:
    return pack(estimator, sample=X, edge_count=20, **options)


def signature(made: Packed) -> dict[str, Any]:
    document: dict[str, Any] = model_file.parse(made.data).document["signature"]
    return document


def test_a_category_called_na_is_never_null_and_the_list_is_recorded() -> None:
    made = packed(*of_words("NA", "DE", "FR"))
    word, size = signature(made)["features"]
    assert {*signature(made)["missing"]} == MISSING and "missing" not in size
    assert "NA" not in word["missing"] and {*word["missing"]} == MISSING - {"NA"}
    assert made.read_back == dict.fromkeys(FORMS, ROWS)


def test_the_report_and_the_file_tell_what_was_read_back() -> None:
    made = packed(*of_words("a", "b"))
    assert model_file.parse(made.data).document["parity"]["read_back"] == dict.fromkeys(FORMS, ROWS) == made.read_back


@pytest.mark.parametrize(
    "words", [("", "a"), ("null", "None", ""), (" a", "a", "a "), ('"', ",", "\n", "\r\n", "'"), ("é", "e\u0301")]
)
def test_each_string_comes_back_as_it_is(words: tuple[str, ...]) -> None:
    assert packed(*of_words(*words)).read_back == dict.fromkeys(FORMS, ROWS)


def test_nulls_beside_empty_texts_are_written_with_another_word() -> None:
    assert packed(*of_words("", "a", None)).read_back["CSV"] == ROWS


def test_rows_that_csv_can_not_hold_are_told() -> None:
    estimator, frame = of_words("a", None, *MISSING)
    made = packed(estimator, frame)
    missing = int(frame["word"].isna().sum())
    assert made.read_back["CSV"] == ROWS - missing and made.read_back["JSON"] == ROWS
    assert made.unread == [f"CSV: {missing} rows with missing strings, for which every text is a category"]


def test_a_reader_that_loses_a_category_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: a reader that takes a category for null, as readers of CSV do."""
    from flyweight.formats import csv

    monkeypatch.setattr(csv, "value_of", lambda text, feature: None if text == "NA" else texts.value_of(text, feature))
    with pytest.raises(SampleMisread, match=r"read back from CSV, row \d+ of the sample, column 'word': missing instead of 'NA'"):
        packed(*of_words("NA", "DE"))


def test_a_reader_that_refuses_a_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from flyweight.formats import csv

    monkeypatch.setattr(csv, "value_of", lambda text, feature: text)
    with pytest.raises(SampleMisread, match=r"read back from CSV, row \d+ of the sample: the model refuses it: .*'size'"):
        packed(*of_words("a", "b"))


def test_a_table_that_is_rebuilt_wrongly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: rows that are not the user's own ones, although all engines agree on them."""
    right = sample.Shape.to_rows
    monkeypatch.setattr(sample.Shape, "to_rows", lambda shape, X: [["b", *row[1:]] for row in right(shape, X)])
    with pytest.raises(SampleMisread, match=r"the estimator answers .*, and to the same row as a request .*column 'word' is"):
        packed(*of_words("a", "b"))


def test_numbers_of_single_precision_come_back_within_their_digits() -> None:
    frame = pd.DataFrame({"a": SIZE.astype(np.float32), "b": RNG.normal(size=ROWS).astype(np.float32)})
    labels = (frame["a"] + frame["b"] > 0).astype(int)
    for estimator in (LogisticRegression(), HistGradientBoostingClassifier(max_iter=5)):
        assert packed(estimator.fit(frame, labels), frame).read_back == dict.fromkeys(FORMS, ROWS)


def test_texts_are_read_back() -> None:
    lines = ["good day", 'a "quoted", line', "two\nlines", "NA", ""] * 12
    estimator = make_pipeline(CountVectorizer(), LogisticRegression()).fit(lines, [1, 0, 1, 0, 1] * 12)
    assert packed(estimator, lines).read_back == dict.fromkeys(FORMS, 60)


def test_answers_that_depend_on_other_rows_are_compared_one_by_one() -> None:
    X = np.abs(RNG.normal(size=(ROWS, 3)))
    assert packed(NMF(2, max_iter=1000, random_state=0).fit(X), X).read_back["CSV"] == original.ALONE


def test_a_sample_that_the_estimator_refuses_is_refused_with_its_error() -> None:
    X = pd.DataFrame({"a": SIZE})
    with pytest.raises(SampleRefused, match="NaN"):
        packed(LogisticRegression().fit(X, SIZE > 0), X.assign(a=np.nan))


def test_unknown_inputs_are_ignored_if_the_packer_says_so() -> None:
    made = packed(*of_words("a", "b"), unknown="ignore")
    assert signature(made)["unknown"] == "ignore" and "unknown" not in signature(packed(*of_words("a", "b")))
    model = Predictor(model_file.parse(made.data))
    assert model.predict([{"word": "a", "size": 1.0, "more": 3}]).predictions


def test_a_wide_table_is_read_back_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from flyweight.toolkit.packing import reading

    monkeypatch.setattr(reading, "MAX_CELLS", 20)
    assert packed(*of_words("a", "b")).read_back == dict.fromkeys(FORMS, 10)


def test_digits_of_half_precision_that_decide_are_found() -> None:
    """CSV of pandas has the float16 0.50244140625 as 0.5024, which is another category."""
    frame = pd.DataFrame({"word": np.where(SIZE > 1, 0.50244140625, 0.25).astype(np.float16)})
    estimator = encoded().fit(frame, (SIZE > 1).astype(int))
    with pytest.raises(SampleMisread, match=r"read back from CSV, row \d+ of the sample.*the digits of its numbers decide"):
        packed(estimator, frame)
