"""Prove and measure batches in array namespaces, in XGBoost and in onnxruntime, each on the GPU of this machine if it has one.

    python -m benchmarks.gpu                                        # on a GPU: a million rows, in five minutes at most
    python -m benchmarks.gpu --namespaces torch,jax --rows 20000    # on processors: parity, and no speed worth a word

Each namespace runs in a process of its own, beside NumPy. What is missing on this machine is said, and is no failure. An answer
that lies further from NumPy's than ALLOWED is one, and so is another label.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np

from benchmarks.array_worker import NOT_HERE, apart, timed
from benchmarks.environments import ROOT
from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.toolkit.packing.pack import pack

RESULTS = ROOT / "benchmarks" / "results" / "accelerators.json"
ARRAYS = str(ROOT / ".tools" / "arrays" / "bin" / "python")  # what `.ci/install-arrays` makes
LIBRARIES = {"strict": "array_api_strict"}  # where the library's name is another than the namespace's
ALLOWED = 1e-12  # of the largest number, in float64
SINGLE = 2.0**-20  # the same for answers of XGBoost and of float32 graphs
FEATURES = 20


def table(count: int, seed: int) -> np.ndarray[Any, Any]:
    """Draw rows of halves, so that many values are equal to a tree's threshold; one in twenty is missing.

    :returns: shape (count, FEATURES), float64.
    """
    random = np.random.default_rng(seed)
    rows = np.round(random.normal(size=(count, FEATURES)) * 4) / 2
    rows[:, 0] = random.integers(0, 6, count)  # a category
    rows[random.random(rows.shape) < 0.05] = np.nan
    return rows


def estimators(trees: int) -> Iterator[tuple[str, Any, Any]]:
    """Fit one model of each family that has a form on the standard.

    :param trees: how many trees a forest has, and rounds a boosting.
    :returns: names, fitted estimators, and the tables they were fitted on.
    """
    from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
    from xgboost import XGBClassifier

    X = table(3000, 0)
    filled = np.nan_to_num(X)
    score = filled[:, 1] - 2 * filled[:, 2] + filled[:, 3] * (filled[:, 0] > 2)
    three, two = np.digitize(score, [-2.0, 2.0]), (score > 0).astype(int)
    fill = lambda: SimpleImputer(add_indicator=True)  # noqa: E731
    yield "linear", make_pipeline(fill(), StandardScaler(), LogisticRegression(max_iter=500)).fit(X, three), X
    yield "scaled", make_pipeline(fill(), MinMaxScaler(clip=True), Normalizer(), Ridge()).fit(X, score), X
    yield "network", make_pipeline(fill(), StandardScaler(), MLPClassifier((16,), max_iter=20)).fit(X, two), X
    yield "forest", RandomForestClassifier(trees, max_depth=8, random_state=0).fit(X, three), X
    yield "gradient", GradientBoostingRegressor(n_estimators=trees, random_state=0).fit(filled, score), filled
    boosting = HistGradientBoostingClassifier(max_iter=trees // 3, max_depth=6, categorical_features=[0], random_state=0)
    yield "histogram", boosting.fit(X, three), X
    yield "xgboost", XGBClassifier(n_estimators=trees // 3, max_depth=6).fit(X, three), X


def prepare(folder: Path, rows: int, trees: int) -> None:
    """Write each model and its rows into a folder, as `array_worker` reads them."""
    import warnings

    from tests import fitted

    given = table(rows, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the network stops early
        for name, estimator, X in estimators(trees):
            (folder / f"{name}.safetensors").write_bytes(pack(estimator, sample=X[:200], edge_count=60).data)
            np.save(folder / f"{name}.npy", np.nan_to_num(given) if name == "gradient" else given)
    estimator, sample = fitted.penguins()
    packed = pack(estimator, sample=sample, edge_count=60)
    (folder / "encoded.safetensors").write_bytes(packed.data)
    cells = [[None if value != value else value for value in row] for row in sample.astype(object).to_numpy().tolist()]
    repeated = [cells[number % len(cells)] for number in range(min(rows, 100_000))]
    (folder / "encoded.json").write_text(json.dumps(validated(packed.data, repeated)))


def validated(data: bytes, rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows as engines get them: numbers as floats, NaN for a missing one."""
    from flyweight.models.validation import Validator
    from flyweight.settings import Limits

    return Validator(model_file.parse(data).signature, Limits(max_instances=sys.maxsize)).rows(rows)


