"""One process that asks one handler for fuzzed bodies and prints what came of them, as JSON.

python -m tests.fuzz.run aws FOLDER MODEL FIRST COUNT LARGEST
"""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from time import process_time
from typing import Any

from tests.fuzz import bodies, transports
from tests.fuzz.judge import Judge

SHOWN = 20  # faults that are shown in full


def fuzzed(target: str, folder: Path, model: Path, first: int, count: int, largest: int) -> dict[str, Any]:
    """Ask for `count` bodies.

    :param largest: bytes of a body, about.
    :returns: how many had which status, the faults, the body that took the processor longest, and the process's memory.
    """
    ask = transports.open_transport(target, folder)
    judge, rows = _judge(model)
    before, counts = _memory(), Counter[str]()
    faults: list[str] = []
    slowest = {"seconds": 0.0, "bytes": 0, "seed": 0}
    for seed in range(first, first + count):
        body = bodies.made(seed, rows, largest)
        headers = {"content-type": body.content_type} if body.content_type else {}
        headers |= {"content-encoding": body.encoding} if body.encoding else {}
        began = process_time()
        status, _, answer = ask("POST", "/predict", headers, body.data)
        seconds = process_time() - began
        counts[str(status)] += 1
        fault = judge.fault(body, status, answer)
        if fault == "unjudged":
            counts["unjudged"] += 1
        elif fault:
            faults.append(f"seed {seed}: {fault}")
        if seconds > slowest["seconds"]:
            slowest = {"seconds": round(seconds, 4), "bytes": len(body.data), "seed": seed}
    figures = {"target": target, "bodies": count, "largest": largest, "counts": dict(sorted(counts.items()))}
    return figures | {"faults": len(faults), "shown": faults[:SHOWN], "slowest": slowest, "more_memory": _memory() - before}


def _judge(model: Path) -> tuple[Judge, list[bodies.Row]]:
    """Make the judge of a model, and the rows that sound bodies hold: those of the file's own sample, and mixtures of them."""
    from flyweight.predictor import load

    predictor = load(str(model))
    known = predictor.file.document["sample"]["instances"]
    rows = [{**one, **{name: other[name] for name in [*other][::2]}} for one in known for other in known]
    features = predictor.signature.features
    numbers = {feature.name for feature in features if feature.kind == "number"}
    names = [feature.name for feature in features]
    rows = [{name: row.get(name) for name in names} for row in rows]
    rows = [row for row in rows if all(value is not None for value in row.values())]
    return Judge(lambda row: (predictor.predict([row]).predictions or [None])[0], names, numbers), rows


def _memory() -> int:
    """Return the highest memory of this process so far, in bytes; `getrusage` would count that of its parent as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def main(target: str, folder: str, model: str, *numbers: str) -> None:
    """Fuzz quietly, and print the figures."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        figures = fuzzed(target, Path(folder), Path(model), *map(int, numbers))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
