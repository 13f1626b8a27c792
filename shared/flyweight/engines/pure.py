"""Run a plan with the standard library alone: one instance at a time, op by op."""

from flyweight.engines.plan import Plan
from flyweight.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.engines._compiled import Function
    from flyweight.models.file import ModelFile

    Step = tuple[Callable[..., Any], int, tuple[int, ...]]  # a row form, the only slot that it reads or -1, all its slots

ROWS = 256  # of batches, after which a plan is compiled; that takes the time which 200 to 400 rows save


class Engine:
    """The engine that runs a plan's ops by their row forms.

    :raises ModelRefused: the plan is not valid.
    """

    def __init__(self, file: "ModelFile", plan: "Plan | None" = None) -> None:
        self.plan = plan or Plan(file)
        self.widths, self.choices = self.plan.widths, self.plan.choices
        self._programs: dict[tuple[str, ...], tuple[list[Step], list[int]]] = {}
        self._functions: dict[tuple[str, ...], Function | None] = {}
        self._rows: dict[tuple[str, ...], int] = {}  # answered by each program

    def outputs(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[list[list[Any]]]":
        """Compute the named outputs in their order, each as one list a row; only the ops that they need are run.

        :raises InvalidInput: the model refuses a row; the fault has its number.
        """
        if len(rows) > 1 and (function := self._function(len(rows), names)) is not None:
            try:
                answers = [function(row) for row in rows]
                return [[answer[place] for answer in answers] for place in range(len(names))]
            except InvalidInput:  # found again below, with its number
                pass
        steps, places = self._programs.get(names) or self._program(names)
        columns: list[list[list[Any]]] = [[] for _ in names]
        pairs = [*zip(columns, places, strict=True)]
        try:
            for row in rows:
                values = [row]
                for run, slot, reads in steps:
                    values.append(run(values[slot]) if slot >= 0 else run(*[values[read] for read in reads]))
                for column, place in pairs:
                    column.append(values[place])
        except InvalidInput as error:
            number = len(columns[0])
            raise InvalidInput(*[fault._replace(instance=number) for fault in error.faults]) from None
        return columns

    def compiled(self, names: "tuple[str, ...]") -> "Function | None":
        """Make a function of one row that computes the named outputs; None for a plan of many ops."""
        if names not in self._functions:
            from flyweight.engines._compiled import function  # imported late: for models that answer many rows

            self._functions[names] = function(*self.plan.needed(names))
        return self._functions[names]

    def _function(self, count: int, names: "tuple[str, ...]") -> "Function | None":
        """Count rows of batches; from ROWS on return the compiled function."""
        answered = self._rows[names] = self._rows.get(names, 0) + count
        return self.compiled(names) if answered >= ROWS else None

    def values(self, row: "list[Any]") -> "list[list[Any]]":
        """Compute every value of the plan for one row: the row itself first, then each op's value."""
        values = [row]
        for op, reads in zip(self.plan.ops, self.plan.reads, strict=True):
            values.append(op.row(*[values[read] for read in reads]))
        return values

    def _program(self, names: "tuple[str, ...]") -> "tuple[list[Step], list[int]]":
        needed, places = self.plan.needed(names)
        program = self._programs[names] = ([_step(op.row, reads) for op, reads in needed], places)
        return program


def _step(run: "Callable[..., Any]", reads: "tuple[int, ...]") -> "Step":
    """Return a step; an op of one input, as most are, is called without building a tuple."""
    return run, reads[0] if len(reads) == 1 else -1, reads
