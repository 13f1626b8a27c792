"""Read a plan for an export: its nodes in order, each with what its op reads from the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flyweight import ops
from flyweight.engines import pure
from flyweight.engines.plan import Plan
from flyweight.models.file import ModelFile
from flyweight.toolkit.errors import ToolkitError


class NotExported(ToolkitError):
    """A model that a form can't hold, or whose export does not answer as the model does."""


@dataclass(frozen=True)
class Step:
    """One node of a plan: its op's name, what it reads (`node`), the op itself, and the slots of its inputs and of its value."""

    name: str
    node: ops.Node
    op: Any
    reads: tuple[int, ...]
    slot: int

    @property
    def width(self) -> int:
        """The columns of the node's value."""
        return len(self.op.kinds)

    def refuse(self, reason: str) -> NotExported:
        """Return the error that names this op."""
        return NotExported(f"the op {self.name}: {reason}", "export to another form, or deploy the model file itself")


class Planned:
    """A model file with a plan, as exports read it.

    `steps`: the nodes that the outputs need, in order; `outputs`: the slot of each output; `kinds`: the kinds of each slot's
    columns.

    :raises NotExported: the file has no plan.
    """

    def __init__(self, file: ModelFile) -> None:
        if "plan" not in file.document:
            engines = ", ".join(map(str, file.document.get("engines", [])))
            raise NotExported(
                f"the model has no plan: it runs in {engines}, and exports are made from plans",
                "pack the estimator with --engine pure, whose report says what has no plan",
            )
        self.file, self.signature = file, file.signature
        self.plan = Plan(file)
        self.engine = pure.Engine(file, self.plan)
        self.kinds, self.outputs = self.plan.kinds, dict(self.plan.slots)
        self.nulls = any(feature.kind == "string" and feature.nullable for feature in self.signature.features)
        specs = file.document["plan"]["nodes"]
        self.steps = [self._step(slot, specs[slot - 1]) for slot in self._needed()]

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.file.document["name"])

    def _needed(self) -> list[int]:
        """List the slots of the nodes that the outputs need."""
        needed = {*self.outputs.values()}
        for slot in range(len(self.plan.ops), 0, -1):
            if slot in needed:
                needed.update(self.plan.reads[slot - 1])
        return sorted(needed - {0})

    def _step(self, slot: int, spec: dict[str, Any]) -> Step:
        reads = self.plan.reads[slot - 1]
        node = ops.Node(spec, tuple(self.kinds[read] for read in reads), self.file.tensors)
        return Step(spec["op"], node, self.plan.ops[slot - 1], reads, slot)


@dataclass(frozen=True)
class Value:
    """A value of the plan in an export: the names of its numbers and of its strings; "" where it has none.

    `kinds`: one letter a column, as in the plan; sparse values are ordinary here.
    """

    kinds: str
    numbers: str = ""
    strings: str = ""

    def place(self, column: int) -> int:
        """Return where a column stands among those of its kind."""
        strings = self.kinds[:column].count("s")
        return strings if self.kinds[column] == "s" else column - strings
