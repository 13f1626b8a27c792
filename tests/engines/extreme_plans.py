"""Make plans of extreme parameters, and load and ask each in a process with little memory.

Each plan is refused, or answers a row and a batch: `python -m tests.engines.extreme_plans COUNT SEED`.
"""

from __future__ import annotations

import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from flyweight.engines.numpy import Engine
from flyweight.errors import InvalidInput, ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.settings import Limits
from tests.ops.hostile import Arrays, document, f64, i32, raw

MEMORY = 512 << 20  # bytes beside those of the interpreter and its libraries
SECONDS = 20  # of the processor, for one plan: MAX_STEPS take about one
Made = tuple[list[dict[str, Any]], Arrays, int]  # nodes, of which the last one is the answer; arrays; the width of the answer


class Sizes:
    """Random sizes, small ones and large ones alike."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def size(self, most: float) -> int:
        """Return a whole number from 1 to `most`, each order of magnitude as often as any other."""
        return int(most ** self.random.random())

    def any(self, *values: Any) -> Any:
        """Return one of the values."""
        return self.random.choice(values)


def node(op: str, arrays: Any = (), inputs: Any = ("input",), output: str = "y", **more: Any) -> dict[str, Any]:
    """Return a node whose arrays have the names that its op gives them."""
    return {"op": op, "inputs": [*inputs], "output": output, "arrays": {name: name for name in arrays}, **more}


def wide(width: int) -> dict[str, Any]:
    """Return a node that repeats the first feature."""
    return node("columns.take", output="x", positions=[0] * width)


def _factors(s: Sizes) -> Made:
    count, width = s.size(5000), s.size(200)
    arrays = {"parts": np.ones((count, width)), "limits": f64(0, 0, 0)}
    if s.any(True, False):
        return [wide(width), node("factors.descent", arrays, "x", rounds=s.size(1e6))], arrays, count
    arrays |= {"powers": f64(s.any(0, 1, 1.5, 2), 1)}
    return [wide(width), node("factors.scaling", arrays, "x", rounds=s.size(1e6), errors=s.any(True, False))], arrays, count


def _topics(s: Sizes) -> Made:
    topics, width = s.size(200), s.size(5000)
    arrays = {"weights": np.random.default_rng(0).random((topics, width)), "parameters": f64(0.1, -1)}
    return [wide(width), node("topics.allocate", arrays, "x", rounds=s.size(10_000))], arrays, topics


def _process(s: Sizes) -> Made:
    points, width, parts = s.size(20_000), s.size(20), s.size(50)
    leaf = s.any("periodic", "rbf", "quadratic", "matern_2.5", "dot")
    numbers = {"periodic": 2, "rbf": width, "quadratic": 1 + width, "matern_2.5": width, "dot": 1}[leaf]
    arrays = {"weights": np.ones((1, points)), "points": np.random.default_rng(0).random((points, width))}
    arrays |= {"multiply": f64(1), "add": f64(0), "numbers": np.full(numbers * parts, 2.0)}
    return [wide(width), node("processes.mean", arrays, "x", kernel=[leaf] + [leaf, "sum"] * (parts - 1))], arrays, 1


def _splines(s: Sizes) -> Made:
    width, degree = s.size(1000), s.size(100)
    arrays = {"knots": np.tile(np.arange(2.0 * degree + 2 + s.size(100)), (width, 1))}
    names = [f"f{i}" for i in range(width)]
    count = width * (arrays["knots"].shape[1] - degree - 1)
    more: dict[str, Any] = {"degree": degree, "outside": "continue", "missing": "zeros", "names": names, "include_bias": True}
    return [wide(width), node("splines.basis", arrays, "x", **more)], arrays, count


def _pairs_of_classes(s: Sizes) -> Made:
    classes = 1 + s.size(999)
    count = classes * (classes - 1) // 2
    if s.any(True, False):
        return [wide(count), node("kernels.scores", (), "x", classes=classes)], {}, classes
    arrays = {"slopes": np.full(count, -1.0), "offsets": np.linspace(-3, 3, count)}
    return [wide(count), node("coupling.shares", arrays, "x", classes=classes)], arrays, classes


def _sketch(s: Sizes) -> Made:
    width, degree, columns = s.size(500), s.size(20), s.size(20_000)
    index = np.random.default_rng(0).integers(0, columns, (degree, width)).astype(np.int32)
    arrays = {"index": index, "sign": np.ones((degree, width)), "factor": f64(1)}
    return [wide(width), node("approximations.sketch", arrays, "x", width=columns)], arrays, columns


def _codes(s: Sizes) -> Made:
    count = s.size(800)
    arrays = {"gram": np.eye(count) + 0.001}
    return [wide(count), node("codes.pursuit", arrays, "x", atoms=s.size(count))], arrays, count


def _votes(s: Sizes) -> Made:
    width, classes = s.size(20_000), s.size(100_000)
    arrays = {"for": np.ones(width), "against": np.full(width, -1.0)}
    return [wide(width), node("ensemble.vote", arrays, "x", classes=classes)], arrays, classes


def _whitened(s: Sizes) -> Made:
    count, axes, width = s.size(20_000), s.size(2000), s.size(50)
    arrays = {"constants": np.zeros(count), "means": np.zeros((count, width)), "factors": np.ones((1, axes, width))}
    return [wide(width), node("gaussian.whitened", arrays, "x")], arrays, count


def _trees(s: Sizes) -> Made:
    """Many trees of one node each, which all end in the same leaf of many numbers."""
    count, outputs = s.size(200_000), s.size(20_000)
    arrays: Arrays = {"feature": np.full(count, -1, np.int32), "threshold": np.zeros(count), "over": np.zeros(count, np.uint16)}
    arrays |= {"roots": np.arange(count, dtype=np.int32)}
    if s.any(True, False):
        arrays |= {"leaves": np.ones((1, outputs)), "base": np.zeros(outputs)}
        return [node("trees.sum", arrays, single=False, mean=False, exact=True)], arrays, outputs
    arrays |= {"leaves": f64(1), "constants": f64(1), "coefficients": np.ones(outputs)}
    arrays |= {"features": np.zeros(outputs, np.int32), "starts": i32(0, outputs), "targets": np.zeros(count, np.int32)}
    return [node("boosted.linear_leaves", arrays, outputs=1)], arrays, 1


def _neighbors(s: Sizes) -> Made:
    points, width = s.size(20_000), s.size(30)
    arrays = {"points": np.random.default_rng(0).random((points, width)), "targets": np.ones((points, 1))}
    metric = s.any("euclidean", "mahalanobis", "canberra")
    if metric == "mahalanobis":
        arrays["inverse"] = np.eye(width)
    return [wide(width), node("neighbors.mean", arrays, "x", metric=metric, weights="uniform", k=s.size(points))], arrays, 1


def _joins(s: Sizes) -> Made:
    """Nodes that read wide values again and again."""
    width, nodes = s.size(1 << 19), s.size(200)
    takes = [node("columns.take", (), "x", output=f"t{i}", positions=[0]) for i in range(nodes)]
    means = [node("ensemble.mean", (), ["x"] * s.size(1000), output=f"m{i}", exact=True) for i in range(s.size(5))]
    arrays = {f"d{i}": f64(1) for i in range(len(means))}
    means = [{**mean, "arrays": {"divide": f"d{i}"}} for i, mean in enumerate(means)]
    return [wide(width), *takes, *means, node("columns.join", (), [t["output"] for t in takes])], arrays, nodes


MAKERS: list[Callable[[Sizes], Made]] = [
    *(_factors, _topics, _process, _splines, _pairs_of_classes, _sketch, _codes),
    *(_votes, _whitened, _trees, _neighbors, _joins),
]
PATTERNS = (r"(?u)\b\w\w+\b", r"\w+!", r"(a+)+$", r"\w*\w?\w?\d", r"\S+", r"\b[a-z]+\b", r"[\w-]+\b", r"(?:\w+-?)+")


def _texts(s: Sizes) -> tuple[bytes, list[Any]]:
    """Return a model that reads texts, and a row for it."""
    text = s.any("a", "ab ", "a-", "\ufdfa", "a!") * 10_000
    words = ["ab" * s.size(500) for _ in range(s.size(3000))]
    terms = np.frombuffer(("\na\n" + "b" * s.size(32)).encode(), dtype=np.uint8)
    common = {"names": ["a"], "binary": False, "lowercase": True, "accents": s.any("keep", "unicode")}
    common |= {"ngrams": [1, s.size(32)], "analyzer": s.any("word", "char", "char_wb"), "pattern": [s.any(*PATTERNS)]}
    spread = node("sparse.spread", (), "c")
    count = node("text.count", ["terms"], output="c", **common)
    hashed = node("text.hash", output="c", width=s.size(1 << 20), signs=True, **common)
    likeness = node("strings.similarity", known=[words], missing="empty")
    measure = node("strings.measure", measures=["letter_count"] * s.size(100_000), ascii=False)
    nodes, outputs = s.any(([count, spread], 2), ([hashed, spread], hashed["width"]), ([likeness], len(words)))
    if s.any(True, False, False, False):
        nodes, outputs = [measure], len(measure["measures"])
    signature = {"features": [{"name": "a", "kind": "string", "nullable": True}], "task": "regression", "outputs": outputs}
    return raw(document(nodes, "y", signature=signature), {"terms": terms}), [text[:10_000]]


def made(seed: int) -> tuple[bytes, list[Any]]:
    """Return the model file of a seed, and a row for it."""
    sizes = Sizes(seed)
    if sizes.any(*[False] * 4, True):
        return _texts(sizes)
    nodes, arrays, outputs = sizes.any(*MAKERS)(sizes)
    return raw(document(nodes, nodes[-1]["output"], 1, outputs), arrays), [0.5]


def asked(data: bytes, row: list[Any]) -> str:
    """Load a model and ask it for a row, and if that was quick for a batch.

    :returns: "refused" or "answered".
    """
    try:
        model = Predictor(model_file.parse(data), Limits())
    except ModelRefused:
        return "refused"
    began = time.process_time()
    engine: Any = model.engine
    try:
        engine.outputs([row], ("values",))
        if time.process_time() - began < 0.01:
            Engine(model.file, engine.plan).outputs([row] * 32, ("values",))
    except InvalidInput:
        pass
    return "answered"


def main(count: int, seed: int) -> None:
    """Ask all plans, and print what became of them and the slowest one.

    :raises AssertionError: a plan took too long, or more memory than there is.
    """
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    outcomes, slowest = {"refused": 0, "answered": 0}, (0.0, 0)
    for number in range(seed, seed + count):
        data, row = made(number)
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)  # ends this process
        began = time.process_time()
        try:
            outcomes[asked(data, row)] += 1
        except MemoryError:
            raise AssertionError(f"plan {number} took more than {MEMORY} bytes") from None
        slowest = max(slowest, (time.process_time() - began, number))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        print(f"plan {number} is done", file=sys.stderr, flush=True)
    print(outcomes["refused"], outcomes["answered"], *slowest)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