def interpreter(namespace: str, pythons: Sequence[str]) -> str | None:
    """Find the first Python that has the namespace's library; None if none has."""
    library = LIBRARIES.get(namespace.partition(":")[0], namespace.partition(":")[0])
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({library!r}) is None)"
    for python in pythons:
        if Path(python).exists() and not subprocess.run([python, "-c", code], capture_output=True).returncode:
            return python
    return None


def in_namespace(
    namespace: str, folder: Path, repeat: int, pythons: Sequence[str], seconds: float
) -> tuple[list[dict[str, Any]], str]:
    """Run `array_worker` for all models of a folder.

    :param pythons: where the namespace's library may be.
    :param seconds: how long it may take.
    :returns: what it found, and what is missing, "" if nothing is.
    """
    python = interpreter(namespace, pythons)
    if python is None:
        return [], f"{namespace}: its library is not installed here; .ci/install-arrays, or docs/accelerators.md for a GPU"
    command = [python, "-m", "benchmarks.array_worker", namespace, str(folder), "--repeat", str(repeat)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=max(1.0, seconds))
        out, code, why = done.stdout, done.returncode, done.stderr.strip().splitlines()[-1:]
    except subprocess.TimeoutExpired as late:
        out, code, why = (late.stdout or b"").decode(), NOT_HERE, ["the time was over; later models were left out"]
    found = [json.loads(line) for line in out.splitlines() if line.endswith("}")]
    if code not in (0, NOT_HERE):
        raise click.ClickException(f"{namespace} failed: {' '.join(why)}")
    return [{"namespace": namespace, **one} for one in found], f"{namespace}: {' '.join(why)}" if code else ""


def in_xgboost(rows: int, repeat: int, trees: int) -> tuple[list[dict[str, Any]], str]:
    """Run the xgboost engine on a GPU beside itself on the processor."""
    import xgboost

    from flyweight.engines.xgboost import booster

    if not xgboost.build_info().get("USE_CUDA"):
        return [], "xgboost on cuda: the installed XGBoost is built without CUDA (xgboost-cpu)"
    estimator = next(one for name, one, _ in estimators(trees) if name == "xgboost")
    data, given = bytes(estimator.get_booster().save_raw("ubj")), xgboost.DMatrix(table(rows, 1))
    try:
        gpu, cpu = booster(data, "cuda"), booster(data, "cpu")
    except ModelRefused as refused:
        return [], f"xgboost on cuda: {refused}"
    return [beside("xgboost cuda", rows, lambda: gpu.predict(given), lambda: cpu.predict(given), repeat)], ""


def in_onnx(rows: int, repeat: int, provider: str = "cuda") -> tuple[list[dict[str, Any]], str]:
    """Run a product of matrices in onnxruntime on a GPU beside the processor."""
    import onnxruntime

    from flyweight.engines import _providers
    from flyweight.engines.onnx import TYPES
    from flyweight.settings import accelerators
    from tests import graphs

    random = np.random.default_rng(0)
    data, x = graphs.onnx_affine(random.normal(size=(FEATURES, 1))), random.normal(size=(rows, FEATURES))
    try:
        asked = _providers.chosen(accelerators({"FLYWEIGHT_ONNX_PROVIDERS": f"{provider},cpu"}))
        _providers.refuse_fallback(asked, onnxruntime.get_available_providers())
        gpu = onnxruntime.InferenceSession(data, providers=asked, enable_fallback=0)
        _providers.refuse_fallback(asked, gpu.get_providers())
    except (ModelRefused, RuntimeError) as refused:
        return [], f"onnx on {provider}: {refused}"
    cpu = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    value = gpu.get_inputs()[0]
    fed = {value.name: x.astype(TYPES[value.type][0])}
    return [beside(f"onnx {provider}", rows, lambda: gpu.run(None, fed)[0], lambda: cpu.run(None, fed)[0], repeat)], ""


