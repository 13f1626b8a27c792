"""A sample becomes instances, and again what the estimator takes, with its dtypes and markers of missing values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier
from xgboost import __version__ as xgboost_version

from flyweight import load
from flyweight.models import file as model_file
from flyweight.toolkit.packing.kinds import kind_of_column
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.packing.sample import SampleRefused, Shape, as_categories, form_of, frame_of, names_of, part_of
from flyweight.toolkit.packing.source_table import read_source_table
from flyweight.toolkit.packing.tables import read_table


class Fitted:
    """An estimator that has only the attributes about its features."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def shape_of(estimator: Any, sample: Any) -> Shape:
    """The shape of an estimator of which nothing but its attributes is known."""
    table = read_source_table(estimator, sample, {})
    return table.shape(estimator, table.draft())


FRAME = pd.DataFrame(
    {
        "whole": [1, 2, 3],
        "half": [0.5, np.nan, 1.5],
        "word": pd.Series(["a", None, "b"], dtype=object),
        "flag": [True, False, True],
        "kind": pd.Categorical(["x", "y", None]),
    }
)
NAMES = list(FRAME.columns)


def test_kinds_are_found_from_values() -> None:
    shape = shape_of(Fitted(feature_names_in_=NAMES), FRAME)
    assert shape.kinds == ["number", "number", "string", "boolean", "string"]
    assert shape.markers[2] is None and shape.markers[4] != shape.markers[4]


def test_a_frame_becomes_rows_and_the_same_frame_again() -> None:
    shape = shape_of(Fitted(feature_names_in_=NAMES), FRAME)
    rows = shape.to_rows(FRAME)
    assert rows[0] == [1.0, 0.5, "a", 1.0, "x"] and rows[1][2] is None
    pd.testing.assert_frame_equal(shape.to_estimator(rows), FRAME)


def test_values_that_a_column_never_held_stay_and_its_dtype_changes() -> None:
    shape = shape_of(Fitted(feature_names_in_=NAMES), FRAME)
    frame = shape.to_estimator([[1.5, 1.0, "zzz", float("nan"), "new"]])
    assert frame["whole"].tolist() == [1.5] and frame["flag"].isna().all()
    assert frame["kind"].tolist() == ["new"] and isinstance(frame["kind"].dtype, pd.CategoricalDtype)


def test_arrays_stay_arrays() -> None:
    X = np.array([[1.0, 2.0], [3.0, np.nan]])
    shape = shape_of(Fitted(n_features_in_=2), X)
    np.testing.assert_array_equal(shape.to_estimator(shape.to_rows(X)), X)
    mixed = np.array([["a", 1.0], [None, 2.0]], dtype=object)
    shape = shape_of(Fitted(n_features_in_=2), mixed)
    assert shape.kinds == ["string", "number"]
    assert shape.to_estimator(shape.to_rows(mixed)).tolist() == mixed.tolist()


def test_names_come_from_the_estimator_else_from_the_sample_else_are_numbered() -> None:
    assert names_of(Fitted(feature_names_in_=["a"]), None) == ["a"]
    assert names_of(Fitted(n_features_in_=2), pd.DataFrame({"p": [1], "q": [2]})) == ["p", "q"]
    assert names_of(Fitted(n_features_in_=2), None) == ["x0", "x1"]
    assert names_of(Fitted(), [[1, 2, 3]]) == ["x0", "x1", "x2"]
    assert names_of(Fitted(steps=[("a", "passthrough"), ("b", Fitted(n_features_in_=4))]), None) == ["x0", "x1", "x2", "x3"]
    with pytest.raises(SampleRefused, match="give a sample"):
        names_of(Fitted(), None)
    with pytest.raises(SampleRefused, match=r"a table of rows and features, this one has shape \(3,\)"):
        names_of(Fitted(), [1, 2, 3])
    with pytest.raises(SampleRefused, match="fitted on 2 features, the sample has 1"):
        names_of(Fitted(n_features_in_=2), pd.DataFrame({"p": [1]}))


def test_sparse_tables_are_taken() -> None:
    from scipy.sparse import csr_array

    assert frame_of(csr_array([[1.0, 0.0]]), ["a", "b"]).to_numpy().tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("values", [[1, "x"], [True, 1], [b"x"], [pd.Timedelta("1h")]])
def test_a_column_of_several_or_other_kinds_is_refused(values: list[Any]) -> None:
    with pytest.raises(SampleRefused, match="one kind"):
        kind_of_column(pd.Series(values, dtype=object, name="c"), "c")


