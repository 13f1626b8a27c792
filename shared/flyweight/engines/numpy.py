"""The same plan, many instances at a time: each op by its batch form, or row by row where it has none."""

import numpy as np

from flyweight.engines import pure
from flyweight.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.model_file import ModelFile
    from flyweight.plan import Plan

    Array = np.ndarray[Any, Any]
    Step = tuple[Callable[..., Array], tuple[int, ...]]

CHUNK = 4096  # rows at a time: what a batch holds in memory stays bounded, and most of it in the processor's cache


class Engine(pure.Engine):
    """Runs a plan's ops by their batch forms, over arrays of shape (rows, columns): float64, or objects where strings are."""

    def __init__(self, file: "ModelFile", plan: "Plan | None" = None) -> None:
        super().__init__(file, plan)
        self._batches: dict[tuple[str, ...], tuple[list[Step], list[int]]] = {}

    def outputs(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "dict[str, list[list[Any]]]":
        """Each of these outputs of the plan, one list an instance.

        :raises InvalidInput: a row that the model does not take; the fault says which.
        """
        try:
            answers = [self._batch(rows[start : start + CHUNK], names) for start in range(0, len(rows), CHUNK)]
        except InvalidInput:
            return super().outputs(rows, names)  # row by row, to tell which
        return {name: [values for answer in answers for values in answer[p].tolist()] for p, name in enumerate(names)}

    def _batch(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[Array]":
        steps, places = self._batches.get(names) or self._batch_program(names)
        values = [as_array(rows, self.plan.kinds[0])]
        with np.errstate(all="ignore"):
            for run, reads in steps:
                values.append(run(*[values[read] for read in reads]))
        return [values[place] for place in places]

    def _batch_program(self, names: "tuple[str, ...]") -> "tuple[list[Step], list[int]]":
        needed, places = self.plan.needed(names)
        steps = [(getattr(op, "batch", None) or _row_by_row(op), reads) for op, reads in needed]
        self._batches[names] = (steps, places)
        return self._batches[names]


def as_array(rows: "list[list[Any]]", kinds: str) -> "Array":
    """Rows as an array of shape (rows, columns); numbers as float64, and strings, or both together, as objects."""
    array = np.empty((len(rows), len(kinds)), dtype=object if "s" in kinds else float)
    array[:] = rows
    return array


def _row_by_row(op: "Any") -> "Callable[..., Array]":
    def batch(*inputs: "Array") -> "Array":
        rows = zip(*[array.tolist() for array in inputs], strict=True)
        return as_array([op.row(*row) for row in rows], op.kinds)

    return batch
