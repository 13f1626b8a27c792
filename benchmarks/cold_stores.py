"""Measure cold starts with a model of 1 MB in S3, with an empty and a warm disk cache, beside boto3 and scikit-learn.

S3 is moto's server on this machine, by plain http and by TLS with a certificate of an authority made for the run. That authority
stands beside those that this system trusts, in one file, as Lambda's systems have them.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import click
import joblib
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

from benchmarks.environments import ROOT, VERSION, python_of, versions
from benchmarks.folders import BASELINES
from flyweight.toolkit.building import build, bytecode
from flyweight.toolkit.events import samples
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.publishing import registry
from flyweight.toolkit.running import runtime
from flyweight.toolkit.targets.aws.runtime import OWN, WRAPPER
from tests.services.certificates import Authority

# moto's server ends each connection after one answer, which S3 does not
SERVER = """
from moto.server import main
from werkzeug.serving import WSGIRequestHandler
WSGIRequestHandler.protocol_version = "HTTP/1.1"
main()
"""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")  # of this system, in one file
RESULTS = ROOT / "benchmarks" / "results" / "cold_stores.json"
BUCKET = "models"
EMPTY, CLIENT = "empty function", "own client"
TOLD = ("awslambdaric", "boto3", "obstore", "scikit-learn")


@dataclass
class Function:
    """One folder, its additional environment variables, and the figures of its cold starts, one for each round."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    clears: Path | None = None  # a disk cache that is emptied before each start
    cold: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


@click.command()
@click.option("--rounds", default=9, show_default=True, help="Fresh processes of each function, in turns.")
def main(rounds: int) -> None:
    """Measure, write the figures and show them."""
    python = python_of("aws")
    with tempfile.TemporaryDirectory() as name, s3() as endpoint, s3(Path(name)) as secure:
        place = Path(name)
        sample, size = made(place, [secure, endpoint])
        functions = folders(place, secure)
        event = samples.predicting("aws", [sample])
        for number in track(range(-1, rounds), description="measuring", transient=True):
            for function in rotated([*functions.values()], number):
                ask(function, event, python, counted=number >= 0)
    document = described(functions, size, {p: v for p, v in versions(python).items() if p in TOLD})
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    show(document)