def test_a_column_without_any_value_counts_as_numbers() -> None:
    assert shape_of(Fitted(feature_names_in_=["a"]), pd.DataFrame({"a": pd.Series([None, np.nan], dtype=object)})).kinds == [
        "number"
    ]


def test_a_name_over_two_columns_is_refused() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    with pytest.raises(SampleRefused, match="column 'a' twice"):
        frame_of(frame, ["a"])
    assert frame_of(frame, ["b"]).to_numpy().tolist() == [[3]], "a column that is not a feature does no harm"


def test_blanks_around_a_column_name_belong_to_it_only_if_a_feature_has_them() -> None:
    assert frame_of(pd.DataFrame({" a": [1]}), ["a"]).columns.tolist() == ["a"]
    assert frame_of(pd.DataFrame({" a": [1], "a": [2]}), [" a", "a"]).to_numpy().tolist() == [[1, 2]]


def test_rows_are_taken_in_the_form_of_the_sample() -> None:
    from scipy.sparse import csr_array

    assert part_of(pd.DataFrame({"a": [1, 2, 3]}), [2, 0])["a"].tolist() == [3, 1]
    assert part_of(np.array([[1], [2]]), [1]).tolist() == [[2]]
    assert part_of(csr_array([[1.0], [2.0]]), [1]).toarray().tolist() == [[2.0]]
    assert part_of(["a", "b"], [1]) == ["b"]


def test_texts_are_taken_in_any_list_and_given_as_a_list() -> None:
    reader = Fitted(build_analyzer=None)
    pipe = Fitted(steps=[("none", None), ("text", reader), ("model", Fitted(n_features_in_=20))])
    lines = ["a b", "c"]
    for sample, name in [(lines, "text"), (np.array(lines), "text"), (pd.Series(lines, name="review"), "review")]:
        names = names_of(pipe, sample)
        shape = shape_of(pipe, sample)
        assert (names, shape.kinds, shape.form) == ([name], ["string"], "texts")
        assert shape.to_rows(sample) == [["a b"], ["c"]]
        assert shape.to_estimator(shape.to_rows(sample)) == lines
    frame = pd.DataFrame({"title": lines, "other": [1, 2]})
    assert names_of(reader, frame) == ["title"]
    assert shape_of(reader, frame).to_rows(frame) == [["a b"], ["c"]]
    with pytest.raises(SampleRefused, match="2 such columns"):
        names_of(reader, pd.DataFrame({"title": lines, "review": lines}))
    assert shape_of(reader, None).kinds == ["string"]


def test_a_missing_text_is_given_as_the_sample_has_it() -> None:
    shape = shape_of(Fitted(build_analyzer=None), ["a", None])
    assert shape.to_rows(["a", None]) == [["a"], [None]]
    assert shape.to_estimator([[None]]) == [None]


class DictVectorizer(Fitted):
    """A stand-in for the class that reads dictionaries; its name is looked at."""


class FeatureHasher(Fitted):
    """A stand-in for the class that reads dictionaries or pairs."""


ENTRIES: list[dict[str, Any]] = [{"a": 1, "b": "x"}, {"b": "y", "c": True}]


def test_dictionaries_have_a_feature_for_each_key_and_absent_keys_stay_absent() -> None:
    reader = DictVectorizer()
    assert names_of(reader, ENTRIES) == ["a", "b", "c"]
    shape = shape_of(reader, ENTRIES)
    assert shape.kinds == ["number", "string", "boolean"]
    rows = shape.to_rows(ENTRIES)
    assert rows[0][:2] == [1.0, "x"] and rows[1][1:] == ["y", 1.0] and rows[1][0] != rows[1][0]
    assert shape.to_estimator(rows) == ENTRIES
    with pytest.raises(SampleRefused, match="give a sample"):
        names_of(reader, None)


def test_pairs_are_given_as_pairs() -> None:
    reader = FeatureHasher(input_type="pair")
    pairs = [list(entry.items()) for entry in ENTRIES]
    shape = shape_of(reader, pairs)
    assert shape.form == "pairs" and shape.to_estimator(shape.to_rows(pairs)) == pairs


@pytest.mark.parametrize("name", ["best_estimator_", "estimator"])
def test_a_search_reads_what_its_estimator_reads(name: str) -> None:
    assert form_of(Fitted(**{name: Fitted(transformer_list=[("a", "drop"), ("b", Fitted(build_analyzer=None))])})) == "texts"
    assert form_of(Fitted(**{name: Fitted(n_features_in_=2)})) == "table"


