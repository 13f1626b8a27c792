"""What memory a process may still take is read from its platform and its control group."""

from __future__ import annotations

from os import sysconf
from pathlib import Path

import pytest

from flyweight.formats.memory import free_bytes

PAGES = 1000
RESIDENT = PAGES * sysconf("SC_PAGE_SIZE")
MEGABYTE = 1 << 20


class Host:
    """A system's folders, made in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.groups, self.status = folder / "cgroup", folder / "self"
        self.write("self/statm", f"5000 {PAGES} 10 1 0 1 0\n", folder)
        self.folder = folder

    def write(self, path: str, text: str, folder: Path | None = None) -> None:
        file = (folder or self.folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def free(self) -> int | None:
        return free_bytes(str(self.groups), str(self.status))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", raising=False)
    return Host(tmp_path)


def test_nothing_limits_a_process_without_a_group(host: Host) -> None:
    assert host.free() is None


def test_a_group_of_version_2_limits_what_its_processes_hold_together(host: Host) -> None:
    host.write("cgroup/memory.max", f"{512 * MEGABYTE}\n")
    host.write("cgroup/memory.stat", f"anon {100 * MEGABYTE}\nfile {300 * MEGABYTE}\n")
    assert host.free() == 412 * MEGABYTE
    host.write("cgroup/memory.max", "max\n")
    assert host.free() is None


def test_a_group_of_version_1_is_read_too(host: Host) -> None:
    host.write("cgroup/memory/memory.limit_in_bytes", f"{256 * MEGABYTE}\n")
    host.write("cgroup/memory/memory.stat", f"cache 1\nrss 2\ntotal_rss {56 * MEGABYTE}\n")
    assert host.free() == 200 * MEGABYTE


def test_a_group_without_statistics_counts_this_process(host: Host) -> None:
    host.write("cgroup/memory.max", f"{64 * MEGABYTE}\n")
    assert host.free() == 64 * MEGABYTE - RESIDENT


@pytest.mark.parametrize(
    ("line", "folder", "name"),
    [
        ("0::/system.slice/it.service", "cgroup/system.slice", "memory.max"),
        ("3:cpu,memory:/docker/1", "cgroup/memory/docker/1", "memory.limit_in_bytes"),
    ],
)
def test_the_group_of_the_process_and_those_above_it_count(host: Host, line: str, folder: str, name: str) -> None:
    host.write("self/cgroup", f"1:cpuset:/\n{line}\n")
    host.write(f"{folder}/{name}", f"{128 * MEGABYTE}\n")
    assert host.free() == 128 * MEGABYTE - RESIDENT


def test_the_platform_s_own_variable_counts_where_it_is_the_smallest(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
    assert host.free() == 128 * MEGABYTE - RESIDENT
    host.write("cgroup/memory.max", f"{64 * MEGABYTE}\n")
    assert host.free() == 64 * MEGABYTE - RESIDENT
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much")
    assert host.free() == 64 * MEGABYTE - RESIDENT


def test_no_memory_left_is_none_and_not_a_debt(host: Host) -> None:
    host.write("cgroup/memory.max", "1000\n")
    assert host.free() == 0
