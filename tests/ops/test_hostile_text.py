"""Plans of text and sparse ops that could go wrong are refused; texts of any kind are answered, and no pattern takes for ever."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np
import pytest

from flyweight import InvalidInput, ModelRefused
from flyweight.ops.text import murmur3
from tests.ops.hostile import Arrays, changed, f64, i32, predictor


def blob(text: str) -> Any:
    return np.frombuffer(text.encode(), dtype=np.uint8)


WORDS = {
    "lowercase": True,
    "accents": "keep",
    "ngrams": [1, 2],
    "analyzer": "word",
    "pattern": [r"(?u)\b\w\w+\b"],
    "names": ["text"],
}
TERMS: Arrays = {"terms": blob("\ncat\ndog\nthe cat"), "stops": blob("\nof")}
KEYS = {"names": ["city", "age"], "separator": ["="]}
COUNT = {"op": "text.count", "inputs": ["input"], "output": "counts", **WORDS, "binary": False, "arrays": {"terms": "terms"}}

MACHINE = {"kernel": "rbf", "degree": 3}
VECTORS = {
    "weights": np.array([[1.0, -2.0]]),
    "intercept": f64(0.5),
    "parameters": f64(1e308, -1),
    "starts": i32(0, 2, 3),
    "columns": i32(0, 2, 1),
    "numbers": f64(1, 1e308, math.nan),
}

# op -> the kinds that it reads, its width, its parameters and its arrays, all valid; those of `sparse` read three counts
VALID: dict[str, tuple[str, int, dict[str, Any], Arrays]] = {
    "text.count": ("s", 3, {**WORDS, "binary": False}, TERMS),
    "text.hash": ("s", 8, {**WORDS, "width": 8, "signs": True, "binary": True}, {}),
    "text.pick": ("sn", 2, KEYS, {"terms": blob("\nage\ncity=x")}),
    "text.hash_pick": ("sn", 8, {"names": ["city", "age"], "width": 8, "signs": True}, {}),
    "sparse.take": ("z", 2, {}, {"positions": i32(2, 0)}),
    "sparse.join": ("zz", 6, {}, {}),
    "sparse.stretch": ("z", 3, {}, {"multiply": f64(1, -1e308, math.nan)}),
    "sparse.log": ("z", 3, {"takes": "finite"}, {}),
    "sparse.normalize": ("z", 3, {"norm": "l2"}, {}),
    "sparse.spread": ("z", 3, {}, {}),
    "sparse.affine": ("z", 2, {}, {"weights": np.array([[1.0, 2], [3, 4], [5, math.inf]]), "intercept": f64(0, 1)}),
    "sparse_kernels.machine": ("z", 1, MACHINE, VECTORS),
    "sparse.gather": ("nn", 2, {}, {}),
}


def build(op: str, **changes: Any) -> Any:
    """Load the valid node of an op with changes to its parameters or arrays, its sparse answer spread."""
    reads, width, parameters, arrays = VALID[op]
    width = changes.pop("outputs", width)
    arrays = changed(arrays, **{key: value for key, value in changes.items() if key in arrays or hasattr(value, "dtype")})
    parameters = {**parameters, **{key: value for key, value in changes.items() if key not in arrays}}
    source = "counts" if reads[0] == "z" else "input"
    node = {"op": op, "inputs": [source] * (2 if reads == "zz" else 1), "output": "y", **parameters}
    nodes = [*([COUNT] if reads[0] == "z" else []), {**node, "arrays": {key: key for key in arrays}}]
    if op not in ("sparse.spread", "sparse.affine", "sparse_kernels.machine"):
        nodes.append({"op": "sparse.spread", "inputs": ["y"], "output": "z"})
    kinds = {"s": "string", "z": "string", "n": "number"}
    features = [
        {"name": f"f{place}", "kind": kinds[kind], "nullable": True} for place, kind in enumerate(reads.replace("zz", "z"))
    ]
    signature = {"task": "regression", "features": features, "outputs": width}
    return predictor(nodes, nodes[-1]["output"], TERMS | arrays, signature=signature)


TEXTS = [
    "",
    " ",
    "the cat of the dog",
    "CAT dog",
    "\x00",
    "\ud800",
    "e\u0301",
    "\u0130\u0131",
    "x" * 10_000,
    "ab " * 3000,
    "日本",
    None,
]


@pytest.mark.parametrize("op", [op for op, (reads, *_) in VALID.items() if reads[0] in "sz"])
def test_a_valid_node_answers_any_text(op: str) -> None:
    model = build(op)
    for text in TEXTS:
        for number in (0.0, -1.0, 1e308, math.nan):
            row = [text, number] if VALID[op][0] == "sn" else [text]
            try:
                model.answer([row])
            except InvalidInput:
                assert text in (None, "\ud800")


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid"])
def test_a_machine_answers_any_text(kernel: str) -> None:
    build("sparse_kernels.machine", kernel=kernel).answer([["the cat"], [""], ["dog " * 1000]])


@pytest.mark.parametrize("number", [0.0, -0.0, 1e308, -1.0, math.nan])
def test_zeros_are_not_gathered(number: float) -> None:
    (answer,) = build("sparse.gather").answer([[number, 1.0]]).predictions
    assert answer[1] == 1.0 and (answer[0] == number or number != number)


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("accents", ["keep", "ascii", "unicode"])
def test_the_longest_text_takes_no_more_than_a_moment(analyzer: str, accents: str) -> None:
    model = build("text.count", analyzer=analyzer, accents=accents, ngrams=[1, 32], pattern=[r"(?u)\b[ab]+\b"])
    began = time.process_time()
    for text in ("a" * 10_000, "ab " * 3333, "\u00e9\u0301" * 5000, " " * 10_000):
        model.answer([[text]])
    assert time.process_time() - began < 20


DAMAGED: dict[str, tuple[str, dict[str, Any]]] = {
    "terms that are no text": ("text.count", {"terms": np.array([10, 255], dtype=np.uint8)}),
    "terms that are numbers": ("text.count", {"terms": f64(1)}),
    "no term": ("text.count", {"terms": np.zeros(0, dtype=np.uint8)}),
    "a term twice": ("text.count", {"terms": blob("\na\na\nb")}),
    "one term more": ("text.count", {"terms": blob("\na\nb\nc\nd")}),
    "an analyzer of its own": ("text.count", {"analyzer": "exec"}),
    "ngrams of nothing": ("text.count", {"ngrams": [0, 1]}),
    "ngrams that go down": ("text.count", {"ngrams": [2, 1]}),
    "ngrams without end": ("text.count", {"ngrams": [1, 10**6]}),
    "one ngram": ("text.count", {"ngrams": [1]}),
    "accents of its own": ("text.count", {"accents": "drop"}),
    "lowercase by half": ("text.count", {"lowercase": 0.5}),
    "binary by name": ("text.count", {"binary": "yes"}),
    "no name": ("text.count", {"names": []}),
    "hashes wider than memory": ("text.hash", {"width": 2**40}),
    "hashes of no width": ("text.hash", {"width": 0}),
    "signs by number": ("text.hash", {"signs": 1}),
    "too few keys": ("text.pick", {"names": ["city"]}),
    "no separator": ("text.pick", {"separator": []}),
    "keys that are numbers": ("text.hash_pick", {"names": [1, 2]}),
    "a column beyond": ("sparse.take", {"positions": i32(3, 0)}),
    "a column below": ("sparse.take", {"positions": i32(-1, 0)}),
    "a column twice": ("sparse.take", {"positions": i32(1, 1)}),
    "no column": ("sparse.take", {"positions": i32(), "outputs": 1}),
    "factors of another width": ("sparse.stretch", {"multiply": f64(1)}),
    "a norm of its own": ("sparse.normalize", {"norm": "l3"}),
    "logarithms that take what they like": ("sparse.log", {"takes": "all"}),
    "weights of another width": ("sparse.affine", {"weights": np.zeros((2, 2))}),
    "vectors that go down": ("sparse_kernels.machine", {"starts": i32(2, 0, 3)}),
    "vectors beyond their numbers": ("sparse_kernels.machine", {"starts": i32(0, 2, 4)}),
    "a vector too few": ("sparse_kernels.machine", {"starts": i32(0, 3)}),
    "a vector beyond the columns": ("sparse_kernels.machine", {"columns": i32(0, 3, 1)}),
    "an entry without a number": ("sparse_kernels.machine", {"numbers": f64(1, 2)}),
    "an intercept too many": ("sparse.affine", {"intercept": f64(1, 2, 3)}),
}


@pytest.mark.parametrize(("op", "changes"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_node_is_refused(op: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        build(op, **changes)


TEXT = [{"name": "text", "kind": "string", "nullable": True}]


@pytest.mark.parametrize("op", ["columns.join", "columns.take", "impute.fill", "scale.normalize", "ensemble.mean", "text.count"])
def test_only_ops_that_know_sparse_values_read_them(op: str) -> None:
    node = {"op": op, "inputs": ["counts"], "output": "y", "positions": [0], "norm": "l2", "arrays": {"terms": "terms"}}
    with pytest.raises(ModelRefused, match="no sparse value"):
        predictor([COUNT, node], "y", TERMS, signature={"task": "regression", "features": TEXT, "outputs": 3})


@pytest.mark.parametrize("op", ["sparse.spread", "sparse.affine", "sparse.take", "sparse.gather", "sparse.log"])
def test_sparse_ops_read_no_texts(op: str) -> None:
    node = {"op": op, "inputs": ["input"], "output": "y", "takes": "any"}
    with pytest.raises(ModelRefused):
        predictor([node], "y", signature={"task": "regression", "features": TEXT, "outputs": 1})


def test_an_answer_is_never_sparse() -> None:
    with pytest.raises(ModelRefused):
        predictor([COUNT], "counts", TERMS, signature={"task": "regression", "features": TEXT, "outputs": 3})


def test_a_file_of_few_bytes_fills_no_memory() -> None:
    hashed = {"op": "text.hash", "inputs": ["input"], "output": "a", **WORDS, "width": 2**20, "signs": True, "binary": True}
    join = {"op": "sparse.join", "inputs": ["a"] * 20, "output": "b"}
    with pytest.raises(ModelRefused, match="columns wide"):
        predictor([hashed, join], "b", signature={"task": "regression", "features": TEXT, "outputs": 1})


@pytest.mark.parametrize("key", [b"", b"a", b"abc", b"four", b"fives", "naïve 日本".encode(), bytes(range(256))])
def test_hashes_are_those_of_scikit_learn(key: bytes) -> None:
    from sklearn.utils import murmurhash3_32

    assert murmur3(key) == murmurhash3_32(key, seed=0, positive=True)


def test_a_batch_is_answered_as_its_rows_are() -> None:
    from flyweight.models.file import parse
    from flyweight.ops import Node, find
    from tests.ops.hostile import raw

    file = parse(raw(json.loads('{"format": 1}'), TERMS | {"weights": np.ones((3, 2)), "intercept": f64(0, 1)}))
    count = find("text.count")(Node(COUNT, ("s",), file.tensors))
    affine = find("sparse.affine")(
        Node({"op": "sparse.affine", "arrays": {"weights": "weights", "intercept": "intercept"}}, ("zzz",), file.tensors)
    )
    texts = np.array([["the cat"], ["dog dog"], [""]], dtype=object)
    counts = count.batch(texts)  # type: ignore[attr-defined]
    assert counts[:, 0].tolist() == [count.row([text]) for text in texts[:, 0]]
    assert affine.batch(counts).tolist() == [affine.row(row) for row in counts[:, 0]]  # type: ignore[attr-defined]
