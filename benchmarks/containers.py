"""Time the start of images, without a container engine: from the process to its first answer, in namespaces of its own.

    .ci/install-bwrap && .ci/install-base-image
    python -m benchmarks.containers cloudrun sagemaker --rounds 9

Each image has a pure model on the base in .tools/base. Beside them stands scikit-learn's container as AWS's own is made:
gunicorn, Flask and a joblib file in the same base, with this machine's C libraries. Images take turns in fresh processes,
read-only and as another user; the figures are medians of the rounds, and the sizes those of the compressed layers. Writes
benchmarks/results/containers.json.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
import joblib
from rich.console import Console
from rich.table import Table

import flyweight
from benchmarks.environments import ROOT
from flyweight.toolkit import targets
from flyweight.toolkit.building import Built, build
from flyweight.toolkit.building.wheels import find_uv
from flyweight.toolkit.images.bases import read
from flyweight.toolkit.images.layout import Layout
from tests import fitted
from tests.services.containers import Container, Root, unpack

RESULTS = Path(__file__).with_name("results") / "containers.json"
BASE = ROOT / ".tools" / "base"
LIBRARIES = Path(
    "/usr/lib/x86_64-linux-gnu"
)  # that NumPy and SciPy load beside their own; the base has Debian's of the same release
ROW = [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]]
BODY = json.dumps(ROW).encode()
PATHS = ("/predict", "/invocations")  # the first that a container answers with 200
PEER = "scikit-learn, gunicorn and Flask"
BOUND_MS = 80.0
PACKAGES = ["flask", "gunicorn", "joblib", "pandas", "scikit-learn"]
APP = """
import os

import flask
import joblib
import pandas

model = joblib.load("/app/model.joblib")
columns = {columns!r}
app = flask.Flask(__name__)

@app.get("/ping")
def ping():
    return ""

@app.post("/invocations")
def invocations():
    rows = pandas.DataFrame(flask.request.get_json(), columns=columns)
    return flask.jsonify(model.predict(rows).tolist())
"""


def python_of(base: Path) -> str:
    """Find the version of a base's Python."""
    layout = Layout(base)
    names = [name for one in read(layout) for name in one.tree if name.startswith("usr/bin/python3.")]
    layout.close()
    return names[0].removeprefix("usr/bin/python")


def peer(base: Path, place: Path, python: str) -> Root:
    """Make the root file system of scikit-learn's container: the base, the packages, and the model as a joblib file."""
    root = unpack(base, place / "peer")
    app = root.folder / "app"
    app.mkdir()
    estimator, sample = fitted.penguins()
    joblib.dump(estimator, app / "model.joblib")
    (app / "wsgi.py").write_text(APP.format(columns=[*sample.columns]))
    words = ["pip", "install", "--quiet", "--target", str(app / "packages"), "--python-version", python, "--only-binary", ":all:"]
    subprocess.run([find_uv(), *words, "--constraint", str(ROOT / "constraints.txt"), *PACKAGES], check=True)
    compiling = [
        "/usr/bin/python3",
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        str(root.folder),
        str(app),
    ]
    subprocess.run(compiling, check=False, stdout=subprocess.DEVNULL)  # as an image's build does; templates do not compile
    serve = "from gunicorn.app.wsgiapp import run; import os, sys"
    words = "sys.argv = ['gunicorn', '-b', '0.0.0.0:' + os.environ['PORT'], 'wsgi:app']"
    command = ["/usr/bin/python3", "-c", f"{serve}; {words}; run()"]
    run = {
        "Entrypoint": command,
        "User": "65532:65532",
        "WorkingDir": "/app",
        "Env": ["PATH=/usr/bin", "PYTHONPATH=/app/packages"],
    }
    return Root(root.folder, run)


def start(root: Root, mounts: dict[Path, str]) -> tuple[float, float]:
    """Start a container, and stop it.

    :returns: milliseconds to the first answer of the model, and from SIGTERM to the end.
    """
    with Container(root, mounts=mounts) as container:
        for path in PATHS:
            status, body = container.ask("POST", path, BODY, timeout=300)
            taken = perf_counter() - container.began
            if status == 200:
                break
        if status != 200 or b"Gentoo" not in body:
            raise click.ClickException(f"it answered {status}: {body[:300]!r}\n{container.stop()[1][-2000:]}")
        began = perf_counter()
        container.stop()
        return 1000 * taken, 1000 * (perf_counter() - began)


def measured(roots: dict[str, Root], rounds: int) -> dict[str, dict[str, float]]:
    """Start the containers in turns, after a round that is not counted."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in roots}
    names = [*roots]
    for number in range(-1, rounds):
        first = max(number, 0) % len(names)
        for name in [*names[first:], *names[:first]]:
            mounts = {LIBRARIES: str(LIBRARIES)} if name == PEER else {}
            one = start(roots[name], mounts)
            taken[name] += [one] if number >= 0 else []
    figures = {}
    for name, times in taken.items():
        firsts, ends = zip(*times, strict=True)
        figures[name] = {"first_answer_ms": median(firsts), "least_ms": min(firsts), "stop_ms": median(ends)}
    return figures


@click.command()
@click.argument("names", nargs=-1)
@click.option("--rounds", default=9, show_default=True, help="Starts of each image.")
@click.option("--peer/--no-peer", "with_peer", default=True, show_default=True, help="Start scikit-learn's container as well.")
@click.option("--save/--no-save", default=True, show_default=True, help="Write the figures to benchmarks/results.")
def main(names: tuple[str, ...], rounds: int, with_peer: bool, save: bool) -> None:
    """Build the images of NAMES, targets with an image, and time their start."""
    if not (BASE / "oci-layout").is_file():
        raise click.ClickException("no base image is there: run .ci/install-base-image")
    python = python_of(BASE)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        place.chmod(0o755)
        estimator, sample = fitted.penguins()
        flyweight.pack(estimator, place / "model.safetensors", sample=sample, name="penguins", version="1.0.0")
        made: dict[str, Built] = {}
        for name in names or ("docker",):
            title = targets.find(name).title
            made[title] = build(name, place / "model.safetensors", place / name, python=python, form="oci", base=str(BASE))
        roots = {title: unpack(one.image.layout, place / f"root {title}") for title, one in made.items() if one.image}
        if with_peer:
            roots[PEER] = peer(BASE, place, python)
        figures: dict[str, dict[str, Any]] = {name: {**one} for name, one in measured(roots, rounds).items()}
        for title, one in made.items():
            assert one.image is not None
            figures[title] |= {"base_bytes": one.image.platforms[0].base, "bytes_above_base": one.image.platforms[0].ours}
    _show(figures, rounds, python)
    if save:
        RESULTS.write_text(json.dumps({"python": python, "rounds": rounds, "containers": figures}, indent=2) + "\n")


def _show(figures: dict[str, dict[str, Any]], rounds: int, python: str) -> None:
    """Print the figures."""
    table = Table(
        title=f"medians of {rounds} rounds, Python {python}, read-only under bubblewrap; at most {BOUND_MS:g} ms are wanted"
    )
    for column in ("image", "first answer, ms", "least, ms", "SIGTERM to end, ms", "above its base, kB"):
        table.add_column(column, justify="left" if column == "image" else "right")
    for name, one in figures.items():
        above = f"{one['bytes_above_base'] / 1000:.0f}" if "bytes_above_base" in one else ""
        table.add_row(name, f"{one['first_answer_ms']:.1f}", f"{one['least_ms']:.1f}", f"{one['stop_ms']:.1f}", above)
    Console().print(table)


if __name__ == "__main__":
    main()
