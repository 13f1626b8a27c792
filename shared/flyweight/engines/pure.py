"""The engine of the standard library: one instance at a time, op by op."""

from flyweight import ops
from flyweight.errors import InvalidInput, ModelRefused, shown
from flyweight.signature import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.model_file import ModelFile

MAX_NODES = 10_000
MAX_VALUES = 10_000_000  # of all nodes together for one instance: a plan of few bytes could otherwise fill the memory


class Engine:
    """A plan made ready: each node an op that was built, and so checked, before any instance is seen."""

    def __init__(self, file: "ModelFile") -> None:
        plan = file.document.get("plan")
        nodes = plan.get("nodes") if isinstance(plan, dict) else None
        outputs = plan.get("outputs") if isinstance(plan, dict) else None
        if not isinstance(nodes, list) or not isinstance(outputs, dict) or len(nodes) > MAX_NODES:
            raise ModelRefused("the plan has no nodes or outputs, or too many nodes")
        kinds = [Signature.of(file.document).kinds]
        slots, values = {"input": 0}, 0
        self.ops: list[ops.Op] = []
        self.reads: list[tuple[int, ...]] = []
        for spec in nodes:
            reads = _slots_read(spec, slots)
            op = ops.find(spec.get("op"))(ops.Node(spec, tuple(kinds[slot] for slot in reads), file.tensors))
            slots[_new_name(spec, slots)] = len(kinds)
            kinds.append(op.kinds)
            values += len(op.kinds)
            if values > MAX_VALUES:
                raise ModelRefused(f"the plan makes more than {MAX_VALUES} values for one instance")
            self.ops.append(op)
            self.reads.append(reads)
        self.slots = {output: _slot(name, slots) for output, name in outputs.items()}
        self.widths = {output: len(kinds[slot]) for output, slot in self.slots.items()}
        index = self.slots.get("index", 0)
        self.choices: list[int] | None = getattr(self.ops[index - 1], "choices", None) if index else None
        # A node of one input, and most are, is called without building a tuple.
        self._steps: list[tuple[Callable[..., Any], int, tuple[int, ...]]] = [
            (op.row, reads[0] if len(reads) == 1 else -1, reads) for op, reads in zip(self.ops, self.reads, strict=True)
        ]

    def outputs(self, rows: "list[list[Any]]") -> "list[dict[str, list[Any]]]":
        """Per row of the signature's features, each output of the plan by name.

        :raises InvalidInput: a row that the model does not take; the fault says which.
        """
        answers = []
        for number, row in enumerate(rows):
            try:
                values = self.values(row)
            except InvalidInput as error:
                raise InvalidInput(*[fault._replace(instance=number) for fault in error.faults]) from None  # type: ignore[attr-defined]
            answers.append({output: values[slot] for output, slot in self.slots.items()})
        return answers

    def values(self, row: "list[Any]") -> "list[list[Any]]":
        """Every value of the plan for one row, the input first, then each node's."""
        values = [row]
        for run, slot, reads in self._steps:
            values.append(run(values[slot]) if slot >= 0 else run(*[values[read] for read in reads]))
        return values


def _slots_read(spec: "Any", slots: "dict[str, int]") -> "tuple[int, ...]":
    """The slots of a node's inputs; a node can read only what stands before it, so that no plan holds a cycle."""
    inputs = spec.get("inputs") if isinstance(spec, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise ModelRefused("a node of the plan has no inputs")
    return tuple(_slot(name, slots) for name in inputs)


def _slot(name: "Any", slots: "dict[str, int]") -> int:
    if not isinstance(name, str) or name not in slots:
        raise ModelRefused(f"the plan reads {shown(name)} before anything gives it")
    return slots[name]


def _new_name(spec: "dict[str, Any]", slots: "dict[str, int]") -> str:
    name = spec.get("output")
    if not isinstance(name, str) or name in slots:
        raise ModelRefused(f"a node gives {shown(name)}, which is not a new name")
    return name
