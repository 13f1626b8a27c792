"""Run a plan over many instances at a time: each op by its batch form, or row by row if it has none."""

from itertools import chain

import numpy as np

from flyweight.engines import pure
from flyweight.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.engines.plan import Plan
    from flyweight.models.file import ModelFile

    Array = np.ndarray[Any, Any]
    Step = tuple[Callable[..., Array], tuple[int, ...]]

CHUNK = 4096  # rows at a time, so that most of a batch stays in the processor's cache
VALUES = 1 << 23  # of the whole plan at a time: a wide plan gets fewer rows


class Engine(pure.Engine):
    """The engine that runs a plan's ops by their batch forms.

    Arrays have shape (rows, columns), of float64, or of objects where strings are.

    :raises ModelRefused: the plan is not valid.
    """

    def __init__(self, file: "ModelFile", plan: "Plan | None" = None) -> None:
        super().__init__(file, plan)
        self._batches: dict[tuple[str, ...], tuple[list[Step], list[tuple[int, bool]]]] = {}
        self._chunk = max(1, min(CHUNK, VALUES // sum(map(len, self.plan.kinds))))

    def outputs(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[list[list[Any]]]":
        """Compute the named outputs in their order, each as one list a row; `rows` may be an array.

        :raises InvalidInput: the model refuses a row; the fault has its number.
        """
        try:
            answers = [
                [values.tolist() for values in self._batch(rows[at : at + self._chunk], names)]
                for at in range(0, len(rows), self._chunk)
            ]
        except InvalidInput:
            return super().outputs(rows if isinstance(rows, list) else rows.tolist(), names)  # row by row, to find the row
        return [list(chain.from_iterable(parts)) for parts in zip(*answers, strict=True)]

    def arrays(self, rows: "Any", names: "tuple[str, ...]") -> "list[Array]":
        """Compute the named outputs in their order, each as one array with a row for each of `rows` (one at least).

        :raises InvalidInput: the model refuses a row; the fault does not name it.
        """
        answers = [self._batch(rows[at : at + self._chunk], names) for at in range(0, len(rows), self._chunk)]
        return [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*answers, strict=True)]

    def _batch(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[Array]":
        steps, places = self._batches.get(names) or self._batch_program(names)
        values = [as_array(rows, self.plan.kinds[0])]
        with np.errstate(all="ignore"):
            for run, reads in steps:
                values.append(run(*[values[read] for read in reads]))
        return [values[place].astype(int) if whole else values[place] for place, whole in places]

    def _batch_program(self, names: "tuple[str, ...]") -> "tuple[list[Step], list[tuple[int, bool]]]":
        needed, places = self.plan.needed(names)
        steps = [(batch_of(op), reads) for op, reads in needed]
        ops = [self.plan.ops[self.plan.slots[name] - 1] if self.plan.slots[name] else None for name in names]
        whole = [getattr(op, "whole", False) for op in ops]
        self._batches[names] = (steps, list(zip(places, whole, strict=True)))
        return self._batches[names]


def as_array(rows: "list[list[Any]]", kinds: str) -> "Array":
    """Return rows as an array of shape (rows, columns): float64 for numbers alone, else objects."""
    if isinstance(rows, np.ndarray):
        return rows
    array = np.empty((len(rows), len(kinds)), dtype=object if "s" in kinds else float)
    array[:] = rows
    return array


def batch_of(op: "Any") -> "Callable[..., Array]":
    """Return an op's batch form; for an op without one a function that calls its row form for each row."""
    if hasattr(op, "batch"):
        form: Callable[..., Array] = op.batch
        return form

    def batch(*inputs: "Array") -> "Array":
        rows = zip(*[array.tolist() for array in inputs], strict=True)
        return as_array([op.row(*row) for row in rows], op.kinds)

    return batch
