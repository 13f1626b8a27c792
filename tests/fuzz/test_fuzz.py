"""A hundredth of a night's bodies, through the handlers: no fault, and work in proportion to the body."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.fuzz.bodies import Body, made
from tests.fuzz.judge import Judge

COUNT = 3300
MEMORY = 256 << 20  # bytes that a body of 6 MB may take
ROWS = [{"a": 1.5, "b": "x"}, {"a": 2.0, "b": "y"}]


def run(target: str, folder: Path, model: Path, *numbers: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.fuzz.run", target, str(folder), str(model), *map(str, numbers)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    figures: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return figures


@pytest.mark.slow
@pytest.mark.parametrize("target", ["aws", "gcp", "azure", "cloudrun"])
def test_fuzzed_bodies_are_answered_rightly_or_refused(target: str, built: Callable[[str], Path], penguins: Path) -> None:
    pytest.importorskip({"aws": "boto3", "gcp": "flask", "azure": "azure.functions", "cloudrun": "flyweight"}[target])
    figures = run(target, built(target), penguins, 0, COUNT, 4096)
    assert not figures["faults"], figures["shown"]
    assert figures["counts"]["200"] > COUNT / 10 and figures["counts"].get("unjudged", 0) < COUNT / 100


@pytest.mark.slow
def test_bodies_of_six_megabytes_take_memory_in_proportion(built: Callable[[str], Path], penguins: Path) -> None:
    figures = run("aws", built("aws"), penguins, 0, 30, 6 << 20)
    assert not figures["faults"], figures["shown"]
    assert figures["more_memory"] < MEMORY


def judge(answer: Any = "label") -> Judge:
    return Judge(lambda row: answer, ["a", "b"], {"a"})


def test_the_same_seed_makes_the_same_body() -> None:
    assert made(7, ROWS) == made(7, ROWS) != made(8, ROWS)
    assert {made(seed, ROWS).rows is None for seed in range(20)} == {True, False}


@pytest.mark.parametrize("seed", range(200))
def test_a_sound_body_holds_its_rows_by_plain_readers(seed: int) -> None:
    body = made(seed, ROWS)
    if body.rows:
        damaged = Body(body.data, body.content_type, body.encoding)
        assert judge()._read(damaged) in (body.rows, None)


def test_the_judge_finds_a_wrong_answer_a_refused_sound_body_and_an_error_of_the_server() -> None:
    sound = Body(b'{"instances": [[1, "x"]]}', "application/json", rows=[{"a": 1, "b": "x"}])
    damaged = Body(b'[[1, "x"]] ', "application/json")
    assert judge().fault(sound, 200, b'{"predictions": ["label"]}') == ""
    assert judge().fault(sound, 200, b'{"predictions": ["other"]}').startswith("answered")
    assert judge().fault(damaged, 200, b'{"predictions": ["other"]}').startswith("answered")
    assert judge().fault(sound, 422, b'{"detail": "no"}') == "a sound body is refused: no"
    assert judge().fault(sound, 500, b"{}") == "status 500"
    assert judge().fault(damaged, 422, b"{}").startswith("the problem lacks")


def test_sizes_differ_by_seed() -> None:
    sizes = {len(made(seed, ROWS, 100_000).data) for seed in random.Random(0).sample(range(10_000), 50)}
    assert max(sizes) > 20_000 > min(sizes)