def beside(name: str, rows: int, gpu: Callable[[], Any], cpu: Callable[[], Any], repeat: int) -> dict[str, Any]:
    """Measure and compare one model on a GPU and on the processor."""
    first = timed(gpu, 1)[1]
    (ours, seconds), (theirs, usual) = timed(gpu, repeat), timed(cpu, repeat)
    ours, theirs = (np.asarray(answer).reshape(rows, -1) for answer in (ours, theirs))
    timing = {"load": 0.0, "first": first, "numpy": usual, "here": seconds}
    return {
        "namespace": name,
        "model": name,
        "rows": rows,
        "device": "cuda",
        "stays": [],
        "answers": {"values": apart(ours, theirs)},
        "seconds": timing,
    }


def parity(found: list[dict[str, Any]]) -> list[str]:
    """List the answers that lie too far apart."""
    wrong = []
    for one in found:
        for output, answer in one["answers"].items():
            limit = 0.0 if output == "index" else SINGLE if "xgboost" in one["model"] or "onnx" in one["model"] else ALLOWED
            if not answer["apart"] <= limit:
                wrong.append(f"{one['namespace']}, {one['model']}: {output} by {answer['apart']:.2g} in {answer['rows']} rows")
    return wrong


def page(found: list[dict[str, Any]]) -> str:
    """Write the table of parity as the page has it: for each model and namespace how far from NumPy."""
    names = [*dict.fromkeys(one["namespace"] for one in found)]
    lines = [f"| model | {' | '.join(names)} | stays in NumPy |", f"|---|{'---|' * len(names)}---|"]
    for model in dict.fromkeys(one["model"] for one in found):
        own = {one["namespace"]: one for one in found if one["model"] == model}
        cells = [_cell(own[name]["answers"]) if name in own else "" for name in names]
        stays = sorted({op for one in own.values() for op in one["stays"]})
        lines.append(f"| {model} | {' | '.join(cells)} | {', '.join(f'`{op}`' for op in stays) or 'nothing'} |")
    return "\n".join(lines)


def _cell(answers: dict[str, Any]) -> str:
    largest = max(answer["apart"] for answer in answers.values())
    return "equal" if all(answer["equal"] for answer in answers.values()) else f"{largest:.0e}"


@click.command()
@click.option("--namespaces", default="torch,cupy,jax", show_default=True, help="Of these, those that are here.")
@click.option("--rows", default=1_000_000, show_default=True, help="Rows of a batch.")
@click.option("--trees", default=100, show_default=True, help="Trees of the forest.")
@click.option("--repeat", default=3, show_default=True, help="Of which the least time counts.")
@click.option("--limit", default=300.0, show_default=True, help="Seconds for all.")
@click.option("--python", default=None, help="A Python that has the namespaces' libraries; else this one, and .tools/arrays.")
@click.option("--write", is_flag=True, help=f"Keep what was found in {RESULTS.relative_to(ROOT)}, for the page's table.")
def main(namespaces: str, rows: int, trees: int, repeat: int, limit: float, python: str | None, write: bool) -> None:
    """Prove parity and measure batches of ROWS rows on this machine's accelerator."""
    began, found, missing = time.monotonic(), [], []
    pythons = [python] if python else [sys.executable, ARRAYS]
    with TemporaryDirectory() as place:
        prepare(Path(place), rows, trees)
        runs: list[Callable[[], tuple[list[dict[str, Any]], str]]] = [
            lambda name=name: in_namespace(name, Path(place), repeat, pythons, limit - (time.monotonic() - began))  # type: ignore[misc]
            for name in namespaces.split(",")
        ]
        for run in [lambda: in_xgboost(rows, repeat, trees), lambda: in_onnx(rows, repeat), *runs]:
            these, reason = run()
            found += these
            missing += [reason] if reason else []
    for one in found:
        seconds = one["seconds"]
        click.echo(
            f"{one['namespace']:>12} {one['model']:<10} {one['rows']} rows on {one['device']}: {seconds['here']:.3f} s, "
            f"by NumPy or the processor {seconds['numpy']:.3f} s, at first {seconds['first']:.1f} s; {_cell(one['answers'])}"
        )
    click.echo("\n" + page(found) if found else "nothing was measured")
    for reason in missing:
        click.echo(f"missing: {reason}")
    if write:
        kept = [{key: value for key, value in one.items() if key != "seconds"} for one in found]
        RESULTS.write_text(json.dumps({"rows": rows, "found": kept}, indent=1) + "\n")
    if wrong := parity(found):
        raise click.ClickException("too far from NumPy: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
