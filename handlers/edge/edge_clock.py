"""Mark times by how far the clock can be trusted, and tell whether a window of the day is open.

A device without a battery starts with a clock that is wrong until a time server is reached. Order comes from sequence numbers,
and waiting from the monotonic clock. A time is for people, and has a mark: `set`, `behind` (earlier than a time that was seen
before) or `jumped` (it ran otherwise than the monotonic clock since the last mark).
"""

import time

from flyweight.settings.edge import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

JUMP = 60.0  # seconds by which the two clocks may differ
DAY = 24 * 60  # minutes


class Clock:
    """The clocks of a device.

    :param latest: the latest time that was seen before, in seconds since 1970.
    :param wall: the clock of the time of day, in seconds since 1970.
    :param steady: a clock that nobody sets, in seconds since the system's start.
    """

    def __init__(
        self, latest: float = 0.0, wall: "Callable[[], float]" = time.time, steady: "Callable[[], float] | None" = None
    ) -> None:
        self._latest, self._wall = latest, wall
        self._steady = steady or (lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
        self._before: tuple[float, float] | None = None

    def steady(self) -> float:
        """Return the seconds since the system's start."""
        return self._steady()

    def stamp(self) -> "dict[str, Any]":
        """Return the time, its mark, and the seconds since the system's start."""
        now, steady = self._wall(), self._steady()
        mark = "set"
        if now < self._latest - JUMP:
            mark = "behind"
        elif self._before is not None and abs((now - self._before[0]) - (steady - self._before[1])) > JUMP:
            mark = "jumped"
        self._before, self._latest = (now, steady), max(now, self._latest)
        return {"time": round(now, 3), "clock": mark, "uptime": round(steady, 3)}

    def is_open(self, text: str) -> bool:
        """Tell whether it is a local time within a window such as 22:00-05:00; "" is always open."""
        bounds = window(text)
        if bounds is None:
            return True
        local = time.localtime(self._wall())
        minute, (begin, end) = local.tm_hour * 60 + local.tm_min, bounds
        return (minute - begin) % DAY < ((end - begin) % DAY or DAY)
