"""Score a large CSV in a store in one call, in several calls with deadlines, and with pandas, joblib and scikit-learn by chunks.

python -m benchmarks.files [MEGABYTES]
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import flyweight

RESULTS = Path(__file__).parent / "results" / "files.json"
WIDTH = 20
DEADLINE = 30.0  # seconds of one call
LIMIT_MB = 200

# one call, as in a function: a fresh process that reports its progress, time and memory
CALL = """
import json, sys
from time import monotonic, process_time
began = monotonic()
import flyweight
from flyweight.files.scoring import score_object
from flyweight.stores import open_store
model, root, key, prefix, seconds = sys.argv[1:]
store = open_store(root)
done = score_object(flyweight.load(model), store, key, store, prefix, began + float(seconds))
peak = int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024  # ru_maxrss would be the parent's
told = {"peak_mb": peak, "seconds": monotonic() - began, "processor_seconds": process_time()}
print(json.dumps({**done._asdict(), **told}))
"""

# the usual program: without validation and without resuming
CHUNKS = """
import json, sys
from time import monotonic, process_time
began = monotonic()
import joblib, pandas
model, source, target = sys.argv[1:]
estimator, rows = joblib.load(model), 0
with open(target, "w") as file:
    for chunk in pandas.read_csv(source, chunksize=100_000):
        labels, probabilities = estimator.predict(chunk), estimator.predict_proba(chunk)
        lines = range(rows + 2, rows + 2 + len(chunk))
        answers = {"line": lines, "prediction": labels, "probabilities": probabilities.tolist()}
        pandas.DataFrame(answers).to_json(file, orient="records", lines=True, double_precision=15)
        rows += len(chunk)
peak = int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024  # ru_maxrss would be the parent's
told = {"peak_mb": peak, "seconds": monotonic() - began, "processor_seconds": process_time()}
print(json.dumps({"rows": rows, **told}))
"""


def called(program: str, *arguments: str) -> dict[str, Any]:
    """Run a program in a fresh process and read the JSON that it prints."""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def write_table(path: Path, megabytes: float, names: list[str], X: Any) -> int:
    """Write a CSV of the given size with repeated rows.

    :returns: the number of rows.
    """
    block = "".join(",".join(f"{value:.6g}" for value in row) + "\n" for row in X)
    times = max(1, int(megabytes * 1e6 / len(block)))
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        for _ in range(times):
            file.write(block)
    return times * len(X)


def digest(path: Path) -> str:
    """Hash a file by sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_calls(model: Path, folder: Path, prefix: str, seconds: float, key: str = "in.csv") -> dict[str, Any]:
    """Make calls until the file is done."""
    calls = []
    began = perf_counter()
    while not calls or not calls[-1]["done"]:
        calls.append(called(CALL, str(model), f"file://{folder}", key, prefix, str(seconds)))
        last = calls[-1]
        print(f"  call {len(calls)}: {last['rows']:,} rows, {last['seconds']:.1f} s, {last['peak_mb']:.0f} MB", flush=True)
    took = perf_counter() - began
    peak, longest = (round(max(call[name] for call in calls), 1) for name in ("peak_mb", "seconds"))
    answers = folder / last["output"]
    counts = {name: last[name] for name in ("rows", "rejected")}
    counts["processor_seconds"] = round(sum(call["processor_seconds"] for call in calls), 1)
    counts |= {"output_bytes": answers.stat().st_size, "sha256": digest(answers)}
    answers.unlink()
    return {"calls": len(calls), "seconds": round(took, 1), "peak_mb": peak, "longest_call_seconds": longest, **counts}


def fitted() -> tuple[Any, Any]:
    """Fit a logistic regression.

    :returns: it and the data that it was fitted to.
    """
    X, y = make_classification(20_000, WIDTH, random_state=0)
    sample = pd.DataFrame(X, columns=[f"x{number}" for number in range(WIDTH)])
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(sample, y), sample


def measured(folder: Path, megabytes: float) -> dict[str, Any]:
    """Measure the figures."""
    estimator, sample = fitted()
    model, pickled, table = folder / "model.safetensors", folder / "model.joblib", folder / "in.csv"
    flyweight.pack(estimator, model, sample=sample, name="files", version="1.0.0")
    joblib.dump(estimator, pickled)
    rows = write_table(table, megabytes, [*sample], sample.to_numpy())
    size = table.stat().st_size
    print(f"{size / 1e6:.0f} MB, {rows:,} rows", flush=True)
    whole = in_calls(model, folder, "whole", 1e6)
    cut = in_calls(model, folder, "cut", DEADLINE)
    chunks = called(CHUNKS, str(pickled), str(table), str(folder / "chunks.jsonl"))
    assert whole["sha256"] == cut["sha256"] and whole["rows"] == cut["rows"] == chunks["rows"] == rows
    for figures in (whole, cut, chunks):
        figures["mb_per_second"] = round(size / 1e6 / figures["seconds"], 1)
        figures["mb_per_processor_second"] = round(size / 1e6 / figures["processor_seconds"], 1)
    chunks = {name: round(value, 1) for name, value in chunks.items()}
    ratio = round(whole["mb_per_second"] / chunks["mb_per_second"], 2)
    processor_ratio = round(whole["mb_per_processor_second"] / chunks["mb_per_processor_second"], 2)
    return {
        "bytes": size,
        "rows": rows,
        "deadline_seconds": DEADLINE,
        "one_call": whole,
        "many_calls": cut,
        "pandas_joblib_sklearn": chunks,
        "throughput_ratio": ratio,
        "processor_ratio": processor_ratio,
        "memory_ratio": round(max(whole["peak_mb"], cut["peak_mb"]) / chunks["peak_mb"], 2),
        "same_bytes": True,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def main() -> None:
    """Measure and print; write the figures if the file has a gigabyte."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 1000.0
    folder = Path(tempfile.mkdtemp(prefix="flyweight-files-"))
    try:
        if shutil.disk_usage(folder).free < 6 * megabytes * 1e6:
            raise SystemExit(f"{folder} has no room for six times {megabytes:.0f} MB")
        figures = measured(folder, megabytes)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(figures, indent=2))
    if megabytes >= 1000:
        RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    most = max(figures["one_call"]["peak_mb"], figures["many_calls"]["peak_mb"])
    held = "within" if most <= LIMIT_MB else "BEYOND"
    print(f"peak {most:.0f} MB, {held} {LIMIT_MB} MB; throughput x{figures['throughput_ratio']}")


if __name__ == "__main__":
    main()
