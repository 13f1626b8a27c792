"""A file that costs too much is refused when it is loaded, by a number that it names; a large honest one is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from flyweight import ModelRefused
from flyweight.models import file as model_file
from flyweight.ops.hashes import city_hash
from flyweight.predictor import Predictor
from flyweight.settings import Limits
from tests.conftest import ROOT
from tests.engines.extreme_plans import Sizes, node, wide
from tests.ops.hostile import Arrays, document, f64, loaded, predictor, raw

NIGHTLY = 100_000  # plans; continuous integration tries a thousandth
COUNT = int(os.environ.get("EXTREME_PLANS", NIGHTLY // 1000))


def factors(parts: int, nodes: int = 1, rounds: int = 1) -> Predictor:
    """Load a plan of nodes that find the shares of many parts; each works out the square of their number."""
    arrays: Arrays = {}
    plan = []
    for number in range(nodes):
        own = {"parts": f"p{number}", "limits": f"l{number}"}
        arrays |= {own["parts"]: np.ones((parts, 1)), own["limits"]: f64(0, 0, 0)}
        plan.append({**node("factors.descent", (), output=f"y{number}", rounds=rounds), "arrays": own})
    return Predictor(model_file.parse(raw(document(plan, "y0", 1, parts), arrays)))


def test_the_refusal_names_the_node_the_number_and_the_limit() -> None:
    with pytest.raises(ModelRefused, match=r"op 'factors.descent' giving 'y0': takes 426008000 steps .* 100000000 are allowed"):
        factors(4400)


def test_the_work_of_all_nodes_is_added_up() -> None:
    factors(100, rounds=4000)
    with pytest.raises(ModelRefused, match="with the nodes before it"):
        factors(100, nodes=3, rounds=4000)


def test_a_deployment_may_allow_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelRefused, match="FLYWEIGHT_MAX_STEPS"):
        factors(100, rounds=10_000)
    monkeypatch.setenv("FLYWEIGHT_MAX_STEPS", "1000000000")
    factors(100, rounds=10_000)


def test_numbers_that_a_plan_would_keep_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_MAX_STEPS", "1000000000000")
    with pytest.raises(ModelRefused, match=r"keep \d+ numbers"):
        factors(4400)


def test_the_largest_request_is_bounded_by_the_limits_of_the_deployment() -> None:
    file = factors(200, rounds=1000).file
    Predictor(file, Limits())
    with pytest.raises(ModelRefused, match=r"steps for the largest request, of 1000000 instances") as refused:
        Predictor(file, Limits(max_instances=1_000_000))
    assert "FLYWEIGHT_MAX_INSTANCES" in refused.value.next_step


def test_topics_of_texts_cost_what_the_texts_can_hold() -> None:
    """A vocabulary may be large: a text of ten thousand letters has some thousand terms."""
    width, topics = 20_000, 20
    words = "\n" + "\n".join(f"w{number}" for number in range(width))
    arrays = {"terms": np.frombuffer(words.encode(), dtype=np.uint8), "parameters": f64(0.1, 0.001)}
    arrays["weights"] = np.random.default_rng(0).random((topics, width))
    text = {"names": ["a"], "binary": False, "lowercase": True, "accents": "keep", "analyzer": "word", "ngrams": [1, 1]}
    nodes = [
        node("text.count", ["terms"], output="c", pattern=[r"(?u)\b\w\w+\b"], **text),
        node("sparse.spread", (), "c", output="x"),
        node("topics.allocate", ["weights", "parameters"], "x", rounds=100),
    ]
    signature = {"features": [{"name": "a", "kind": "string", "nullable": True}], "task": "regression", "outputs": topics}
    model = Predictor(model_file.parse(raw(document(nodes, "y", signature=signature), arrays)), Limits())
    (shares,) = model.answer([["w1 w2 w3"]]).predictions or []
    assert sum(shares) == pytest.approx(1.0)
    with pytest.raises(ModelRefused, match=r"topics.allocate"):
        gathered = [node("columns.take", output="x", positions=[0] * width), nodes[-1]]
        del arrays["terms"]
        Predictor(model_file.parse(raw(document(gathered, "y", 1, topics), arrays)), Limits())


def forest(trees: int, depth: int) -> tuple[dict[str, Any], Arrays]:
    """Return a node of complete trees."""
    feature, over = [], []

    def grow(level: int) -> None:
        feature.append(0 if level else -1)
        over.append((1 << level) - 1 if level else 0)
        for _ in range(2 if level else 0):
            grow(level - 1)

    grow(depth)
    size = len(feature)
    arrays: Arrays = {
        "feature": np.tile(np.array(feature, np.int16), trees),
        "threshold": np.zeros(size * trees),
        "over": np.tile(np.array(over, np.uint16), trees),
        "roots": np.arange(0, size * trees, size, dtype=np.int32),
        "leaves": np.ones((1, 1)),
        "base": f64(0),
        "targets": np.zeros(trees, np.uint8),
    }
    return node("trees.sum", arrays, single=False, mean=False, exact=True), arrays


def nearest(points: int, width: int) -> Predictor:
    """Load a search for neighbors."""
    arrays = {"points": np.zeros((points, width)), "targets": np.zeros((points, 1))}
    arrays["points"][:, 0] = np.arange(points)
    plan = [wide(width), node("neighbors.mean", arrays, "x", metric="euclidean", weights="uniform", k=5)]
    return Predictor(model_file.parse(raw(document(plan, "y", 1, 1), arrays)), Limits())


def test_large_honest_models_are_answered() -> None:
    tree, arrays = forest(5000, 6)
    model = Predictor(model_file.parse(raw(document([tree], "y", 1), arrays)), Limits())
    assert model.answer([[0.5]]).predictions == [5000.0]
    assert nearest(20_000, 50).answer([[0.0]]).predictions == [0.0]
    arrays = {"weights": np.ones((1, 2000)), "points": np.random.default_rng(0).random((2000, 2))}
    arrays |= {"multiply": f64(1), "add": f64(0), "numbers": f64(1, 1)}
    (mean,) = loaded("processes.mean", {"kernel": ["rbf"]}, arrays, 1).answer([[0.0, 0.0]]).predictions or []
    assert mean > 0.0


def test_a_million_terms_are_loaded() -> None:
    terms = np.frombuffer(("\n" + "\n".join(map(str, range(1_000_000)))).encode(), dtype=np.uint8)
    arrays = {"terms": terms, "multiply": np.ones(1_000_000), "weights": np.ones((1_000_000, 1)), "intercept": f64(0)}
    text = {"names": ["a"], "binary": False, "lowercase": True, "accents": "unicode", "analyzer": "word", "ngrams": [1, 2]}
    nodes = [
        node("text.count", ["terms"], output="c", pattern=[r"(?u)\b\w\w+\b"], **text),
        node("sparse.stretch", ["multiply"], "c", output="t"),
        node("sparse.normalize", (), "t", output="n", norm="l2"),
        node("sparse.affine", ["weights", "intercept"], "n"),
    ]
    signature = {"features": [{"name": "a", "kind": "string", "nullable": True}], "task": "regression", "outputs": 1}
    model = Predictor(model_file.parse(raw(document(nodes, "y", signature=signature), arrays)), Limits())
    assert model.answer([["17 and 4"]]).predictions == [1.0]


def test_a_batch_of_many_trees_takes_no_memory_for_each_tree_and_row() -> None:
    import tracemalloc

    from flyweight.engines.numpy import Engine

    tree, arrays = forest(4000, 2)
    model = Predictor(model_file.parse(raw(document([tree], "y", 1), arrays)))
    engine = Engine(model.file, model.engine.plan)  # type: ignore[attr-defined]
    engine.outputs([[0.5]], ("values",))
    tracemalloc.start()
    engine.outputs([[0.5]] * 4000, ("values",))
    assert tracemalloc.get_traced_memory()[1] < 64e6  # a whole number for each would take 128 MB
    tracemalloc.stop()


def test_the_sizes_of_extreme_plans_are_of_all_orders() -> None:
    sizes = [Sizes(seed).size(1e6) for seed in range(200)]
    assert min(sizes) < 10 and max(sizes) > 100_000


@pytest.mark.slow
def test_extreme_plans_are_refused_or_answer_in_little_time_and_memory() -> None:
    command = [sys.executable, "-m", "tests.engines.extreme_plans", str(COUNT), "0"]
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **paths}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-300:]
    refused, answered = map(int, done.stdout.split()[:2])
    assert refused + answered == COUNT and min(refused, answered) > COUNT // 20


MILLION = [node("columns.join", (), ["input"] * 1000, "w"), node("columns.join", (), ["w"] * 1000, "x")]
TEXT = {"features": [{"name": "a", "kind": "string", "nullable": True}], "task": "regression", "outputs": 1}


@pytest.mark.parametrize(
    "op", ["float32.rising", "float32.exp", "links.softmax", "links.one_vs_rest", "activations.logistic", "links.log_sum"]
)
def test_functions_of_a_million_columns_cost_what_python_takes_for_them(op: str) -> None:
    """A file of some kilobytes made its columns by joins, and took half a minute for a row."""
    count = 40 if op == "links.log_sum" else 7
    nodes = [node(op, (), "x", output=f"y{i}") for i in range(count)]
    ends = [node("columns.take", (), [f"y{i}"], f"t{i}", positions=[0]) for i in range(count)]
    joined = node("columns.join", (), [end["output"] for end in ends])
    with pytest.raises(ModelRefused, match="steps"):
        Predictor(model_file.parse(raw(document([*MILLION, *nodes, *ends, joined], "y", 1, count))), Limits())


@pytest.mark.parametrize(
    ("op", "columns", "parameters"),
    [
        ("text.hash_pick", 1000, {"width": 10, "signs": True}),
        ("strings.clear", 900_000, {"words": []}),
        ("hashes.city", 3000, {}),
    ],
)
def test_texts_cost_the_time_of_reading_them_again(op: str, columns: int, parameters: dict[str, Any]) -> None:
    nodes = [wide(columns), node(op, (), "x", names=[""] * columns, **parameters)]
    with pytest.raises(ModelRefused, match="steps"):
        Predictor(model_file.parse(raw(document(nodes, "y", signature=TEXT))), Limits())


def test_a_text_that_many_columns_have_is_hashed_once() -> None:
    nodes = [
        wide(1000),
        node("hashes.city", (), "x", names=[""] * 1000),
        node("columns.take", (), "y", output="z", positions=[7]),
    ]
    model = Predictor(model_file.parse(raw(document(nodes, "z", signature=TEXT))), Limits())
    began = time.process_time()
    text = "\U0001f600" * 10_000
    assert model.answer([[text]]).predictions == [float(city_hash(text))]
    assert time.process_time() - began < 1  # a hash for each column took ten seconds


def test_keeping_all_points_costs_steps_down_the_heap() -> None:
    points = 300_000
    arrays = {"points": np.zeros((points, 1)), "targets": np.zeros((points, 0))}
    search = node("neighbors.mean", arrays, metric="euclidean", weights="uniform", k=points)
    nodes = [node("columns.take", output="x", positions=[0]), {**search, "inputs": ["x"]}]
    with pytest.raises(ModelRefused, match="steps"):
        predictor(nodes, "y", arrays, outputs=1)


def test_columns_that_are_not_zero_are_found_in_the_time_of_reading_them() -> None:
    columns = 300_000
    arrays = {"points": np.zeros((1, columns)), "targets": f64(3).reshape(1, 1)}
    nodes = [wide(columns), node("neighbors.mean", arrays, "x", metric="jaccard", weights="uniform", k=1)]
    model = Predictor(model_file.parse(raw(document(nodes, "y", 1, 1), arrays)), Limits())
    began = time.process_time()
    assert model.answer([[1.0]]).predictions == [3.0]
    assert time.process_time() - began < 1  # the square of their number took three seconds


def test_pairs_of_classes_without_vectors_are_no_spans() -> None:
    classes = 300
    pairs = classes * (classes - 1) // 2
    arrays = {"intercept": np.ones(pairs), "parameters": f64(1, 1), "vectors": np.ones((1, 2))}
    arrays |= {"weights": np.ones((classes - 1, 1)), "counts": np.array([1, *[0] * (classes - 1)], dtype=np.int32)}
    model = loaded("kernels.machine", {"kernel": "linear", "degree": 2}, arrays, pairs)
    engine: Any = model.engine
    assert sum(map(len, engine.plan.ops[0].pairs)) == classes - 1
    assert model.answer([[1.0, 2.0]]).predictions == [[4.0] * (classes - 1) + [1.0] * (pairs - classes + 1)]


def test_tables_of_many_columns_cost_the_time_of_reading_them() -> None:
    columns = 150_000
    tables = {"categories": [[]] * columns, "codes": [[]] * columns, "unseen": [0] * columns, "missing": [0] * columns}
    nodes = [wide(columns), node("encode.ordinal", (), "x", names=[""] * columns, **tables)]
    with pytest.raises(ModelRefused, match="steps"):
        Predictor(model_file.parse(raw(document(nodes, "y", signature=TEXT))), Limits())
