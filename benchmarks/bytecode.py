"""Measure imports and first answer with the core's bytecode in one file, and with one file for each module, in fresh processes.

python -m benchmarks.bytecode
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.models import MODELS
from flyweight.toolkit.building import build, bytecode
from flyweight.toolkit.packing.pack import pack

RESULTS = Path(__file__).parent / "results" / "bytecode.json"
# modules that Lambda's runtime client imports before the function
PROGRAM = """
import json, os, sys, threading, heapq, warnings
from time import perf_counter
folder, event = sys.argv[1], json.loads(sys.argv[2])
os.chdir(folder)
sys.path.insert(0, folder)
printed, sys.stdout = sys.stdout, open(os.devnull, "w")
began = perf_counter()
import app
answer = app.lambda_handler(event, type("Context", (), {"aws_request_id": "b"}))
took = perf_counter() - began
assert answer["predictions"], answer
printed.write(str(1000 * took))
"""


@click.command()
@click.option("--rounds", default=60, show_default=True, type=click.IntRange(1), help="Fresh processes for each way.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="The file to write the figures to.")
def main(rounds: int, out: Path) -> None:
    """Measure both ways, write the medians and print them."""
    with tempfile.TemporaryDirectory() as place:
        ways = folders(Path(place))
        event = json.dumps({"instances": [MODELS["linear"]().instance]})
        milliseconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, folder in ways.items():
                milliseconds[way].append(first_answer(folder, event))
    figures: dict[str, Any] = {f"{way}_ms": round(median(found), 2) for way, found in milliseconds.items()}
    document = {"rounds": rounds, "python": platform.python_version(), "model": "logistic regression", **figures}
    out.write_text(json.dumps(document, indent=1) + "\n")
    click.echo(json.dumps(document))


def folders(place: Path) -> dict[str, Path]:
    """Build a linear model's function, and the same with bytecode beside each module."""
    model = MODELS["linear"]()
    pack(model.estimator, place / "model.safetensors", sample=model.sample, edge_count=50)
    one = build("aws", place / "model.safetensors", place / "one", python=bytecode.version_of(sys.executable)).folder
    each = shutil.copytree(one, place / "each")
    next(each.rglob("bundle.*")).unlink()
    compiled = [sys.executable, "-m", "compileall", "-q", "-f", "-o", "0", "--invalidation-mode", "unchecked-hash", "flyweight"]
    subprocess.run(compiled, cwd=each, check=True)
    return {"one_file": one, "a_file_each": each}


def first_answer(folder: Path, event: str) -> float:
    """Measure the milliseconds from the function's import to its first answer."""
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(folder), event]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
