"""A thousand random histories of a device: nothing acknowledged is lost, nothing comes twice, the last good model answers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.edge.world import YEAR, Crash, Device, Faults, Store, install, number_of

HISTORIES, PARTS, STEPS = 1000, 8, 30
MEASURED: Counter[str] = Counter()


class History:
    """One device from its first start to the day on which everything works again."""

    def __init__(self, seed: int, folder: Path, versions: dict[int, Path], patch: pytest.MonkeyPatch) -> None:
        self.random, self.versions = Random(seed), versions
        self.store, self.faults = Store(), Faults()
        install(self.faults, patch)
        self.serial, self.asked = 10, 0
        self.acknowledged: dict[int, int] = {}  # from a request's number to its sequence number
        self.good = {1}  # versions that may answer
        self.store.publish(versions[1], self.serial)
        self.store.before_put = self.store.after_put = self.faults.boundary
        self.device = Device(folder, versions[1], self.store, self.faults)

    def run(self) -> None:
        """Live through random events, then mend everything and look at what arrived."""
        events = (self.ask, self.ask, self.ask, self.work, self.work, self.work, self.line, self.clock, self.disk, self.crash)
        events += (self.publish, self.poison, self.stale)
        for _ in range(STEPS):
            event = self.random.choice(events)
            MEASURED[event.__name__] += 1
            try:
                event()
            except Crash:
                self.restart()
            assert self.device.version() in self.good
        self.mend()
        self.judge()

    def ask(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.asked += 1
            sequence = self.device.ask(self.asked)
            if sequence is not None:
                self.acknowledged[self.asked] = sequence

    def work(self) -> None:
        self.device.steady += self.random.choice((1.0, 15.0, 400.0, 7200.0))
        self.device.agent.step()

    def line(self) -> None:
        self.store.cut = self.random.random() < 0.5
        self.store.lost = self.random.choice((0, 0, 1, 2))
        self.store.cut_reads = self.random.choice((0, 1, 2, 4))

    def clock(self) -> None:
        self.device.ahead = self.random.choice((0.0, -50 * YEAR, 3600.0, -3600.0, 30 * YEAR))

    def disk(self) -> None:
        self.faults.full = self.random.random() < 0.5

    def crash(self) -> None:
        self.faults.left = self.random.randint(1, 60)

    def publish(self) -> None:
        number = self.random.randint(1, 5)
        self.serial += 1
        self.good.add(number)
        self.store.publish(self.versions[number], self.serial)

    def poison(self) -> None:
        self.serial += 1
        kind = self.random.choice(("sample", "bytes"))
        number = self.random.choice([one for one in self.versions if one not in self.good] or [5])
        MEASURED[kind] += 1
        self.store.publish(self.versions[number], self.serial, kind)

    def stale(self) -> None:
        self.store.publish(self.versions[1], self.serial - self.random.randint(1, 5))

    def restart(self) -> None:
        """End the process, or the power, and start again; a start may be ended as well."""
        while True:
            MEASURED["ended"] += 1
            self.device.end(self.random if self.random.random() < 0.5 else None)
            try:
                self.device.start()
                return
            except Crash:
                continue

    def mend(self) -> None:
        """Let everything work, and wait until nothing is left to do."""
        self.faults.left, self.faults.full = None, False
        self.store.cut, self.store.lost, self.store.cut_reads = False, 0, 0
        self.serial += 1
        self.store.publish(self.versions[4], self.serial)
        self.good.add(4)
        self.device.end()
        self.device.start()
        for _ in range(40):
            self.device.steady += 400.0
            self.device.agent.step()

    def judge(self) -> None:
        lines = self.store.lines()
        numbers = Counter(map(number_of, lines))
        assert [number for number in self.acknowledged if numbers[number] == 0] == [], "lost"
        assert [number for number, count in numbers.items() if count > 1] == [], "twice"
        places = [(line["store"], line["sequence"]) for line in lines]
        assert len({*places}) == len(places) and len({store for store, _ in places}) <= 1
        told = {number_of(line): line["sequence"] for line in lines}
        assert {number: told[number] for number in self.acknowledged} == self.acknowledged
        counts = self.device.agent.answers.counts()
        assert counts["waiting"] == 0 and "trouble" not in counts
        assert self.device.version() == 4, self.device.agent.trouble
        MEASURED["acknowledged"] += len(self.acknowledged)
        MEASURED["asked"] += self.asked
        self.device.close()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_thousand_histories_lose_nothing_and_send_nothing_twice(
    part: int, tmp_path: Path, versions: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    MEASURED.clear()
    for seed in range(part, HISTORIES, PARTS):
        with monkeypatch.context() as patch:
            try:
                History(seed, tmp_path / str(seed), versions, patch).run()
            except Exception as error:
                raise AssertionError(f"history {seed}: {error!r}") from error
    few: dict[str, Any] = {name: MEASURED[name] for name in ("ended", "sample", "bytes", "stale", "disk", "line", "acknowledged")}
    assert min(few.values()) > HISTORIES // PARTS // 2, few  # every kind of trouble came, in every second history at least
