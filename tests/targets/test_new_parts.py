"""A new target, transport, protocol or engine is new files only: toys of each join a copy of the repository, and all of it works.

The contract suite runs over the toys there, and every verb of the command line, which works or refuses in words.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import joblib
import pytest
from safetensors.numpy import load_file

from flyweight import predictor
from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from flyweight.toolkit.packing import model_writer
from tests import fitted
from tests.conftest import PYTHON, ROOT

TOYS = Path(__file__).with_name("toys")
COPIED = ("shared", "handlers", "events", "infra", "tests", "pyproject.toml")
QUICK = ("--runs", "1", "--repeat", "2")
MAIN = "from flyweight.toolkit.cli import main; main()"


@dataclass(frozen=True)
class House:
    """A copy of the repository with the toys in it, and a folder to work in with a model, an estimator and rows."""

    root: Path
    work: Path

    def run(self, *words: str, folder: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run this Python with the house's own flyweight."""
        path = os.pathsep.join((str(self.root / "shared"), str(self.root)))
        variables = {**os.environ, "PYTHONPATH": path, "TOYBOX": str(self.work / "box"), "COLUMNS": "250", **environ}
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=folder or self.work, env=variables, capture_output=True, text=True)

    def flyweight(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a verb, which never ends in a traceback, and says what is wrong and what to do next where it refuses."""
        done = self.run("-P", "-c", MAIN, *words, **environ)
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert done.returncode == 0 or ("error: " in said.lower() and ("next: " in said or "Usage: " in said)), said
        return done


@pytest.fixture(scope="module")
def house(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The house; the toys' samples of events are what its own command line shows."""
    place = tmp_path_factory.mktemp("house")
    root, work = place / "root", place / "work"
    root.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "toys"))
        else:
            shutil.copyfile(source, root / name)
    for path in sorted(path for path in TOYS.rglob("*") if path.is_file() and path.suffix not in (".md", ".pyc")):
        goal = root / path.relative_to(TOYS)
        assert not goal.exists(), f"{goal} is there already: a new part edits no file"
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, goal)
    work.mkdir()
    made = House(root, work)
    for target in ("toy", "toybox"):
        (root / "events" / target).mkdir(parents=True)
        (root / "events" / target / "predict.json").write_text(made.flyweight("events", "show", target, "predict").stdout)
    document = {**predictor.load(str(penguins)).file.document, "engines": ["toy"]}
    model_writer.write(work / "model.safetensors", model_writer.to_bytes(document, load_file(penguins)))
    estimator, table = fitted.penguins()
    joblib.dump(estimator, work / "model.joblib")
    table.head(3).to_csv(work / "rows.csv", index=False)
    return made


