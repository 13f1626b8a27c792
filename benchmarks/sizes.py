"""Measure the size of built folders and the time of a build: each engine on AWS for both processors, and pure on each provider.

    python -m benchmarks.sizes

Engines other than pure need a package registry. Writes benchmarks/results/sizes.json.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from flyweight.toolkit import targets
from flyweight.toolkit.building import build, wheels
from flyweight.toolkit.building.assembly import MODEL
from flyweight.toolkit.packing.pack import pack

RESULTS = Path(__file__).resolve().parent / "results" / "sizes.json"
PYTHON = "3.13"


def measured(provider: str, model: Path, place: Path, arch: str | None = None) -> dict[str, Any]:
    """Measure one build: its bytes without the model, each package, each limit, and the seconds of two builds."""
    seconds = []
    for _ in range(2):
        began = perf_counter()
        made = build(provider, model, place / "out", python=PYTHON, arch=arch, install=True)
        seconds.append(round(perf_counter() - began, 2))
    size = made.size - (made.folder / MODEL).stat().st_size
    limits = {row.limit: {"bytes": row.size, "allowed": row.allowed, "fits": row.fits} for row in made.limits}
    packages = {f"{package.name} {package.version}": package.size for package in made.packages}
    about = {"provider": provider, "arch": made.arch, "python": made.python, "proven": made.proof.proven}
    return {**about, "bytes_without_model": size, "seconds": seconds, "packages": packages, "limits": limits}


def plain(model: Path, place: Path, arch: str) -> int:
    """Sum the bytes of the same requirements as an installer leaves them, without bytecode."""
    made = build("aws", model, place / "listed", python=PYTHON, arch=arch)
    system = wheels.System(arch, PYTHON)
    listed = made.folder / "requirements.txt"
    wheels.lock(listed, place / "lock", system)
    wheels.install(listed, place / "lock", place / "plain", system)
    return sum(path.stat().st_size for path in (place / "plain").rglob("*") if path.is_file())


def main() -> None:
    """Measure, print and write the figures."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    estimator = LogisticRegression().fit(X, (X[:, 0] > 0).astype(int))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for engine in ("pure", "onnx", "sklearn"):
            model = Path(name) / f"{engine}.safetensors"
            pack(estimator, model, sample=X, edge_count=20, engine=engine, name=engine, version="1.0.0")
            wanted = [("aws", "x86_64"), ("aws", "arm64")] if engine != "pure" else [(p, None) for p in targets.names()]
            for provider, arch in wanted:
                place = Path(name) / f"{engine}-{provider}-{arch}"
                row = {"engine": engine, **measured(provider, model, place, arch)}
                if arch is not None:
                    row["plain_install_bytes"] = plain(model, place, arch)
                rows.append(row)
                told = f"{row['bytes_without_model'] / 1e6:.2f} MB, {row['seconds']} s"
                print(f"{engine} {provider} {row['arch']}: {told}", flush=True)
    RESULTS.write_text(json.dumps({"builds": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
