"""The toy engine: it executes a plan as `pure` does, from the last row to the first."""

from flyweight.engines import pure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Engine(pure.Engine):
    """Runs a plan's ops by their row forms."""

    def outputs(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[list[list[Any]]]":
        """Compute these outputs, each with one list an instance."""
        return [column[::-1] for column in super().outputs(rows[::-1], names)]
