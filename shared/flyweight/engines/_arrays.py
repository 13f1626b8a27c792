"""Run a plan's batches in torch, CuPy or JAX: ops with a form on the array API standard there, the others in NumPy.

A device holds numbers only. So a column of strings, and an op whose form needs NumPy, stay on the host; the engine runs all steps
of one side that are ready, then all of the other side, so that few arrays cross over.
"""

import sys

import numpy as np

from flyweight.engines import numpy, pure
from flyweight.engines._namespaces import namespace_of
from flyweight.errors import FlyweightError, InvalidInput, ModelRefused
from flyweight.models.validation import Validator
from flyweight.settings import Limits, accelerators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.engines.plan import Plan
    from flyweight.models.file import ModelFile
    from flyweight.ops import Op

    Array = Any  # of NumPy or of the namespace
    Slot = Any  # the number of a step's value, or ("prepared", number) of what its `prepared` gives

CHUNK = 65_536  # rows at a time: enough for a GPU to be busy
VALUES = 1 << 26  # of the whole plan at a time, 512 MB: a wide plan gets fewer rows
LEAST = 1 << 8  # rows of a compiled function, or 4, 16, 64 or 256 times as many: it is compiled once for each number
# how far, relative to the largest number, an answer to the sample may lie from that of the first engine, unless an op of single
# precision has a larger `precision` of its own
TOLERANCE = 1e-9


