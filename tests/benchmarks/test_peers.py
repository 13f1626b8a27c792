"""The comparison with other servers takes ratios of the same rounds, counts all processes, and judges its goals."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import load, peers
from benchmarks.peer_servers import PEERS, PROGRAMS, instances, tensor
from tests.conftest import ROOT

WAITS = """
import subprocess, sys

child = subprocess.Popen([sys.executable, "-c", "input()"])
print(child.pid, flush=True)
child.wait()
"""


def series(numbers: list[int], factor: float) -> peers.Series:
    """Figures that are a factor times those of another server in each round, whose machine is slower in later rounds."""
    values = [factor * (number + 1) for number in numbers]
    rounds = [dict.fromkeys(load.FIGURES, value) for value in values]
    return peers.Series(numbers, values, values, values, {1: rounds, 16: rounds})


def test_a_ratio_is_of_the_rounds_in_which_both_took_part() -> None:
    found = peers.against(series([0, 1, 2, 3], 1.0), series([1, 3], 4.0))
    assert {*found.values()} == {0.25} and "failed_1" not in found


def test_slow_servers_take_part_in_some_rounds_and_the_main_ones_in_all() -> None:
    def part(name: str) -> list[int]:
        return [number for number in range(5) if peers.takes_part(name, number, every=2, others=2)]

    assert part("mlflow") == [0, 2]
    assert part(peers.SKLEARN) == part(peers.ONNX) == part(peers.OURS) == [0, 1, 2, 3, 4]


def row(**ratios: float) -> dict[str, Any]:
    return {
        "ours_to_theirs": {"first_answer_ms": 0.02, "p50_ms_1": 0.2, "requests_a_second_16": 6.0, "pss_mb": 0.08, "rss_mb": 0.08}
        | ratios
    }


def test_a_goal_is_reached_or_not() -> None:
    document = {"models": {"linear": {peers.TITLES[peers.SKLEARN]: row(pss_mb=0.2), peers.TITLES[peers.ONNX]: row()}}}
    assert [line[-2:] for line in peers.goals(document)] == [
        ["50", "yes"],
        ["0.2", "yes"],
        ["6", "yes"],
        ["0.2", "no"],
        ["0.08", "yes"],
        ["0.2", "yes"],
    ]


def test_memory_and_processor_time_count_the_processes_that_a_server_started() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert load.family(process.pid) == [process.pid, child]
        assert peers.memory_mb(process.pid, "Pss") > peers.memory_mb(child, "Pss") > 0
        load.end(process)
        waited = 0
        while lives(child) and waited < 600:
            time.sleep(0.1)
            waited += 1
        assert not lives(child)


def lives(pid: int) -> bool:
    """Whether a process runs, and is not one that only its parent has to bury."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z " not in stat.read_text()


def test_the_figures_are_written_between_the_marks_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "peers.md"
    page.write_text(f"above\n{peers.BEGIN}\nold\n{peers.END}\nbelow\n")
    monkeypatch.setattr(peers, "PAGE", page)
    own = peers.summary(series([0], 1.5))
    machine = {"python": "3.13.0", "cores": 2, "load": [1.0, 2.0]}
    document: dict[str, Any] = {"machine": machine, "rounds": 1, "versions": {"LitServe": "1.0"}, "not_installed": ["BentoML"]}
    peers.write(document | {"installed_mb": {peers.OURS: 1.2}, "models": {"linear": {peers.OURS: own}}})
    text = page.read_text()
    assert text.startswith("above\n") and text.endswith("\nbelow\n") and "old" not in text
    assert f"| {peers.OURS} | 2 | 2 | 1.50 |" in text and "LitServe (1.0)" in text and "Not installed: BentoML." in text


def test_each_server_has_a_program_and_the_versions_of_its_environment() -> None:
    names = {peer.name for peer in PEERS}
    assert {path.stem for path in PROGRAMS.glob("*.py")} == names
    assert {path.name for path in ROOT.glob("constraints-peers-*.txt")} == {f"constraints-peers-{name}.txt" for name in names}


def test_bodies_have_every_row() -> None:
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert instances(rows) == {"instances": rows}
    (made,) = tensor(rows)["inputs"]
    assert made["shape"] == [3, 2] and made["data"] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
