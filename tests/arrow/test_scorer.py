"""A scorer answers each row of a batch as the model does, wherever batches are cut, and says why a row has no answer."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import flyweight
from flyweight.arrow.scorer import Scorer, WrongScorer
from flyweight.errors import InvalidInput, ModelRefused
from flyweight.values import Prediction
from tests import fitted

ROWS = np.random.default_rng(5).normal(size=(200, 3))
SIGNS = (ROWS > 0).astype(int)
ESTIMATORS: dict[str, Callable[[], Any]] = {
    "labels": lambda: LogisticRegression().fit(ROWS, SIGNS[:, 0]),
    "large labels": lambda: DecisionTreeClassifier().fit(ROWS, np.array([2**63 + 5, 2**64 - 1], np.uint64)[SIGNS[:, 0]]),
    "texts": lambda: RandomForestClassifier(20, random_state=0).fit(ROWS, np.where(ROWS.sum(axis=1) > 0, "up", "down")),
    "flags": lambda: LogisticRegression().fit(ROWS, SIGNS[:, 0] > 0),
    "number": lambda: RandomForestRegressor(20, random_state=0).fit(ROWS, ROWS.sum(axis=1)),
    "numbers": lambda: LinearRegression().fit(ROWS, ROWS[:, :2]),
    "several labels": lambda: DecisionTreeClassifier(max_depth=3, random_state=0).fit(ROWS, SIGNS[:, :2]),
    "transformed": lambda: PCA(2).fit(ROWS),
    "clusters": lambda: KMeans(3, n_init=1, random_state=0).fit(ROWS),
    "network": lambda: MLPClassifier((9,), max_iter=20, tol=1.0, n_iter_no_change=2, random_state=0).fit(ROWS, SIGNS[:, 0]),
    "kernels": lambda: SVC().fit(ROWS, SIGNS.sum(axis=1)),
    "outliers": lambda: IsolationForest(n_estimators=20, random_state=0).fit(ROWS),
}
FRAME = fitted.penguins()[1]
PENGUINS = pa.Table.from_pandas(FRAME, preserve_index=False)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("scorer")

    def pack(name: str) -> Path:
        path = folder / f"{name}.safetensors"
        if not path.exists():
            flyweight.pack(ESTIMATORS[name](), path, sample=ROWS, name="m", edge_count=20)
        return path

    return pack


def batch(rows: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*map(pa.array, np.asarray(rows).T)], names=["x0", "x1", "x2"])


def whole(prediction: Prediction) -> dict[str, list[Any]]:
    """The columns of an answer: a name of one row for the name of all."""
    names = {"predictions": "prediction", "score_samples": "score_sample"}
    return {names.get(name, name): values for name, values in prediction._asdict().items() if values and name != "classes"}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_output_of_a_model_is_that_of_predict(name: str, packed: Callable[[str], Path]) -> None:
    model = flyweight.load(str(packed(name)))
    scorer = Scorer(packed(name), outputs=model.output_names)
    answered = scorer(batch(ROWS))
    assert answered.schema == scorer.schema(batch(ROWS).schema) and answered.num_rows == len(ROWS)
    assert answered.to_pydict() == whole(model.predict(ROWS, model.output_names))
    assert scorer(batch(ROWS[:0])).schema == answered.schema and scorer(batch(ROWS[:0])).num_rows == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 400), max_size=40))
def test_no_answer_depends_on_where_a_batch_was_cut(cuts: list[int], penguins: Path) -> None:
    table = pa.concat_tables([PENGUINS, PENGUINS.slice(0, 56)]).combine_chunks()
    scorer = Scorer(penguins)
    ends = sorted({0, *cuts, table.num_rows} & {*range(table.num_rows + 1)})
    pieces = [table.slice(begin, end - begin).to_batches() for begin, end in pairwise(ends)]
    answers = pa.Table.from_batches([*scorer.batches(piece for part in pieces for piece in part)])
    assert answers.combine_chunks().equals(scorer(table).combine_chunks())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_answer_of_any_family_depends_on_where_a_batch_was_cut(name: str, packed: Callable[[str], Path]) -> None:
    """Sums of matrices differ in the last digit between one row and many, and so do exponentials of some machines."""
    scorer, rows = Scorer(packed(name), outputs=flyweight.load(str(packed(name))).output_names), np.tile(ROWS, (12, 1))
    expected, random = scorer(batch(rows)), np.random.default_rng(1)
    for count in (1, 7, 31, 200):
        ends = [0, *sorted(random.integers(0, len(rows), 12).tolist()), len(rows)]
        begin = ends[int(random.integers(0, 12))]
        assert scorer(batch(rows[begin : begin + count])).equals(expected.slice(begin, count)), (name, begin, count)
        pieces = [scorer(batch(rows[first:last])) for first, last in pairwise(ends)]
        assert pa.Table.from_batches(pieces).combine_chunks().to_batches()[0].equals(expected)


def test_columns_are_found_by_name_and_kept_ones_pass_through(penguins: Path) -> None:
    given_ids = PENGUINS.append_column("id", pa.array(range(PENGUINS.num_rows)))
    turned = given_ids.select([*reversed(given_ids.column_names)])
    answered = Scorer(penguins, keep=["id", "island"])(turned)
    assert answered.column_names == ["id", "island", "prediction", "probabilities"]
    assert answered.column("id").to_pylist() == [*range(PENGUINS.num_rows)]
    assert answered.select(["prediction", "probabilities"]).equals(Scorer(penguins)(PENGUINS))


def test_types_of_other_libraries_are_read(packed: Callable[[str], Path], penguins: Path) -> None:
    expected = Scorer(packed("labels"))(batch([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]]))
    for kind in (pa.int8(), pa.int64(), pa.float32(), pa.decimal128(21, 2)):
        columns = [pa.array([1, 0]).cast(kind), pa.array([2, 1]).cast(kind), pa.array([3, -1]).cast(kind)]
        assert Scorer(packed("labels"))(pa.record_batch(columns, names=["x0", "x1", "x2"])).equals(expected), kind
    dictionary = PENGUINS.set_column(0, "island", PENGUINS.column("island").dictionary_encode())
    assert Scorer(penguins)(dictionary).equals(Scorer(penguins)(PENGUINS))


def test_a_row_without_an_answer_has_its_reason_in_a_column(penguins: Path) -> None:
    rows = PENGUINS.slice(0, 6).to_pylist()
    rows[1]["bill_length_mm"], rows[4]["island"] = float("inf"), "x" * 100_000
    table = pa.Table.from_pylist(rows, PENGUINS.schema)
    answered = Scorer(penguins, on_error="column")(table).to_pylist()
    assert [row["error"] is None for row in answered] == [True, False, True, True, False, True]
    assert "feature 'bill_length_mm'" in answered[1]["error"] and "feature 'island'" in answered[4]["error"]
    assert answered[1]["prediction"] is None and answered[4]["probabilities"] is None
    sound = [row for row in range(6) if row not in (1, 4)]
    expected = Scorer(penguins)(table.take(sound)).to_pylist()
    assert [{name: answered[row][name] for name in ("prediction", "probabilities")} for row in sound] == expected
    with pytest.raises(InvalidInput, match="instance 1, feature 'bill_length_mm'"):
        Scorer(penguins)(table)


def test_rows_that_the_model_refuses_are_found_and_the_others_answered(tmp_path: Path) -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    island = FRAME[["island"]]
    estimator = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="error"), ["island"])), LogisticRegression())
    labels = island["island"] == "Biscoe"
    flyweight.pack(estimator.fit(island, labels), tmp_path / "m.safetensors", sample=island, name="m")
    islands = ["Biscoe", "Atlantis", "Dream", "Torgersen", "Ys", "Biscoe"] * 20
    answered = Scorer(tmp_path / "m.safetensors", on_error="column")(pa.record_batch([islands], names=["island"])).to_pylist()
    assert [row["error"] is None for row in answered] == [name not in ("Atlantis", "Ys") for name in islands]
    assert [row["prediction"] for row in answered if row["error"] is None] == [
        name == "Biscoe" for name in islands if name not in ("Atlantis", "Ys")
    ]


def test_what_can_not_be_meant_is_refused_in_words(penguins: Path) -> None:
    with pytest.raises(WrongScorer, match="'raise' or 'column'"):
        Scorer(penguins, on_error="ignore")
    with pytest.raises(WrongScorer, match="no column 'id'"):
        Scorer(penguins, keep=["id"])(PENGUINS)
    with pytest.raises(WrongScorer, match=r"keep=\['id'\]"):
        Scorer(penguins, keep="id")
    with pytest.raises(WrongScorer, match="RecordBatchReader; `batches` scores"):
        Scorer(penguins)(PENGUINS.to_reader())
    with pytest.raises(WrongScorer, match="'prediction' twice"):
        Scorer(penguins, keep=["prediction"])
    with pytest.raises(InvalidInput, match="predictions, probabilities"):
        Scorer(penguins, outputs=["shap"])
    for rows in (PENGUINS, PENGUINS.slice(0, 0)):
        with pytest.raises(InvalidInput, match="island"):
            Scorer(penguins)(rows.drop(["island"]))
    twice = PENGUINS.append_column("id", PENGUINS.column("island")).append_column("id", PENGUINS.column("island"))
    with pytest.raises(WrongScorer, match="2 columns are named 'id'"):
        Scorer(penguins, keep=["id"])(twice)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_a_text_that_is_no_utf8_is_named_by_its_feature(penguins: Path, kind: pa.DataType) -> None:
    latin = pa.array([b"\xe9"] * PENGUINS.num_rows).view(pa.string())
    texts = latin.dictionary_encode() if pa.types.is_dictionary(kind) else latin.cast(kind)
    spoilt = PENGUINS.set_column(PENGUINS.schema.get_field_index("island"), "island", texts)
    with pytest.raises(InvalidInput, match=r"feature 'island': expected texts of UTF-8, got 'utf-8' codec can't decode"):
        Scorer(penguins)(spoilt)


def test_a_scorer_crosses_processes_and_loads_its_model_there(penguins: Path) -> None:
    (piece,) = PENGUINS.combine_chunks().to_batches()
    scorers = [Scorer(penguins), Scorer(str(penguins)), Scorer(penguins.read_bytes()), Scorer(flyweight.load(str(penguins)))]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for scorer in scorers:
            assert pool.submit(scorer, piece).result().equals(scorer(piece))
    assert len(pickle.dumps(scorers[0])) < 1000, "the model itself stays where it is"


def test_another_file_under_the_same_path_is_refused(packed: Callable[[str], Path], penguins: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(packed("clusters").read_bytes())
    pickled = pickle.dumps(Scorer(path))
    path.write_bytes(packed("outliers").read_bytes())
    from flyweight.arrow import loading

    loading.LOADED.clear()
    with pytest.raises(ModelRefused, match="has changed: expected the sha256"):
        pickle.loads(pickled)(batch(ROWS))


def test_a_model_of_a_registry_is_scored(penguins: Path, tmp_path: Path) -> None:
    pushed = flyweight.push(penguins, tmp_path / "models")
    scorer = Scorer(f"file://{tmp_path}/models/penguins@{next(iter(pushed.aliases))}")
    assert scorer(PENGUINS).equals(Scorer(penguins)(PENGUINS))


def test_rows_that_are_dicts_have_the_answers_of_a_batch(penguins: Path) -> None:
    scorer = Scorer(penguins, keep=["sex"])
    assert scorer.rows(PENGUINS.to_pylist()) == scorer(PENGUINS).to_pylist()
    assert scorer.rows([]) == []
    with pytest.raises(WrongScorer, match="row 1 has no 'sex'"):
        scorer.rows([*PENGUINS.slice(0, 1).to_pylist(), {"island": "Dream"}])
    with pytest.raises(WrongScorer, match="row 0 has no 'sex'"):
        scorer.rows([None])
    with pytest.raises(InvalidInput, match="instance 1: expected an array of values or an object by feature name, got null"):
        Scorer(penguins).rows([*PENGUINS.slice(0, 1).to_pylist(), None])


def test_a_dict_with_a_wrong_value_fails_alone(penguins: Path) -> None:
    rows = [{**row, "number": number} for number, row in enumerate(PENGUINS.slice(0, 40).to_pylist())]
    rows[3]["bill_length_mm"], rows[5]["island"] = "long", 5
    del rows[7]["sex"]
    rows[9]["body_mass_g"] = np.float32(rows[9]["body_mass_g"])  # a sound value of another library
    answered = Scorer(penguins, keep=["number"], on_error="column").rows(rows)
    assert [row["number"] for row in answered if row["error"]] == [3, 5, 7]
    assert "got 'long'" in answered[3]["error"] and "got 5" in answered[5]["error"] and "no such feature" in answered[7]["error"]
    expected = Scorer(penguins)(PENGUINS.slice(0, 40)).to_pylist()
    assert all(row["error"] or row.items() >= own.items() for row, own in zip(answered, expected, strict=True))
    with pytest.raises(InvalidInput, match="instance 3, feature 'bill_length_mm'"):
        Scorer(penguins).rows(rows)


def test_a_table_is_read_in_pieces_and_faults_have_its_numbers(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flyweight.arrow import scorer as module

    expected = Scorer(penguins)(PENGUINS)
    monkeypatch.setattr(module, "AT_ONCE", 50)
    assert Scorer(penguins)(PENGUINS).combine_chunks().equals(expected.combine_chunks())
    lengths = PENGUINS.column("bill_length_mm").to_pylist()
    lengths[123] = float("inf")
    broken = PENGUINS.set_column(PENGUINS.column_names.index("bill_length_mm"), "bill_length_mm", pa.array(lengths))
    with pytest.raises(InvalidInput, match="instance 123, feature 'bill_length_mm'"):
        Scorer(penguins)(broken)
