"""Read a plan: build, and so check, the op of each node before any instance is answered."""

from flyweight import ops
from flyweight.errors import ModelRefused, preview
from flyweight.models.signature import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile

MAX_NODES = 10_000
MAX_VALUES = 10_000_000  # of all nodes together for one instance: else a plan of few bytes could fill the memory


class Plan:
    """The ops of one model file in order.

    Values are numbered by slots: slot 0 is the instance, slot n the value of the n-th op.

    `ops` and `names`: the ops and their names; `reads`: the slots that each op reads; `kinds`: the kinds of each value's columns;
    `slots`: the slot of each output; `widths`: its columns; `choices`: the number of classes of each column of the output
    "index".

    :raises ModelRefused: the plan or an op is not valid, or the plan is too large.
    """

    def __init__(self, file: "ModelFile") -> None:
        plan = file.document.get("plan")
        nodes = plan.get("nodes") if isinstance(plan, dict) else None
        outputs = plan.get("outputs") if isinstance(plan, dict) else None
        if not isinstance(nodes, list) or not isinstance(outputs, dict) or len(nodes) > MAX_NODES:
            raise ModelRefused("the plan has no nodes or outputs, or too many nodes")
        self.kinds = [Signature.of(file.document).kinds]
        slots, values = {"input": 0}, 0
        self.ops: list[ops.Op] = []
        self.names: list[str] = []
        self.reads: list[tuple[int, ...]] = []
        taken: set[Any] = set()
        for spec in nodes:
            reads = _slots_read(spec, slots)
            op = ops.find(spec.get("op"))(ops.Node(spec, tuple(self.kinds[slot] for slot in reads), file.tensors))
            _take_arrays(spec, taken)
            slots[_new_name(spec, slots)] = len(self.kinds)
            self.kinds.append(op.kinds)
            values += len(op.kinds)
            if values > MAX_VALUES:
                raise ModelRefused(f"the plan makes more than {MAX_VALUES} values for one instance")
            self.ops.append(op)
            self.names.append(spec["op"])
            self.reads.append(reads)
        self.slots = {output: _slot(name, slots) for output, name in outputs.items()}
        if any(self.kinds[slot][:1] == "z" for slot in self.slots.values()):
            raise ModelRefused("an output of the plan is a sparse value; the plan has to spread it first")
        self.widths = {output: len(self.kinds[slot]) for output, slot in self.slots.items()}
        index = self.slots.get("index", 0)
        self.choices: list[int] | None = getattr(self.ops[index - 1], "choices", None) if index else None

    def needed(self, outputs: "tuple[str, ...]") -> "tuple[list[tuple[ops.Op, tuple[int, ...]]], list[int]]":
        """Return the ops that these outputs need.

        Here slots count the needed ops only: slot n is the value of the n-th of them.

        :returns: the ops in order, each with the slots that it reads; and the slot of each output.
        """
        slots = {self.slots[output] for output in outputs}
        for slot in range(len(self.ops), 0, -1):
            if slot in slots:
                slots.update(self.reads[slot - 1])
        place, steps = {0: 0}, []
        for slot, (op, reads) in enumerate(zip(self.ops, self.reads, strict=True), 1):
            if slot in slots:
                place[slot] = len(place)
                steps.append((op, tuple([place[read] for read in reads])))
        return steps, [place[self.slots[output]] for output in outputs]


def _slots_read(spec: "Any", slots: "dict[str, int]") -> "tuple[int, ...]":
    """Return the slots of a node's inputs; a node can read only values before its own, so that no plan has a cycle.

    :raises ModelRefused: it has no inputs, or reads a value that no node before it gives.
    """
    inputs = spec.get("inputs") if isinstance(spec, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise ModelRefused("a node of the plan has no inputs")
    return tuple(_slot(name, slots) for name in inputs)


def _take_arrays(spec: "dict[str, Any]", taken: "set[Any]") -> None:
    """Note the arrays that a node reads; an array belongs to one node, since each node makes a copy of its own.

    :raises ModelRefused: a name is not a string, or another node reads the array.
    """
    arrays = spec.get("arrays")
    for name in arrays.values() if isinstance(arrays, dict) else ():
        if not isinstance(name, str) or name in taken:
            raise ModelRefused(f"a node of the plan takes the array {preview(name)}, which is not a name, or another node's")
        taken.add(name)


def _slot(name: "Any", slots: "dict[str, int]") -> int:
    """Return the slot of a value.

    :raises ModelRefused: no node before gives it.
    """
    if not isinstance(name, str) or name not in slots:
        raise ModelRefused(f"the plan reads {preview(name)} before anything gives it")
    return slots[name]


def _new_name(spec: "dict[str, Any]", slots: "dict[str, int]") -> str:
    """Return the name of a node's value.

    :raises ModelRefused: it is not a string, or names another value already.
    """
    name = spec.get("output")
    if not isinstance(name, str) or name in slots:
        raise ModelRefused(f"a node gives {preview(name)}, which is not a new name")
    return name
