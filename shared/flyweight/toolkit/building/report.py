"""A built tree to its sizes: per package, and against each limit of the target; a size over a limit is refused or reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flyweight.toolkit.building import archive
from flyweight.toolkit.building.packages import Package
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.targets.package import Limit

SMALL = 20_000_000  # bytes that are zipped in no time, so that the zip's size is always reported


@dataclass(frozen=True)
class Measured:
    """One limit, and what the build takes of it; `next_step` says what to do if it does not fit."""

    limit: str
    allowed: int
    size: int
    fits: bool
    next_step: str = ""


def against(
    limits: Sequence[Limit], form: str, size: int, zipped: Callable[[], int], packages: Sequence[Package]
) -> list[Measured]:
    """How near each limit of this form is.

    :param zipped: makes the zip's size, which takes its time for a large tree, and is asked only where it matters.
    :raises BuildFailed: over a limit beyond which nothing can be deployed.
    """
    rows = []
    for limit in [limit for limit in limits if form in limit.forms]:
        matters = limit.zipped and (size > limit.size or size < SMALL)
        taken = zipped() if matters else size
        row = Measured(limit.name, limit.size, taken, taken <= limit.size, "" if taken <= limit.size else limit.next_step)
        if limit.refuses and not row.fits:
            raise BuildFailed(_refusal(row, packages), next_step=limit.next_step)
        rows.append(row)
    return rows


def _refusal(row: Measured, packages: Sequence[Package]) -> str:
    """What is over, by how much, and the packages that weigh most."""
    words = f"{row.size / 1e6:.1f} MB are over a limit of {row.allowed / 1e6:.1f} MB ({row.limit})"
    largest = sorted(packages, key=lambda package: -package.size)[:5]
    return words + "".join(f"\n  {package.size / 1e6:7.1f} MB  {package.name} {package.version}" for package in largest)


def zipped_size(folder: Path) -> int:
    """The bytes of the zip that the folder makes."""
    counter = _Counter()
    archive.write(folder, counter)
    return counter.size


class _Counter:
    """A file that keeps its size only."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> int:
        """Count."""
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept."""
