"""Measure the memory of a loaded model for each byte of its file; the budget of the model cache is based on it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import click
from rich.progress import track
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from benchmarks.environments import ROOT
from flyweight.predictor import EXPANSION
from flyweight.toolkit.packing.pack import pack

RESULTS = ROOT / "benchmarks" / "results" / "memory.json"
# The growth of a process's anonymous memory by four copies of the model; each is asked until its forest is tuples.
PROGRAM = """
import gc, sys
sys.path.insert(0, sys.argv[2])
from flyweight.predictor import load
def anonymous():
    gc.collect()
    return int(open("/proc/self/status").read().partition("RssAnon:")[2].split()[0]) * 1024
load(sys.argv[1]).passes_self_test()
before = anonymous()
models = [load(sys.argv[1]) for _ in range(4)]
for model in models:
    for _ in range(60):
        model.passes_self_test()
print((anonymous() - before) / 4 / len(models[0].file.data))
"""


def estimators() -> dict[str, tuple[Any, Any]]:
    """Fit estimators of several kinds, each with some rows."""
    X, y = make_classification(3000, 20, n_informative=8, random_state=0)
    kinds = {
        "logistic regression": LogisticRegression(),
        "random forest": RandomForestClassifier(50, random_state=0),
        "gradient boosting": GradientBoostingClassifier(random_state=0),
        "histogram boosting": HistGradientBoostingClassifier(random_state=0),
        "support vectors": SVC(),
        "nearest neighbours": KNeighborsClassifier(),
        "neural network": MLPClassifier((200, 200), max_iter=20, random_state=0),
    }
    draw = random.Random(0)
    texts = [" ".join(f"w{draw.randrange(30_000)}" for _ in range(60)) for _ in range(2000)]
    text = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [place % 2 for place in range(len(texts))])
    return {name: (kind.fit(X, y), X[:100]) for name, kind in kinds.items()} | {"text": (text, texts[:20])}


@click.command()
def main() -> None:
    """Measure, show the figures and write them."""
    found = {}
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (estimator, sample) in track([*estimators().items()], description="measuring", transient=True):
            path = Path(place) / "m.safetensors"
            size = len(pack(estimator, path, sample=sample, name="m", engine="pure", edge_count=5).data)
            command = [sys.executable, "-c", PROGRAM, str(path), str(ROOT / "shared")]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[name] = {"file_bytes": size, "memory_for_a_byte": round(float(done.stdout), 2)}
            click.echo(f"{name}: {size:,} bytes, {float(done.stdout):.1f} bytes of memory for each")
    worst = max(row["memory_for_a_byte"] for row in found.values())
    click.echo(f"at most {worst:.1f}; the cache counts {EXPANSION}")
    RESULTS.write_text(json.dumps({"counted": EXPANSION, "models": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
