"""Kinds of columns: what the estimator tells comes first, and what contradicts it is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier  # type: ignore[import-untyped]
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from flyweight.toolkit.packing.pack import Packed, pack
from flyweight.toolkit.packing.sample import SampleRefused
from flyweight.toolkit.packing.source_table import read_source_table
from flyweight.toolkit.packing.tables import read_table

ROWS = 60
RNG = np.random.default_rng(0)
SIZE = RNG.normal(size=ROWS)
ZIP = RNG.choice(["01234", "00501", "90210"], ROWS)
Y = (SIZE + 2 * (ZIP == "01234") > 1).astype(int)
CODES = pd.DataFrame({"zip": ZIP, "size": SIZE})
LOST = CODES.assign(zip=CODES["zip"].astype(int))


def encoded(column: str) -> Any:
    encoder = ColumnTransformer([("words", OneHotEncoder(handle_unknown="ignore"), [column])], remainder="passthrough")
    return make_pipeline(encoder, LogisticRegression())


def catboost(*columns: Any) -> Any:
    return CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False, cat_features=[*columns], thread_count=1)


def as_csv(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    frame.to_csv(folder / "rows.csv", index=False)
    return read_table(folder / "rows.csv")


def kinds(estimator: Any, sample: Any, types: dict[str, str] | None = None) -> dict[str, str | None]:
    table = read_source_table(estimator, sample, types or {})
    return dict(zip(table.names, table.kinds, strict=True))


def packed(estimator: Any, sample: Any, **options: Any) -> Packed:
    return pack(estimator, sample=sample, edge_count=20, **options)


@pytest.mark.parametrize("estimator", [encoded("zip"), catboost("zip")], ids=["one-hot", "catboost"])
def test_zeros_in_front_of_codes_survive_a_sample_of_csv(estimator: Any, tmp_path: Path) -> None:
    made = packed(estimator.fit(CODES, Y), as_csv(CODES, tmp_path))
    assert made.parity.label_differences == 0 and made.read_back["CSV"] == ROWS
    assert kinds(estimator, as_csv(CODES, tmp_path)) == {"zip": "string", "size": "number"}


@pytest.mark.parametrize("estimator", [encoded("zip"), catboost("zip")], ids=["one-hot", "catboost"])
@pytest.mark.parametrize("form", ["frame", "csv"])
def test_codes_that_lost_their_zeros_are_refused_by_name(estimator: Any, form: str, tmp_path: Path) -> None:
    estimator.fit(CODES, Y)
    with pytest.raises(SampleRefused, match=r"column 'zip': .* knows .*'0\d+'.*holds .*501.*") as caught:
        packed(estimator, LOST if form == "frame" else as_csv(LOST, tmp_path))
    assert "strings" in caught.value.next_step or "dtype" in caught.value.next_step


def test_the_contradiction_names_column_rows_and_both_kinds() -> None:
    frame = pd.DataFrame({"code": ["1", "2"] * 30, "size": SIZE})
    with pytest.raises(SampleRefused, match=r"'code': OneHotEncoder knows strings there \('1', '2'\), .* numbers \(1 in row 1"):
        kinds(encoded("code").fit(frame, Y), frame.assign(code=frame["code"].astype(int)))
    numbers = frame.assign(code=frame["code"].astype(int))
    with pytest.raises(SampleRefused, match=r"'code': OneHotEncoder knows numbers there \(1, 2\), .* strings \('1' in row 1"):
        kinds(encoded("code").fit(numbers, Y), frame)


def test_integer_categories_are_read_as_numbers_and_digits_as_strings(tmp_path: Path) -> None:
    whole = pd.DataFrame({"code": RNG.integers(0, 3, ROWS), "size": SIZE})
    framed = whole.assign(code=whole["code"].astype("category"))
    digits = whole.assign(code=whole["code"].astype(str).astype("category"))
    booster = LGBMClassifier(n_estimators=3, min_child_samples=2, verbose=-1, n_jobs=1)
    for training, kind in ((framed, "number"), (digits, "string")):
        estimator = booster.fit(training, Y)
        assert kinds(estimator, as_csv(whole, tmp_path))["code"] == kind
        assert packed(estimator, as_csv(whole, tmp_path)).parity.label_differences == 0


@pytest.mark.parametrize("sort", ["category", "object with None", "words", "bool"])
@pytest.mark.parametrize("form", ["frame", "csv"])
def test_booleans_are_read_as_the_estimator_met_them(sort: str, form: str, tmp_path: Path) -> None:
    flags = pd.Series(RNG.random(ROWS) < 0.5)
    frame = pd.DataFrame({"flag": flags, "size": SIZE})
    estimator: Any = encoded("flag")
    if sort == "category":
        frame["flag"] = flags.astype("category")
        estimator = LGBMClassifier(n_estimators=3, min_child_samples=2, verbose=-1, n_jobs=1)
    elif sort == "object with None":
        frame["flag"] = flags.astype(object).where(flags.index % 7 != 0, None)
    elif sort == "words":
        frame["flag"] = flags.astype(str).astype(object)
    y = (SIZE + 2 * flags > 1).astype(int)
    estimator.fit(frame, y)
    sample = frame if form == "frame" else as_csv(frame, tmp_path)
    assert kinds(estimator, sample)["flag"] == ("string" if sort == "words" else "boolean")
    assert packed(estimator, sample).parity.label_differences == 0


def test_words_for_booleans_before_a_tree_are_booleans(tmp_path: Path) -> None:
    frame = pd.DataFrame({"flag": RNG.random(ROWS) < 0.5, "size": SIZE})
    tree = DecisionTreeClassifier(random_state=0).fit(frame, Y)
    assert (
        kinds(tree, as_csv(frame.assign(flag=frame["flag"].map({True: "TRUE", False: "FALSE"})), tmp_path))["flag"] == "boolean"
    )


def test_a_text_where_a_model_computes_is_refused_with_its_row(tmp_path: Path) -> None:
    tree = DecisionTreeClassifier().fit(CODES[["size"]], Y)
    wrong = CODES[["size"]].astype(object)
    wrong.iloc[4, 0] = "many"
    with pytest.raises(SampleRefused, match=r"'size' .* 'many' \(row 5\), and DecisionTreeClassifier reads numbers there"):
        kinds(tree, as_csv(wrong, tmp_path))


@pytest.mark.parametrize("form", ["frame", "csv", "csv with an empty cell"])
def test_a_number_that_no_double_holds_is_refused(form: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [2**53 + 1, 5] * 30, "size": SIZE})
    estimator = LogisticRegression().fit(frame, Y)
    sample: Any = frame
    if form != "frame":
        with_gap = frame.assign(id=frame["id"].astype(object).where(frame.index != 1, None))
        sample = as_csv(frame if form == "csv" else with_gap, tmp_path)
    with pytest.raises(SampleRefused, match=r"'id', row 1: 9007199254740993 is above 2\*\*53, and a double"):
        kinds(estimator, sample)
    assert kinds(estimator, frame.assign(id=2**60))["id"] == "number", "a power of two is exact"


def test_infinity_is_refused_with_its_row() -> None:
    tree = DecisionTreeClassifier().fit(CODES[["size"]], Y)
    with pytest.raises(SampleRefused, match="'size', row 3: infinity"):
        kinds(tree, pd.DataFrame({"size": np.where(np.arange(ROWS) == 2, np.inf, SIZE)}))


def own(frame: Any) -> Any:
    """A step of a user, of which nothing is known."""
    return frame[["size"]]


UNKNOWN = make_pipeline(FunctionTransformer(own), LogisticRegression()).fit(CODES, Y)


def test_csv_before_an_unknown_step_needs_its_kinds_told(tmp_path: Path) -> None:
    with pytest.raises(SampleRefused, match=r"the estimator does not tell: 'zip': .*'size'") as caught:
        kinds(UNKNOWN, as_csv(CODES, tmp_path))
    assert "--types zip=string,size=number" in caught.value.next_step, "a number would lose its zeros"
    told = kinds(UNKNOWN, as_csv(CODES, tmp_path), {"zip": "string", "size": "number"})
    assert told == {"zip": "string", "size": "number"}
    assert kinds(UNKNOWN, CODES) == told, "a DataFrame has dtypes"
    words = as_csv(CODES.assign(zip="north"), tmp_path)
    assert kinds(UNKNOWN, words, {"size": "number"})["zip"] == "string", "no number is written like this"


def test_datetimes_of_csv_are_told_by_the_user(tmp_path: Path) -> None:
    frame = CODES.assign(zip=pd.date_range("2024-02-28", periods=ROWS, freq="h"))
    types = {"zip": "datetime", "size": "number"}
    table = read_source_table(UNKNOWN, as_csv(frame, tmp_path), types)
    assert table.kinds == ["datetime", "number"]
    assert table.columns[0] is not None and table.columns[0].tolist() == frame["zip"].tolist()
    with pytest.raises(SampleRefused, match="'zip' of the sample, row 1: expected a datetime of ISO 8601, got 'soon'"):
        read_source_table(UNKNOWN, as_csv(frame.assign(zip="soon"), tmp_path), types)


@pytest.mark.parametrize(
    ("types", "words", "step"),
    [
        ({"zpi": "string"}, "--types names 'zpi'", "did you mean 'zip'"),
        ({"zip": "strin"}, "no kind has this name", "did you mean 'string'"),
        ({"zip": "number"}, "OneHotEncoder knows strings there", "leave zip out"),
    ],
)
def test_what_the_user_names_is_checked(types: dict[str, str], words: str, step: str, tmp_path: Path) -> None:
    with pytest.raises(SampleRefused, match=words) as caught:
        kinds(encoded("zip").fit(CODES, Y), as_csv(CODES, tmp_path), types)
    assert step in caught.value.next_step


def test_numbers_do_not_become_the_strings_that_a_user_names() -> None:
    with pytest.raises(SampleRefused, match=r"--types says zip=string.*holds numbers.*zeros in front of a number are lost"):
        kinds(UNKNOWN, LOST, {"zip": "string"})


@pytest.mark.parametrize(
    "extra",
    [pd.date_range("2020", periods=ROWS, freq="h"), [1, "x"] * 30, [[1]] * ROWS, [None] * ROWS],
    ids=["datetimes", "mixed", "lists", "none"],
)
def test_a_column_that_nothing_reads_may_hold_anything_or_be_absent(extra: Any) -> None:
    frame = pd.DataFrame({"size": SIZE, "extra": extra})
    pipe = make_pipeline(ColumnTransformer([("size", StandardScaler(), ["size"])]), LogisticRegression()).fit(frame, Y)
    for sample in (frame, frame[["size"]], None):
        assert kinds(pipe, sample)["extra"] == "unread"
        assert packed(pipe, sample).parity.label_differences == 0


def test_datetimes_of_json_are_read_as_such_where_the_estimator_knows_datetimes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": RNG.choice(pd.date_range("2024-01-01", periods=3), ROWS), "size": SIZE})
    frame.to_json(tmp_path / "rows.jsonl", orient="records", lines=True, date_format="iso")
    estimator = encoded("day").fit(frame, Y)
    assert kinds(estimator, read_table(tmp_path / "rows.jsonl")) == {"day": "datetime", "size": "number"}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_missing_word_of_a_file_is_the_none_that_the_encoder_knows(suffix: str, tmp_path: Path) -> None:
    """No file tells None from NaN, which are two categories to an encoder."""
    words = np.where(SIZE > 0.5, None, ZIP.astype(object))
    frame = pd.DataFrame({"zip": pd.Series(words, dtype=object), "size": SIZE})
    path = tmp_path / f"rows.{suffix}"
    write: Any = {"csv": lambda: frame.to_csv(path, index=False), "parquet": lambda: frame.to_parquet(path)}
    write.get(suffix, lambda: frame.to_json(path, orient="records", lines=True))()
    table = read_source_table(encoded("zip").fit(frame, Y), read_table(path), {})
    assert table.markers[0] is None and table.columns[0] is not None
    assert [value is None for value in table.columns[0].tolist()] == [word is None for word in words]


def test_booleans_of_csv_with_missing_ones_are_no_objects_to_lightgbm(tmp_path: Path) -> None:
    flags = pd.array(np.where(SIZE > 0.5, None, (SIZE > 0).astype(object)), dtype="boolean")
    frame = pd.DataFrame({"flag": flags, "size": SIZE})
    estimator = LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1).fit(frame, Y)
    made = packed(estimator, as_csv(frame, tmp_path))
    assert made.parity.label_differences == 0 and kinds(estimator, as_csv(frame, tmp_path))["flag"] == "boolean"


def test_decimals_of_a_database_are_numbers() -> None:
    frame = pd.DataFrame({"price": [Decimal(int(10 * size)) / 4 for size in SIZE], "size": SIZE})
    made = packed(DecisionTreeClassifier(max_depth=2).fit(frame, Y), frame)
    assert made.parity.label_differences == 0 and made.read_back["JSON"] == ROWS


@pytest.mark.parametrize("columns", [[0, 1], [0.0, 1.5], [False, True], pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")])])
def test_columns_whose_names_are_no_texts_are_packed(columns: Any) -> None:
    frame = pd.DataFrame(RNG.normal(size=(ROWS, 2)), columns=columns)
    estimator = LogisticRegression().fit(frame, Y)
    assert packed(estimator, frame).parity.label_differences == 0
    assert kinds(estimator, frame) == {str(name): "number" for name in columns}


def test_blanks_around_the_names_in_a_header_are_no_part_of_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(CODES.to_csv(index=False).replace("zip,size", " zip , size ", 1))
    made = packed(encoded("zip").fit(CODES, Y), read_table(path))
    assert made.parity.label_differences == 0 and made.read_back["CSV"] == ROWS