class Engine(numpy.Engine):
    """The engine that runs batches in an array namespace.

    It answers the model's own sample when it is made, and is refused where an answer differs.

    :param asked: the namespace; None: that of FLYWEIGHT_ARRAYS.
    :raises ModelRefused: the namespace or its device is not here, no op of the plan has a form for it, or it answers otherwise.
    """

    def __init__(self, file: "ModelFile", plan: "Plan | None" = None, asked: "str | None" = None) -> None:
        if "numpy" not in file.document["engines"]:
            what = "FLYWEIGHT_ARRAYS runs the batches of models that NumPy runs, and this file names no such engine"
            raise ModelRefused(what, "unset FLYWEIGHT_ARRAYS for this model")
        super().__init__(file, plan)
        self._asked = accelerators().arrays if asked is None else asked
        self.namespace = namespace_of(self._asked)
        self._chunk = max(LEAST, min(CHUNK, VALUES // sum(map(len, self.plan.kinds))))
        moved = [
            name
            for name, op, reads in zip(self.plan.names, self.plan.ops, self.plan.reads, strict=True)
            if self._moves(op, reads)
        ]
        self.stays = [name for name in dict.fromkeys(self.plan.names) if name not in moved]
        if not moved:
            what = f"none of the model's ops runs in {self._asked}: {', '.join(self.stays) or 'it has none'}"
            raise ModelRefused(what, "unset FLYWEIGHT_ARRAYS; NumPy runs them")
        self._program_of_all = Program(self.plan, tuple(self.widths), self.namespace)
        self._prove(file)
        stays = f"; in NumPy: {', '.join(self.stays)}" if self.stays else ""
        print(f"flyweight: batches run in {self._asked} on {self.namespace.device}{stays}", file=sys.stderr)

    def _moves(self, op: "Op", reads: "tuple[int, ...]") -> bool:
        """Say whether an op runs in the namespace."""
        return _moves(op, [self.plan.kinds[read] for read in reads])

    def _batch(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[Array]":
        _, places = self._batches.get(names) or self._batch_program(names)
        with np.errstate(all="ignore"), self.namespace.here():
            answers = self._program_of_all.run(numpy.as_array(rows, self.plan.kinds[0]), names)
        return [answer.astype(int) if whole else answer for answer, (_, whole) in zip(answers, places, strict=True)]

    def _prove(self, file: "ModelFile") -> None:
        """Answer the file's own sample as the first engine answers it.

        :raises ModelRefused: an answer is another.
        """
        sample = file.document.get("sample")
        instances = sample.get("instances") if isinstance(sample, dict) else None
        names, tolerance = tuple(self.widths), max([TOLERANCE, *[getattr(op, "precision", 0.0) for op in self.plan.ops]])
        try:
            rows = Validator(file.signature, Limits(max_instances=sys.maxsize)).rows(instances) if instances else []
            expected = pure.Engine.outputs(self, rows, names)
        except FlyweightError:  # `/ready` reports a malformed sample
            return
        for name, ours, theirs in zip(names, self._batch(rows, names) if rows else [], expected, strict=False):
            a, b = np.array(ours, dtype=float), np.array(theirs, dtype=float)
            apart = np.abs(a - b)[~(np.isnan(a) & np.isnan(b)) & (a != b)]
            limit = 0.0 if name == "index" else tolerance * max(1.0, float(np.nanmax(np.abs(b), initial=0.0)))
            if not (apart <= limit).all():
                place = f"{self._asked} on {self.namespace.device}"
                what = f"{place} answers the model's own sample otherwise: {name} by {apart.max():.3g}"
                raise ModelRefused(what, "unset FLYWEIGHT_ARRAYS; NumPy runs the batches")


def _moves(op: "Op", kinds: "list[str]") -> bool:
    """Say whether an op that reads values of these kinds runs in the namespace: it has the form, and numbers go in and out."""
    letters = {*op.kinds} if hasattr(op, "prepared") else {*op.kinds}.union(*kinds)
    return hasattr(op, "over") and letters <= {"n"}


class Program:
    """The ops that outputs need, as steps in NumPy and functions of the namespace, one after the other."""

    def __init__(self, plan: "Plan", names: "tuple[str, ...]", namespace: "Any") -> None:
        needed, places = plan.needed(names)
        self._places, self._namespace = dict(zip(names, places, strict=True)), namespace
        kinds = [plan.kinds[0], *[op.kinds for op, _ in needed]]
        waiting: list[tuple[bool, Op, Slot, tuple[Slot, ...]]] = []  # whether in the namespace, the op, its slot, those it reads
        for slot, (op, reads) in enumerate(needed, 1):
            moves = _moves(op, [kinds[read] for read in reads])
            if moves and hasattr(op, "prepared"):
                waiting.append((False, op, ("prepared", slot), reads))
                reads = (("prepared", slot),)  # type: ignore[assignment]
            waiting.append((moves, op, slot, reads))
        self._parts: list[Callable[[Values], None]] = []
        done: set[Slot] = {0}
        moves = False
        while waiting:
            ready: list[tuple[Op, Slot, tuple[Slot, ...]]] = []
            for step in [*waiting]:
                if step[0] is moves and done.issuperset(step[3]):
                    ready.append(step[1:])
                    done.add(step[2])
                    waiting.remove(step)
            wanted = {*places}.union(*[reads for _, _, _, reads in waiting])
            if ready:
                self._parts.append(Segment(ready, wanted, namespace).run if moves else _host(ready))
            moves = not moves

    def run(self, rows: "Array", names: "tuple[str, ...]") -> "list[Array]":
        """Answer rows of NumPy's: one array of NumPy's for each of the named outputs.

        :raises InvalidInput: an op refuses a row; the fault has no number.
        """
        count = len(rows)
        if self._namespace.whole:
            size = LEAST
            while size < count:
                size *= 4
            rows = rows[np.minimum(np.arange(size), count - 1)]
        values = Values(rows, self._namespace)
        for part in self._parts:
            part(values)
        return [values.host(self._places[name])[:count] for name in names]


class Values:
    """The values of a batch by slot, each in NumPy, in the namespace, or in both once it was asked for in both."""

    def __init__(self, rows: "Array", namespace: "Any") -> None:
        self._namespace = namespace
        self.of_host: dict[Slot, Array] = {0: rows}
        self.of_device: dict[Slot, Array] = {}

    def host(self, slot: "Slot") -> "Array":
        """Return a value as an array of NumPy's."""
        if slot not in self.of_host:
            self.of_host[slot] = self._namespace.get(self.of_device[slot])
        return self.of_host[slot]

    def device(self, slot: "Slot") -> "Array":
        """Return a value as an array of the namespace."""
        if slot not in self.of_device:
            self.of_device[slot] = self._namespace.put(np.ascontiguousarray(self.of_host[slot]))
        return self.of_device[slot]


def _host(steps: "list[tuple[Op, Slot, tuple[Slot, ...]]]") -> "Callable[[Values], None]":
    """Make the function that runs steps in NumPy."""

    def run(values: "Values") -> None:
        for op, slot, reads in steps:
            prepared = isinstance(slot, tuple)
            form = op.prepared if prepared else numpy.batch_of(op)  # type: ignore[attr-defined]
            values.of_host[slot] = form(*[values.host(read) for read in reads])

    return run


class Segment:
    """Steps that run in the namespace, as one function of the values that they read.

    :param wanted: the slots that other steps or the outputs read.
    """

    def __init__(self, steps: "list[tuple[Op, Slot, tuple[Slot, ...]]]", wanted: "set[Slot]", namespace: "Any") -> None:
        self._steps, self._namespace = steps, namespace
        own = [slot for _, slot, _ in steps]
        self._reads = [slot for slot in dict.fromkeys(read for _, _, reads in steps for read in reads) if slot not in own]
        self._gives = [slot for slot in own if slot in wanted]
        with namespace.here():
            self._arrays = [_put(getattr(op, "arrays", ()), namespace.put) for op, _, _ in steps]
        self._function = namespace.compiled(self._run)

    def run(self, values: "Values") -> None:
        """Run the steps.

        :raises InvalidInput: a row is refused; the fault has no number.
        """
        gives, refused = self._function(self._arrays, [values.device(slot) for slot in self._reads])
        if any(map(bool, refused)):
            raise InvalidInput
        values.of_device.update(zip(self._gives, gives, strict=True))

    def _run(self, arrays: "list[Any]", inputs: "list[Array]") -> "tuple[list[Array], list[Array]]":
        """Compute the values that are wanted, and for each op that may refuse a row whether it does."""
        xp, refused = self._namespace.xp, []
        values = dict(zip(self._reads, inputs, strict=True))
        for (op, slot, reads), own in zip(self._steps, arrays, strict=True):
            taken = [values[read] for read in reads]
            if hasattr(op, "refuses"):
                refused.append(op.refuses(xp, *taken))
            values[slot] = op.over(xp, own, *taken)  # type: ignore[attr-defined]
        return [values[slot] for slot in self._gives], refused


def _put(arrays: "Any", put: "Callable[[Any], Any]") -> "Any":
    """Put arrays that stand in tuples within tuples into the namespace."""
    return tuple([_put(array, put) for array in arrays]) if isinstance(arrays, tuple) else put(arrays)
