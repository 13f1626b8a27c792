"""Read a plan: build, and so check, the op of each node before any instance is answered."""

from flyweight import ops
from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile
    from flyweight.settings import Limits

MAX_NODES = 10_000
REQUESTS = 5_000  # a request may take as many times the steps of its instance, by default: an hour at the very most


class Plan:
    """The ops of one model file in order.

    Values are numbered by slots: slot 0 is the instance, slot n the value of the n-th op.

    `ops` and `names`: the ops and their names; `reads`: the slots that each op reads; `kinds`: the kinds of each value's columns;
    `slots`: the slot of each output; `widths`: its columns; `choices`: the number of classes of each column of the output
    "index"; `work`: what an instance costs.

    :raises ModelRefused: the plan or an op is not valid, or the plan is too large.
    """

    def __init__(self, file: "ModelFile") -> None:
        plan = file.document.get("plan")
        nodes = plan.get("nodes") if isinstance(plan, dict) else None
        outputs = plan.get("outputs") if isinstance(plan, dict) else None
        if not isinstance(nodes, list) or not isinstance(outputs, dict) or len(nodes) > MAX_NODES:
            raise ModelRefused("the plan has no nodes or outputs, or too many nodes")
        self.kinds = [file.signature.kinds]
        slots, self.work = {"input": 0}, ops.Work(len(file.data))
        entries: list[float | None] = [None]
        self.ops: list[ops.Op] = []
        self.names: list[str] = []
        self.reads: list[tuple[int, ...]] = []
        taken: set[Any] = set()
        for spec in nodes:
            reads = _slots_read(spec, slots)
            kinds = tuple([self.kinds[slot] for slot in reads])
            node = ops.Node(spec, kinds, file.tensors, self.work, _entries([entries[slot] for slot in reads]))
            stated = len(self.work.nodes)
            op = ops.find(spec.get("op"))(node)
            _take_arrays(spec, taken)
            if len(self.work.nodes) == stated:
                node.takes_usual(len(op.kinds))
            sparse = op.kinds[:1] == "z" or spec["op"] == "sparse.spread"
            entries.append(getattr(op, "entries", node.entries if sparse else None))
            slots[_new_name(spec, slots)] = len(self.kinds)
            self.kinds.append(op.kinds)
            self.work.values += len(op.kinds)
            if self.work.values > ops.MAX_VALUES:
                raise ModelRefused(f"the plan makes more than {ops.MAX_VALUES} values for one instance")
            self.ops.append(op)
            self.names.append(spec["op"])
            self.reads.append(reads)
        self.slots = {output: _slot(name, slots) for output, name in outputs.items()}
        if any(self.kinds[slot][:1] == "z" for slot in self.slots.values()):
            raise ModelRefused("an output of the plan is a sparse value; the plan has to spread it first")
        self.widths = {output: len(self.kinds[slot]) for output, slot in self.slots.items()}
        index = self.slots.get("index", 0)
        self.choices: list[int] | None = getattr(self.ops[index - 1], "choices", None) if index else None

    def check_request(self, limits: "Limits") -> None:
        """Check what the largest request that these limits allow would cost.

        :raises ModelRefused: it takes too many steps.
        """
        work, features = self.work, len(self.kinds[0])
        rows = min(limits.max_instances, limits.max_body_bytes // max(2, features) + 1)  # of CSV with empty fields
        steps = 0
        for row, letter in work.nodes:
            steps += rows * row if letter is None else min(rows * row, limits.max_body_bytes * letter)
        allowed = max(REQUESTS * work.allowed(), rows * ops.STEPS_A_BYTE * work.size)
        if steps > allowed:
            raise ModelRefused(
                f"the plan takes {steps} steps for the largest request, of {rows} instances, where {allowed} steps are allowed",
                "allow fewer by FLYWEIGHT_MAX_INSTANCES, or more steps for each by FLYWEIGHT_MAX_STEPS",
            )

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


def _entries(inputs: "list[float | None]") -> "float | None":
    """Add up how many numbers of the inputs are not zero for each letter of a text; None if one of them has no bound."""
    whole = 0.0
    for entries in inputs:
        if entries is None:
            return None
        whole += entries
    return whole


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