@pytest.fixture(scope="module")
def served(house: House) -> Iterator[str]:
    """Where the model answers, by the verb `serve`."""
    path = os.pathsep.join((str(house.root / "shared"), str(house.root)))
    command = [sys.executable, "-P", "-c", MAIN, "serve", "model.safetensors", "--port", "0", "--json"]
    process = subprocess.Popen(
        command,
        cwd=house.work,
        env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    lines = ""
    while not lines.rstrip().endswith("}"):
        lines += process.stdout.readline()
    yield str(json.loads(lines)["url"])
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_contract_suite_runs_over_the_toys(house: House) -> None:
    words = ("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/contract", "-k", "toy", "-rN")
    done = house.run(*words, folder=house.root)
    assert done.returncode == 0, done.stdout[-4000:]
    passed = int(done.stdout.split(" passed")[0].split()[-1])
    assert passed > 100, done.stdout[-500:]


def test_the_engine_is_found_and_ships_with_the_folder(house: House) -> None:
    built = json.loads(house.flyweight("build", "toy", "--model", "model.safetensors", "--python", PYTHON, "--json").stdout)
    assert built["target"] == "toy" and built["proof"]["proven"]
    assert (Path(built["folder"]) / "flyweight" / "engines" / "toy.py").is_file()
    assert not (Path(built["folder"]) / "flyweight" / "engines" / "onnx.py").exists()
    assert json.loads(house.flyweight("inspect", "model.safetensors", "--json").stdout)["engines"] == ["toy"]


@pytest.mark.parametrize("target", ["toy", "toybox"])
def test_a_built_folder_answers_in_the_toys_runtime(target: str, house: House) -> None:
    assert house.flyweight("build", target, "--model", "model.safetensors", "--python", PYTHON).returncode == 0
    answer = json.loads(house.flyweight("invoke", target, "--folder", f"build/{target}", "--json").stdout)["answer"]
    assert (answer["status"], answer["body"]["predictions"]) == (200, ["Adelie"])
    asked = json.loads(house.flyweight("invoke", target, "--model", "model.safetensors", "--event", "not_found", "--json").stdout)
    assert asked["answer"]["status"] == 404


@pytest.mark.parametrize("verb", ["deploy", "destroy", "logs", "plan", "rollback", "status"])
def test_a_target_without_a_deployment_is_refused_in_words(verb: str, house: House) -> None:
    options = ("--model", "model.safetensors") if verb == "plan" else ()
    done = house.flyweight(verb, "toy", *options)
    assert done.returncode == 1
    assert "error: the target toy can't be deployed: it has no deployment" in done.stderr
    others = sorted(["toybox", *(target.name for target in targets.all_targets() if target.has("deployment"))])
    assert f"choose one of {', '.join(others)}" in done.stderr


def test_the_toy_box_is_deployed_asked_and_gone_back_on(house: House, served: str) -> None:
    def verb(*words: str) -> subprocess.CompletedProcess[str]:
        return house.flyweight(*words, TOYBOX_URL=served)

    shown = verb("deploy", "toybox", "--model", "model.safetensors", "--dry-run")
    assert shown.returncode == 0 and f"{house.root}/infra/toybox/box.sh penguins put" in shown.stdout
    for _ in range(2):
        done = verb("deploy", "toybox", "--model", "model.safetensors")
        assert done.returncode == 0 and "penguins/1.0.0 answers its 3 recorded instances" in done.stdout, done.stderr
    assert (house.work / "box" / "penguins" / "toy_app.py").is_file()
    status = json.loads(verb("status", "toybox", "--json").stdout)
    assert (status["ready"], status["releases"]) == (True, ["1: penguins 1.0.0", "2: penguins 1.0.0"])
    assert json.loads(verb("logs", "toybox", "--json").stdout)["log"] == ["put penguins"] * 2
    assert verb("rollback", "toybox").returncode == 0
    assert verb("destroy", "toybox", "--yes").returncode == 0
    assert not (house.work / "box" / "penguins").exists()
    assert verb("status", "toybox").returncode == 1


def test_the_toy_box_is_priced_and_the_toy_is_left_out(house: House) -> None:
    planned = ("plan", "toybox", "--model", "model.safetensors", *QUICK)
    plan = json.loads(house.flyweight(*planned, "--region", "attic", "--json").stdout)
    assert plan["bill"]["dollars_a_month"] == pytest.approx(1000) and plan["prices_of"] == "nursery"
    assert [one["name"] for one in plan["creates"]] == ["penguins"] and plan["limits"][0]["what"] == "memory, peak"
    unknown = house.flyweight(*planned, "--region", "moon")
    assert unknown.returncode == 1 and "toyland has no region 'moon'" in unknown.stderr
    refused = house.flyweight(*planned, "--set", "COLOUR=red")
    assert "infra/toybox has no parameter COLOUR" in refused.stderr
    arguments = ("advise", "--model", "model.safetensors", *QUICK, "--cloud", "toyland", "--residency", "TL")
    advice = json.loads(house.flyweight(*arguments, "--json").stdout)
    by_name = {option["option"]: option for option in advice["options"]}
    assert by_name["Toy box"]["suits"] and "Toy" not in by_name
    assert not by_name["AWS Lambda"]["suits"] and advice["residency"][0]["what"] == "regions in TL: nursery, attic"
    shown = house.flyweight(*arguments, "-o", "advice.svg")
    assert shown.returncode == 0 and "Toy box" in shown.stdout
    assert ">Toy box</text>" in (house.work / "advice.svg").read_text()


def test_a_project_around_a_toy_passes_its_own_tests(house: House) -> None:
    made = house.flyweight("new", "project", "--model", "model.safetensors", "--target", "toybox", "--target", "toy", "--json")
    assert {"handlers/toy/toy_app.py", "infra/toybox/box.sh", "events/toy/predict.json"} <= {*json.loads(made.stdout)["written"]}
    assert "sh infra/toybox/box.sh flyweight put" in (house.work / "project" / "README.md").read_text()
    done = house.run("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", folder=house.work / "project")
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout


def test_events_are_listed_shown_and_written(house: House) -> None:
    rows = json.loads(house.flyweight("events", "ls", "toy", "--json").stdout)
    assert {row["target"] for row in rows} == {"toy"} and "predict" in {row["event"] for row in rows}
    assert json.loads(house.flyweight("events", "show", "toy", "health").stdout)["address"] == "/health"
    written = house.flyweight("events", "new", "toybox", "predict", "--model", "model.safetensors", "--out", "event.json")
    assert "flyweight invoke toybox" in written.stdout


def test_a_call_is_authorized_by_the_toy_boxs_own_method(house: House, served: str) -> None:
    (house.work / "key").write_text("blue")
    done = house.flyweight("call", served, "rows.csv", "--auth", "marble", "--key-file", "key", "-o", "answers.csv")
    assert done.returncode == 0 and "3 of 3 rows answered" in done.stderr
    without = house.flyweight("call", "https://nursery.toys", "rows.csv", FLYWEIGHT_KEY="")
    assert without.returncode == 1 and "the endpoint needs a marble" in without.stderr


OTHERS: dict[str, list[Any]] = {
    # verbs that take no target, on the model that the toy engine runs
    "predict": ["model.safetensors", "rows.csv"],
    "push": ["model.safetensors", "registry"],
    "pull": ["registry/penguins@latest", "-o", "pulled.safetensors"],
    "models": ["ls", "registry"],
    "sign": ["--new-key", "private.pem"],
    "verify": ["model.safetensors", "--key", "private.pem.pub"],
    "pack": ["model.joblib", "--sample", "rows.csv", "--rows", "20", "-o", "packed.safetensors"],
    "inspect": ["model.joblib", "--json"],
    "sql": ["bigquery", "--model", "model.safetensors", "--url", "https://penguins.example.org"],
}


@pytest.mark.parametrize("verb", OTHERS)
def test_the_other_verbs_work_or_refuse_in_words(verb: str, house: House) -> None:
    done = house.flyweight(verb, *OTHERS[verb])
    assert done.returncode == (1 if verb == "verify" else 0), done.stdout + done.stderr


def test_a_folder_that_was_not_built_has_no_cold_start(house: House) -> None:
    done = house.flyweight("doctor", ".")
    assert done.returncode == 1 and "error: " in done.stderr


def test_a_folder_is_no_model_to_export(house: House) -> None:
    done = house.flyweight("export", ".", "--to", "c", "-o", "model.h")
    assert done.returncode == 1 and "error: " in done.stderr


def test_a_folder_is_no_image(house: House) -> None:
    done = house.flyweight("image", "push", ".", "127.0.0.1:9/toys:1")
    assert done.returncode == 1 and "error: " in done.stderr


def test_every_verb_is_run_here() -> None:
    text = Path(__file__).read_text()
    assert [verb for verb in main.list_commands(click.Context(main)) if f'"{verb}"' not in text] == []
