"""A time has a mark that says how far the clock can be trusted; a window may pass midnight."""

from __future__ import annotations

import time

import pytest
from edge_clock import Clock


class Hands:
    """Two clocks that a test sets."""

    def __init__(self) -> None:
        self.wall, self.steady = 1.8e9, 100.0

    def clock(self, latest: float = 0.0) -> Clock:
        return Clock(latest, lambda: self.wall, lambda: self.steady)


def test_a_clock_that_runs_as_it_should_is_set() -> None:
    hands = Hands()
    clock = hands.clock()
    assert clock.stamp() == {"time": 1.8e9, "clock": "set", "uptime": 100.0}
    hands.wall, hands.steady = hands.wall + 5000, hands.steady + 5000
    assert clock.stamp()["clock"] == "set"


def test_a_clock_that_was_set_meanwhile_has_jumped() -> None:
    hands = Hands()
    clock = hands.clock()
    clock.stamp()
    hands.wall += 7200
    assert clock.stamp()["clock"] == "jumped"
    assert clock.stamp()["clock"] == "set"


def test_a_clock_before_a_time_that_was_seen_is_behind() -> None:
    hands = Hands()
    hands.wall = 0.0  # 1970, as a device without a battery starts
    assert hands.clock(latest=1.8e9).stamp()["clock"] == "behind"


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("01:00-05:00", ["01:00", "04:59"], ["00:59", "05:00", "13:00"]),
        ("22:30-04:00", ["22:30", "23:59", "00:00", "03:59"], ["22:29", "04:00", "12:00"]),
        ("00:00-24:00", ["00:00", "12:00", "23:59"], []),
        ("", ["00:00", "12:00"], []),
    ],
)
def test_a_window_is_open_between_its_times(window: str, inside: list[str], outside: list[str]) -> None:
    hands = Hands()
    for text in (*inside, *outside):
        hour, minute = map(int, text.split(":"))
        hands.wall = time.mktime((2026, 11, 20, hour, minute, 0, 0, 0, -1))
        assert hands.clock().is_open(window) == (text in inside), text
