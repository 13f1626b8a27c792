"""Load functions for an hour with faults in their store and their sinks: memory stays flat, and every record is accounted for.

    python -m benchmarks.soak --minutes 60

The built folders run in the providers' runtimes; moto's server and fake-gcs-server stand in for the stores, behind a proxy that
spoils requests. Writes benchmarks/results/soak.json, and ends with status 1 if anything was lost, wrong or growing.
"""

from __future__ import annotations

import base64
import json
import os
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import flyweight
from benchmarks.environments import ROOT
from flyweight.stores import Timeouts, open_store
from flyweight.toolkit.building import build
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.publishing import registry
from flyweight.toolkit.running import runtime
from tests import fitted
from tests.services.faults import FaultyProxy
from tests.services.servers import RUNNING, running

RESULTS = ROOT / "benchmarks" / "results" / "soak.json"
STORES = {"aws": "s3", "gcp": "gs"}
FAULTS = ("503", "429", "500", "reset", "lost", "truncate", "short", "flip", "etag", "403")
FAULTY, SETTLED = 0.25, 300  # the share of turns with a fault; turns after which all has to be accounted for
GROWTH = 1.1  # of the memory between the second fifth of the time and the last
BAD = '{"island": 1}'
Row = dict[str, Any]


class Load:
    """One function, what was sent to it, and what came of it."""

    def __init__(self, target: str, folder: Path, model: Path, rows: dict[str, Any]) -> None:
        self.target, self.rows, self.random = target, rows, random.Random(0)
        self.scheme = STORES[target]
        server = running(self.scheme)
        self.bucket = f"b{uuid.uuid4().hex}"
        server.make_bucket(self.bucket)
        self.proxy, self.sound = (FaultyProxy(server.port, type(server).forward) for _ in range(2))
        os.environ.update(server.variables(self.sound.url))
        root = f"{self.scheme}://{self.bucket}"
        registry.at(root).push(model)
        self.store = open_store(root, Timeouts(connect=20.0, seconds=60.0))
        settings = {"MODEL": f"{root}/penguins@latest", "TTL_SECONDS": "1", "STORE_SECONDS": "3", "OUTPUT": f"{root}/out"}
        settings |= {"RESULTS": f"{root}/results", "DEAD_LETTERS": f"{root}/letters"}
        settings |= {"EVENT_SENDERS": "iam", "EVENT_BUCKETS": self.bucket} if target == "gcp" else {}
        environ = {**server.variables(self.proxy.url), **{f"FLYWEIGHT_{name}": value for name, value in settings.items()}}
        self.function = runtime(target)(folder, environ=environ)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.waiting: dict[str, str] = {}  # bodies by the id of their record
        self.done: dict[str, str] = {}  # acknowledged since the last settlement
        self.files: set[str] = set()
        self.memory: list[tuple[float, int]] = []

    def turn(self) -> None:
        """Send something, maybe while the store fails."""
        fault = self.random.choice(FAULTS) if self.random.random() < FAULTY else ""
        self.proxy.fail(fault, self.random.randrange(1, 6) if fault else None)
        self.random.choice((self._request, self._request, self._records, self._records, self._file))()

    def settle(self, began: float) -> None:
        """End the faults, have all that waits delivered, and compare what is in the sinks with what was sent."""
        self.proxy.fail("")
        for _ in range(50):
            if not self.waiting and not self.files:
                break
            self._records()
            for key in [*self.files]:
                self._file(key)
        if self.waiting or self.files:
            self.faults.append(f"{len(self.waiting)} records and {len(self.files)} files are never done")
        found = {place: self._taken(place) for place in ("results", "letters")}
        good = {name for name, body in self.done.items() if body != BAD}
        for place, expected in (("results", good), ("letters", {*self.done} - good)):
            ids = [document["id"] for document in found[place]]
            if sorted(ids) != sorted(expected):
                self.faults.append(f"{place}: {len(ids)} documents, {len(expected)} expected, {len({*expected} - {*ids})} lost")
        for document in found["results"]:
            if document["predictions"] != [self.rows[self.done[document["id"]]]]:
                self.faults.append(f"wrong answer: {document}"[:300])
        self.counts["settled"] += len(self.done)
        self.done.clear()
        self.memory.append((time.monotonic() - began, self._resident()))

    def _taken(self, place: str) -> list[Any]:
        """Read the documents below a place of the store, and remove them."""
        keys = [*self.store.keys(place)]
        documents = [json.loads(self.store.get(key, 1 << 20)[0]) for key in keys]
        for key in keys:
            self.store.delete(key)
        return [document for document in documents if "#" not in document["id"]]  # a file's report has another check

    def _resident(self) -> int:
        lines = Path(f"/proc/{self.function.answering_process()}/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

    def _invoke(self, event: Any) -> Any:
        """Get the answer, or None if the invocation failed."""
        try:
            return self.function.invoke(event)
        except RuntimeFailed as error:
            self.counts["failed invocations"] += 1
            try:
                self.function.fail_if_ended()
            except RuntimeFailed:
                self.faults.append(f"the process ended: {str(error)[-500:]}")
                raise
            return None

    def _request(self) -> None:
        body = self.random.choice([*self.rows, BAD])
        plain = {"method": "POST", "path": "/predict", "headers": {"content-type": "application/json"}}
        answer = self._invoke(runtime(self.target).event({**plain, "body": f'{{"instances": [{body}]}}'}))
        self.counts[f"requests answered {answer.status if answer else 'by an error'}"] += 1
        if answer is None or answer.status not in (200, 422, 503):
            self.faults.append(f"a request is answered {answer}"[:300])
        elif answer.status == 200 and json.loads(answer.body)["predictions"] != [self.rows.get(body)]:
            self.faults.append(f"a wrong answer: {answer.body!r}"[:300])

    def _records(self) -> None:
        """Deliver records that wait, and some new ones."""
        fresh = {str(uuid.UUID(int=self.random.getrandbits(128))): self.random.choice([*self.rows, BAD]) for _ in range(4)}
        if len(self.waiting) < 100:
            self.waiting |= fresh
        batch = dict([*self.waiting.items()][:10])
        again = DELIVERIES[self.target](self, batch)
        self.counts["records delivered"] += len(batch)
        for name in {*batch} - again:
            self.done[name] = self.waiting.pop(name)

    def _file(self, key: str = "") -> None:
        """Put a file into the store, and deliver its event until it is scored; check the answers."""
        if not key:
            key = f"in/{self.counts['files']}.jsonl"
            bodies = [*self.rows] * 40
            self.store.put(key, "\n".join([*bodies, BAD]).encode(), None)
            self.counts["files"] += 1
            self.files.add(key)
        if not FILES[self.target](self, key):
            return
        left = {name: self.store.get(name, 1 << 24)[0] for name in self.store.keys("out") if key in name}
        answers = next((data for name, data in left.items() if name.endswith(".jsonl") and "rejected" not in name), b"")
        given = [json.loads(line)["prediction"] for line in answers.splitlines()]
        if given != [self.rows[body] for body in [*self.rows] * 40]:
            self.faults.append(f"{key}: {len(given)} answers, {40 * len(self.rows)} expected, or wrong ones")
        for name in [*left, key]:
            self.store.delete(name)
        self.files.discard(key)


def sqs(load: Load, batch: dict[str, str]) -> set[str]:
    """Deliver a batch of a queue.

    :returns: the ids to be delivered again.
    """
    first = json.loads((ROOT / "events" / "aws" / "sqs.json").read_text())["Records"][0]
    answer = load._invoke({"Records": [{**first, "messageId": name, "body": body} for name, body in batch.items()]})
    return {*batch} if answer is None else {item["itemIdentifier"] for item in json.loads(answer.body)["batchItemFailures"]}


def pubsub(load: Load, batch: dict[str, str]) -> set[str]:
    """Push messages of a subscription one by one; any status but a 2xx delivers one again."""
    event = json.loads((ROOT / "events" / "gcp" / "pubsub.json").read_text())
    again = set()
    for name, body in batch.items():
        message = {"data": base64.b64encode(body.encode()).decode(), "messageId": name, "attributes": {}}
        pushed = {**event, "headers": {**event["headers"], "ce-id": name}}
        pushed["body"] = json.dumps({"message": message, "subscription": "projects/example/subscriptions/penguins"})
        answer = load._invoke(pushed)
        again |= {name} if answer is None or answer.status >= 300 else set()
    return again


def s3(load: Load, key: str) -> bool:
    """Deliver S3's event of a new object; whether the file is done."""
    entry = {"bucket": {"name": load.bucket}, "object": {"key": key, "size": 1, "eTag": "e", "sequencer": "1"}}
    event = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-25T18:00:00Z", "s3": entry}
    return load._invoke({"Records": [event]}) is not None


def storage(load: Load, key: str) -> bool:
    """Deliver Cloud Storage's event of a new object; whether the file is done."""
    text = (ROOT / "events" / "gcp" / "storage.json").read_text().replace("penguins-in", load.bucket)
    event = json.loads(text.replace("2026/palmer.csv", key).replace("text/csv", "application/x-ndjson"))
    answer = load._invoke({name: value for name, value in event.items() if name != "settings"})
    return answer is not None and answer.status < 300


DELIVERIES: dict[str, Callable[[Load, dict[str, str]], set[str]]] = {"aws": sqs, "gcp": pubsub}
FILES: dict[str, Callable[[Load, str], bool]] = {"aws": s3, "gcp": storage}


def figures(load: Load) -> dict[str, Any]:
    """Sum up a load, and compare its memory in the second fifth of the time with the last."""
    memory = [size for _, size in load.memory]
    fifth = max(1, len(memory) // 5)
    early, late = (sorted(part)[len(part) // 2] for part in (memory[fifth : 2 * fifth] or memory, memory[-fifth:]))
    if late > GROWTH * early:
        load.faults.append(f"the memory grew from {early} to {late} bytes")
    found = {"counts": dict(sorted(load.counts.items())), "memory": {"early": early, "late": late, "settlements": len(memory)}}
    return {**found, "faults": len(load.faults), "shown": load.faults[:20]}


def measured(minutes: float) -> dict[str, Any]:
    """Load one function after the other in turns until the time is over."""
    estimator, sample = fitted.penguins()
    table = [{name: row[name] for name in sample.columns} for row in json.loads(sample.dropna()[::60].to_json(orient="records"))]
    rows = {json.dumps(row): label for row, label in zip(table, estimator.predict(sample.dropna()[::60]), strict=True)}
    with tempfile.TemporaryDirectory() as name:
        model = Path(name) / "penguins.safetensors"
        flyweight.pack(estimator, model, sample=sample, name="penguins", version="1.0.0")
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        loads = [Load(t, build(t, model, Path(name) / t, python=python).folder, model, rows) for t in STORES]
        began, turns = time.monotonic(), 0
        try:
            while time.monotonic() - began < 60 * minutes:
                for load in loads:
                    load.turn()
                turns += 1
                if turns % SETTLED == 0:
                    for load in loads:
                        load.settle(began)
                    click.echo(f"{(time.monotonic() - began) / 60:.1f} min, {sum(len(load.faults) for load in loads)} faults")
            for load in loads:
                load.settle(began)
        finally:
            for load in loads:
                load.function.close()
                load.proxy.close()
                load.sound.close()
            while RUNNING:
                RUNNING.popitem()[1].close()
    return {"minutes": minutes, **{load.target: figures(load) for load in loads}}


@click.command()
@click.option("--minutes", default=60.0, show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(minutes: float, out: Path) -> None:
    """Load the functions of AWS and Google for MINUTES, and write the figures."""
    found = measured(minutes)
    out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    faults = sum(found[target]["faults"] for target in STORES)
    click.echo(f"{minutes:g} minutes, {faults} faults")
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
