"""Compare the size of a built tree with each limit of its target; a size over a limit is refused or reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flyweight.toolkit.building import archive
from flyweight.toolkit.building.packages import Package
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.targets.package import Limit

SMALL = 20_000_000  # bytes; the zip of a smaller tree is quick to make, so its size is always reported


@dataclass(frozen=True)
class Measured:
    """A limit and the size of the build; `next_step` says what to do if the build does not fit."""

    limit: str
    allowed: int
    size: int
    fits: bool
    next_step: str = ""


def against(
    limits: Sequence[Limit], form: str, size: int, zipped: Callable[[], int], packages: Sequence[Package]
) -> list[Measured]:
    """Compare the sizes with each limit of this form.

    :param zipped: computes the zip's size; slow for a large tree, so it is called only if a limit needs it.
    :raises BuildFailed: a size exceeds a limit beyond which nothing can be deployed.
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
    """Describe the exceeded limit and the largest packages."""
    words = f"{row.size / 1e6:.1f} MB exceed the limit of {row.allowed / 1e6:.1f} MB ({row.limit})"
    largest = sorted(packages, key=lambda package: -package.size)[:5]
    return words + "".join(f"\n  {package.size / 1e6:7.1f} MB  {package.name} {package.version}" for package in largest)


def zipped_size(folder: Path) -> int:
    """Count the bytes of the folder's zip."""
    counter = _Counter()
    archive.write(folder, counter)
    return counter.size


class _Counter:
    """A file that counts the bytes written to it and discards them."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> int:
        """Count."""
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""
