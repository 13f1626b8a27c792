"""Measure the steps in which a cold start fetches a model of 1 MB from a store (moto's server), in fresh processes.

`python -m benchmarks.stores [RUNS]`. The processes have compiled modules, as a build has, and `json` is imported already, as in a
provider's runtime. The last column is with the certificates of one authority instead of all that the system trusts.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import certifi

from benchmarks.environments import ROOT
from flyweight.registry import addresses
from flyweight.stores import open_store
from tests.services.servers import Moto

STEPS = """
import json, re, collections, functools, contextlib, sys
from time import perf_counter as now
steps = [("", now())]
def step(name): steps.append((name, now()))
from flyweight.registry import addresses
from flyweight.registry import releases; step("addresses, registry and what they import")
import typing; step("typing, for obstore")
import obstore.store; step("obstore")
from flyweight.stores import open_store
import flyweight.stores.objects; step("our stores")
address = addresses.parse("s3://models/registry/cancer@prod")
store = open_store(address.root); step("client")
release = releases.resolve(store, address); step("pointer")
import hashlib; step("hashlib")
data = releases.fetch(store, release); step("model, and its hash")
print(json.dumps([(name, end - begin) for (_, begin), (name, end) in zip(steps, steps[1:])]))
"""


def fill() -> None:
    """Push a model of 1 MB into the registry that the environment variables name."""
    store, data, when = open_store("s3://models/registry"), os.urandom(1_000_000), "2026-11-25T18:00:00Z"
    sha256 = hashlib.sha256(data).hexdigest()
    record = {"name": "cancer", "version": "1", "sha256": sha256, "bytes": len(data), "pushed": when}
    pointer = {"serial": 1, "changed": when, "record": record, "previous": []}
    store.put(addresses.model_key("cancer", "1", sha256), data, None)
    store.put(addresses.pointer_key("cancer", "prod"), json.dumps(pointer).encode(), None)


def measure(library: Path, runs: int, certificates: str) -> dict[str, list[float]]:
    """Measure the milliseconds of each step in fresh processes."""
    seconds: dict[str, list[float]] = {}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
    environ |= {"PYTHONPATH": str(library), **({"SSL_CERT_FILE": certificates} if certificates else {})}
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", STEPS], env=environ, capture_output=True, text=True, check=True)
        steps = json.loads(done.stdout)
        for name, took in [*steps, ("all", sum(took for _, took in steps))]:
            seconds.setdefault(name, []).append(1000 * took)
    return seconds


def main() -> None:
    """Measure and print the figures."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    server = Moto()
    try:
        server.make_bucket("models")
        os.environ.update(server.variables(f"http://127.0.0.1:{server.port}"))
        fill()
        with tempfile.TemporaryDirectory() as folder:
            library, one = Path(folder) / "library", Path(folder) / "one.pem"
            shutil.copytree(ROOT / "shared", library, ignore=shutil.ignore_patterns("__pycache__", "toolkit"))
            compileall.compile_dir(str(library), quiet=1)
            end = "-----END CERTIFICATE-----\n"
            one.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
            usual, short = measure(library, runs, ""), measure(library, runs, str(one))
    finally:
        server.close()
    print(f"| step, ms, least and median of {runs} | least | median | least, one authority |\n|---|---|---|---|")
    for name, took in usual.items():
        print(f"| {name} | {min(took):.1f} | {statistics.median(took):.1f} | {min(short[name]):.1f} |")


if __name__ == "__main__":
    main()