def test_columns_become_the_categories_that_the_estimator_takes() -> None:
    read = pd.DataFrame({"kind": ["x", None, "z"], "digit": ["1", np.nan, "2"], "rank": [3, 7, 5]})
    cast = as_categories(read, list(read.columns), {0: ["x", "y"], 1: ["1", "2"], 2: [3, 7]})
    assert cast["kind"].tolist()[0] == "x" and cast["kind"].isna().tolist() == [False, True, True]
    assert cast["digit"].cat.codes.tolist() == [0, -1, 1] and cast["rank"].cat.codes.tolist() == [0, 1, -1]
    assert as_categories(FRAME, NAMES, {4: ["x", "y"]}) is FRAME, "it has them already"
    assert as_categories([[1.0]], ["a"], {0: [1.0]}) == [[1.0]]


# the newest XGBoost for an older Python confuses categories, and its models are refused (docs/boosting.md)
SOUND = pytest.mark.skipif(tuple(map(int, xgboost_version.split(".")[:2])) < (3, 4), reason="XGBoost before 3.4 is refused here")
MAKERS = ["lightgbm.LGBMClassifier", pytest.param("xgboost.XGBClassifier", marks=SOUND), "sklearn.HistGradientBoostingClassifier"]


@pytest.mark.parametrize("make", MAKERS)
def test_a_model_of_pandas_categories_is_packed_with_rows_of_csv(make: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds, ranks = rng.choice(["a", "b", "c"], 200), rng.choice([3, 7, 9], 200)
    frame = pd.DataFrame({"size": rng.normal(size=200), "kind": pd.Categorical(kinds), "rank": pd.Categorical(ranks)})
    frame.loc[3, "kind"] = None
    y = ((frame["size"] > 0) ^ (kinds == "a")).astype(int)
    estimator = CLASSIFIERS[make]().fit(frame, y)
    (tmp_path / "rows.csv").write_text(frame.to_csv(index=False))
    read = read_table(tmp_path / "rows.csv")
    by_frame, by_csv = (pack(estimator, sample=sample, edge_count=100, engine="pure") for sample in (frame, read))
    features = [model_file.parse(packed.data).document["signature"]["features"] for packed in (by_frame, by_csv)]
    assert [feature["kind"] for feature in features[1]] == ["number", "string", "number"] and features[0] == features[1]


CLASSIFIERS: dict[str, Any] = {
    "lightgbm.LGBMClassifier": lambda: LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
    "xgboost.XGBClassifier": lambda: XGBClassifier(n_estimators=5, enable_categorical=True, n_jobs=1),
    "sklearn.HistGradientBoostingClassifier": lambda: HistGradientBoostingClassifier(max_iter=5),
}


@pytest.mark.parametrize("form", ["frame", "csv", "json", "parquet", "none"])
@pytest.mark.parametrize("values", [[1, 2, 3], [1, None, 2.5]], ids=["integers", "numbers and None"])
def test_numbers_in_a_column_of_objects_are_packed(values: list[Any], form: str, tmp_path: Path) -> None:
    X = pd.DataFrame({"a": np.linspace(-1, 1, 60), "b": pd.Series(values * 20, dtype=object)})
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(make_column_transformer((encoder, ["b"]), remainder="passthrough"), LogisticRegression())
    model.fit(X, np.arange(60) % 3 == 0)
    path = tmp_path / f"rows.{form}"
    write = {"csv": lambda: X.to_csv(path, index=False), "json": lambda: X.to_json(path, orient="records")}
    write.get(form, lambda: X.to_parquet(path))()
    sample = X if form == "frame" else None if form == "none" else read_table(path)
    packed = pack(model, tmp_path / "m.safetensors", sample=sample)
    assert packed.parity is not None and packed.parity.label_differences == 0
    rows = [[a, None if b is None else float(b)] for a, b in zip(X["a"], X["b"], strict=True)]
    assert [*load(tmp_path / "m.safetensors").predict(rows).predictions] == model.predict(X).tolist()


def test_lists_in_a_file_are_in_the_order_of_the_features(tmp_path: Path) -> None:
    estimator = Fitted(feature_names_in_=["a", "b"], n_features_in_=2)
    (tmp_path / "rows.json").write_text("[[1, 2.5], [3, 4.5]]")
    table = read_source_table(estimator, read_table(tmp_path / "rows.json"), {})
    assert [column.tolist() for column in table.columns if column is not None] == [[1, 3], [2.5, 4.5]]
    (tmp_path / "wide.json").write_text("[[1, 2, 3]]")
    with pytest.raises(SampleRefused, match="fitted on 2 features, a row of the sample has 3 values"):
        read_source_table(estimator, read_table(tmp_path / "wide.json"), {})