@contextmanager
def s3(place: Path | None = None) -> Iterator[dict[str, str]]:
    """Start an S3 server (moto) on this machine with a bucket, and give the environment variables for it.

    :param place: a folder for certificates, if the server is to speak TLS.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVER, "-H", "127.0.0.1", "-p", str(port)]
    if place:
        authority = Authority("Amazon, made for a benchmark")
        (place / "authorities.pem").write_bytes(AUTHORITIES.read_bytes() + authority.pem)
        own = str(authority.issue(place / "server.pem", "127.0.0.1"))
        command += ["-c", own, "-k", own]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    variables = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
    variables |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": f"{'https' if place else 'http'}://127.0.0.1:{port}"}
    variables |= {"SSL_CERT_FILE": str(place / "authorities.pem")} if place else {}
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        _client(variables).create_bucket(Bucket=BUCKET)
        yield variables
    finally:
        process.terminate()
        process.wait()


def _client(variables: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        verify=variables.get("SSL_CERT_FILE"),
    )


def made(place: Path, servers: list[dict[str, str]]) -> tuple[list[float], int]:
    """Make a forest whose model file has 1 MB: as a file, in the registry, and as a pickle in the bucket.

    :param servers: the environments of the servers; that of the last one stays.
    :returns: a row, and the size of the model file.
    """
    X, y = make_classification(4000, 20, n_informative=8, random_state=0)
    estimator = RandomForestClassifier(205, random_state=0).fit(X, y)
    packed = pack(estimator, place / "m.safetensors", sample=X[:200], name="m", engine="pure", edge_count=50)
    joblib.dump(estimator, place / "model.joblib")
    for variables in servers:
        os.environ.update(variables)
        registry.at(f"s3://{BUCKET}/registry").push(place / "m.safetensors", ["prod"])
        _client(variables).upload_file(str(place / "model.joblib"), BUCKET, "model.joblib")
    os.environ.pop("SSL_CERT_FILE", None)
    return X[0].tolist(), len(packed.data)


def folders(place: Path, secure: dict[str, str]) -> dict[str, Function]:
    """Build the folders that are compared.

    :param secure: the environment of the server that speaks TLS.
    """
    stored = build("aws", f"s3://{BUCKET}/registry/m@prod", place / "stored", python=VERSION).folder
    shipped = build("aws", place / "m.safetensors", place / "shipped", python=VERSION).folder
    sources = {
        "empty": ROOT / "tests" / "targets" / "aws" / "empty",
        "boto3": BASELINES / "stores" / "fetch",
        "sklearn": BASELINES / "stores" / "joblib",
    }
    for name, source in sources.items():
        shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        bytecode.compile_tree(place / name, sys.executable)
    disk = place / "disk"
    cold, own = {"FLYWEIGHT_CACHE_DIR": str(disk / "cold")}, {WRAPPER: OWN}
    warm = {"FLYWEIGHT_CACHE_DIR": str(disk / "warm"), "FLYWEIGHT_TTL_SECONDS": "3600"}
    return {
        EMPTY: Function(place / "empty"),
        "flyweight, the model in the folder": Function(shipped),
        "flyweight, from S3": Function(stored, cold, clears=disk / "cold"),
        "flyweight, from a warm disk": Function(stored, warm),
        f"flyweight, the model in the folder, {CLIENT}": Function(shipped, own),
        f"flyweight, from S3, {CLIENT}": Function(stored, cold | own, clears=disk / "cold"),
        f"flyweight, from S3 by TLS, {CLIENT}": Function(stored, cold | own | secure, clears=disk / "cold"),
        f"flyweight, from a warm disk, {CLIENT}": Function(stored, warm | own),
        "boto3 fetches the bytes, no model": Function(place / "boto3"),
        "boto3 + joblib + scikit-learn": Function(place / "sklearn"),
    }


def rotated(functions: list[Function], number: int) -> list[Function]:
    """Rotate the functions, so that another one is first in each round."""
    start = max(number, 0) % len(functions)
    return [*functions[start:], *functions[:start]]


def ask(function: Function, event: Any, python: Path, counted: bool) -> None:
    """Ask one fresh process; the first round, which is not counted, writes the packages' bytecode and the warm disk cache."""
    if function.clears:
        shutil.rmtree(function.clears, ignore_errors=True)
    environ = function.environ | ({} if counted else {"PYTHONDONTWRITEBYTECODE": ""})
    with runtime("aws")(function.folder, python=str(python), environ=environ) as process:
        answer = process.invoke(event)
        if answer.status != 200:
            raise click.ClickException(f"{function.folder.name} answered {answer.status}: {answer.body.decode()[:500]}")
        if counted:
            function.cold.append(answer.seconds)
            function.memory.append(process.peak_memory() or 0)


def described(functions: dict[str, Function], size: int, packages: dict[str, str]) -> dict[str, Any]:
    """Collect milliseconds and megabytes, and ratios to the empty function of the same round."""
    base = functions[EMPTY].cold
    rows = {
        name: {
            "cold_ms": round(1000 * median(function.cold), 1),
            "against_empty": round(median(a / b for a, b in zip(function.cold, base, strict=True)), 2),
            "peak_mb": round(median(function.memory) / 1e6, 1),
        }
        for name, function in functions.items()
    }
    machine = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "versions": packages,
    }
    return {"machine": machine, "rounds": len(base), "model_bytes": size, "functions": rows}


def show(document: dict[str, Any]) -> None:
    """Show the figures as a table."""
    table = Table(title=f"a model of {document['model_bytes'] / 1e6:.2f} MB, {document['rounds']} rounds")
    for column in ("function", "cold ms", "against empty", "peak MB"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for name, row in document["functions"].items():
        table.add_row(name, f"{row['cold_ms']:.1f}", f"{row['against_empty']:.2f}", f"{row['peak_mb']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
