"""Compare batches of queue messages in flyweight with a handler that predicts record by record, in one run."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import joblib
import numpy as np
import sklearn
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import show
from benchmarks.environments import ROOT
from benchmarks.models import MODELS, Model
from flyweight import engines
from flyweight.records.consumer import consume
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.toolkit.packing.pack import pack

RESULTS = ROOT / "benchmarks" / "results" / "records.json"
HANDLER = ROOT / "handlers" / "aws"
BASELINE = ROOT / "benchmarks" / "baselines" / "joblib" / "model.py"
CONTEXT = SimpleNamespace(aws_request_id="benchmark")
Handler = Callable[[Any], Any]


@click.command()
@click.option("--records", default=10_000, show_default=True, type=click.IntRange(1), help="Records in a batch.")
@click.option(
    "--rounds", default=5, show_default=True, type=click.IntRange(1), help="Batches in flyweight; the other handler gets one."
)
@click.option("--models", "chosen", default="linear,forest,mixed", show_default=True, help="Models to measure.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="The file to write the figures to.")
def main(records: int, rounds: int, chosen: str, out: Path) -> None:
    """Measure batches of records, write the figures and print them."""
    sys.path.insert(0, str(HANDLER))
    found = []
    for name in chosen.split(","):
        click.echo(name, err=True)
        found.append(measured(MODELS[name](), records, rounds))
    document = {
        "records": records,
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "models": found,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")
    Console(width=130).print(table(document))


def measured(model: Model, records: int, rounds: int) -> dict[str, Any]:
    """Measure the records a second of each handler, and check that all give the same predictions."""
    event = event_of(model, records)
    with tempfile.TemporaryDirectory() as place:
        ours, results = flyweight_handler(model, Path(place))
        theirs, others = usual_handler(model, Path(place))

        def by_rows(event: Any) -> Any:
            usual, engines.BATCH = engines.BATCH, sys.maxsize
            try:
                return ours(event)
            finally:
                engines.BATCH = usual

        for handler in (ours, by_rows, theirs):  # a short batch first, so that everything is loaded
            handler({"Records": event["Records"][:64]})
        rates = {"numpy": 0.0, "pure": 0.0, "per_record": 0.0}
        answered: dict[str, list[bytes]] = {"per_record": []}
        # each record takes the same time there: a part in each round, so that the machine's load affects all handlers alike
        parts = [{"Records": event["Records"][number::rounds]} for number in range(rounds)]
        for part in parts:
            for way, handler, batch, lines in (
                ("numpy", ours, event, results),
                ("pure", by_rows, event, results),
                ("per_record", theirs, part, others),
            ):
                lines.clear()
                rates[way] = max(rates[way], len(batch["Records"]) / seconds(handler, batch))
                assert len(lines) == len(batch["Records"]), f"{way} gave {len(lines)} results"
                answered[way] = [*answered["per_record"], *lines] if way == "per_record" else [*lines]
    same = len({*map(labels, answered["numpy"])} & {*map(labels, answered["pure"])} & {*map(labels, answered["per_record"])})
    rounded = {way: round(rate) for way, rate in rates.items()}
    times = {f"times_{way}": round(rates[way] / rates["per_record"], 1) for way in ("numpy", "pure")}
    return {"model": model.title, "features": len(model.sample.columns), **rounded, **times, "same": same}


def seconds(handler: Handler, event: Any) -> float:
    """Measure the seconds of one batch."""
    began = time.perf_counter()
    handler(event)
    return time.perf_counter() - began


def labels(line: bytes) -> str:
    """Map each record's id to its prediction."""
    document = json.loads(line)
    return json.dumps([document["id"], document["predictions"]])


def event_of(model: Model, records: int) -> Any:
    """Make messages with one instance each, from rows of the model's own table."""
    picks = np.random.default_rng(0).integers(0, len(model.sample), records)
    cells = model.sample.astype(object).to_numpy()[picks].tolist()
    rows = [[None if cell != cell else cell for cell in row] for row in cells]
    named = isinstance(model.instance, dict)
    bodies = [json.dumps([dict(zip(model.sample.columns, row, strict=True)) if named else row]) for row in rows]
    shared = {
        "receiptHandle": "AQEB",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795341600000", "SenderId": "AIDAEXAMPLE"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:penguins",
        "awsRegion": "eu-central-1",
    }
    return {"Records": [{"messageId": f"{place:032x}", "body": body, **shared} for place, body in enumerate(bodies)]}


class Written:
    """A sink that writes each document as JSON and stores it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def send(self, documents: list[tuple[str, Mapping[str, Any]]]) -> Mapping[str, str]:
        """Store all documents."""
        from flyweight import strict_json

        self.lines += [strict_json.encode(document) for _, document in documents]
        return {}


def flyweight_handler(model: Model, place: Path) -> tuple[Handler, list[bytes]]:
    """Make the handler of the built function, and the list that gets its results."""
    path = place / "model.safetensors"
    pack(model.estimator, path, sample=model.sample, edge_count=500)
    service, sink = Service(Settings(str(path)), lambda entry: None), Written()
    from aws_triggers import find

    def handler(event: Any) -> Any:
        trigger = find(event, CONTEXT)
        assert trigger is not None
        return consume(service, trigger, (event, CONTEXT), sink)

    return handler, sink.lines


def usual_handler(model: Model, place: Path) -> tuple[Handler, list[bytes]]:
    """Make a handler that asks the baseline of the other benchmarks record by record."""
    joblib.dump(model.estimator, place / "model.joblib")
    (place / "model.py").write_text(BASELINE.read_text())
    baseline = _imported(place / "model.py")
    lines: list[bytes] = []

    def handler(event: Any) -> Any:
        failures = []
        for record in event["Records"]:
            try:
                answer = baseline.answer({"instances": json.loads(record["body"])})
                lines.append(json.dumps({"id": record["messageId"], **answer}).encode())
            except Exception:
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    return handler, lines


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("baseline_of_records", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(document: dict[str, Any]) -> Table:
    """Make a table of the figures; ratios are relative to the handler that predicts record by record."""
    title = f"batches of {document['records']:,} messages, records a second"
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("model")
    for column in ("features", "numpy", "pure", "scikit-learn, one by one", "x numpy", "x pure"):
        made.add_column(column, justify="right", no_wrap=True)
    for row in document["models"]:
        rates = [f"{row[way]:,}" for way in ("numpy", "pure", "per_record")]
        made.add_row(row["model"], str(row["features"]), *rates, show.times(row["times_numpy"]), show.times(row["times_pure"]))
    return made


if __name__ == "__main__":
    main()
