"""The vocabulary of plans: one module a family of ops, each with a table `OPS` from name to class.

`linear.affine` is `OPS["affine"]` of `linear.py`.

To add an op, write a class in the module of its family (a new module for a new family) and a row in that module's `OPS`.
Such a class
- takes a `Node`, which checks everything that the op reads from the file and raises `ModelRefused`;
- sets `kinds`, the kinds of its output's columns, one letter a column: "n" a number, "s" a string or missing; "z" stands for
  every column of a sparse value, which only families whose name begins with `sparse` read;
- has `row(*inputs)`: it gets one list an input and returns one list, for one instance;
- sets `exact`: False where its answers may differ from the estimator's in the last bits. If such an op sums terms, parity
  finds their size by a function of the op's name in `flyweight.toolkit.packing.magnitudes`. An op in single precision also sets
  `precision`, the allowed difference relative to that size;
- may have `batch(*inputs)`: it gets one array of shape (rows, columns) an input and returns one, of float64, or of objects
  where strings are. `exact` holds for it too. For a row that the op refuses it raises `InvalidInput` without a fault: the
  engine then goes row by row to find it. NumPy is imported inside the method;
- may have `over(xp, arrays, *inputs)`: the batch form for numbers, written on the array API standard alone, so that it runs in
  any namespace `xp` (https://data-apis.org/array-api/latest/); `arrays` has the op's own NumPy arrays, which the engine hands
  back as arrays of `xp`. An op that is an `Over` has it as `batch` too. `prepared(*inputs)`, if there is one, is called in NumPy
  first and gives what `over` reads; `refuses(xp, *inputs)` says whether any row is refused, since `over` raises nothing;
- may have `quotients()`: one pair of floats (s, d) a column, where its row form is `(v - s) / d` of each; it is then compiled;
- may set `whole = True`: its answers are integers;
- may set `grows`: the bytes of memory that it takes later, while it is used, beyond `predictor.EXPANSION` times its arrays;
- says by `Node.takes` what a row costs, before it computes anything costly, unless that is in proportion to its inputs, its
  output and its arrays, as it is for most: a plan counts that for an op that says nothing.
"""

from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from flyweight.models.file import Tensor

    class Op(Protocol):
        """An op as an engine uses it."""

        kinds: str
        exact: bool

        def __init__(self, node: "Node") -> None: ...

        def row(self, *inputs: "list[Any]") -> "list[Any]":
            """Answer one instance: one list an input, one list out."""
            ...


# the next step where a file names what this folder does not have
NOT_HERE = "a folder built for one model has only what that needs: build with --every-op, or with the flyweight that packed it"
MAX_WIDTH = 1 << 20  # the default width of a HashingVectorizer
MAX_VALUES = 10_000_000  # of all nodes together for one instance: else a plan of few bytes could fill the memory
MAX_STEPS = 100_000_000  # for one instance: a step is a product of numbers, 10 ns in the standard library, so that all take 1 s
STEPS_A_BYTE = 20  # a larger file may take more: time to read each of its numbers some times, as a search for neighbors does
LETTERS = 10_000  # of the longest text, by default (`Limits.max_string_length`)


class Over:
    """An op whose batch form is `over`, with NumPy as one of the namespaces."""

    @property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the NumPy arrays that `over` reads."""
        return ()

    if TYPE_CHECKING:

        def over(self, xp: Any, arrays: tuple[Any, ...], *inputs: Any) -> Any:
            """Answer all rows in the namespace `xp`."""
            ...

    def batch(self, *inputs: "Any") -> "Any":
        """Answer all rows of the arrays."""
        import numpy as np

        return self.over(np, self.arrays, *inputs)


def find(name: "Any") -> "type[Op]":
    """Return the class of the op that a plan names.

    :raises ModelRefused: no op has this name; the name comes from a file, so nothing outside the tables can be reached.
    """
    family, _, word = name.partition(".") if isinstance(name, str) else ("", "", "")
    # an identifier can't leave this package; `_` first would be a private module
    if not (family.isidentifier() and family.isascii() and not family.startswith("_")):
        raise ModelRefused(f"{preview(name)} is not an op")
    try:
        table = __import__(f"{__name__}.{family}", fromlist=["OPS"]).OPS
    except ModuleNotFoundError:
        table = {}
    if word not in table:
        raise ModelRefused(f"{preview(name)} is not an op that this flyweight knows", NOT_HERE)
    op: type[Op] = table[word]
    return op


def rows_of(flat: "list[float]", rows: int, width: int) -> "list[list[float]]":
    """Split a flat list into `rows` lists of `width` numbers; with a width of 0 they are one and the same list."""
    if not width:
        return [[]] * rows
    return [flat[row * width : (row + 1) * width] for row in range(rows)]


class Work:
    """The work and the memory of a plan, added up while its nodes are read, and refused as soon as they are too much.

    `steps`: for one instance; `values`: the numbers that are kept; `nodes`: for each node its steps for one instance, and its
    steps for each letter of a request's texts, or None where letters do not bound it.

    :param size: the bytes of the model file.
    """

    __slots__ = ("nodes", "size", "steps", "values")

    def __init__(self, size: int = 0) -> None:
        self.nodes: list[tuple[int, int | None]] = []
        self.size = size
        self.steps = self.values = 0

    def allowed(self) -> int:
        """Return the steps that an instance may take; the setting is read only where a plan needs it."""
        allowed = max(MAX_STEPS, STEPS_A_BYTE * self.size)
        if self.steps > allowed:
            from flyweight.settings import permissions

            allowed = max(allowed, permissions().max_steps)
        return allowed


class Node:
    """One node of a plan, as an op reads it: every method checks, and refuses the file with the node's name.

    :param spec: the node as the plan has it.
    :param inputs: the kinds of each input's columns.
    :param tensors: the file's arrays by name.
    :param work: the work of the plan so far.
    :param entries: how many numbers of the inputs are not zero for each letter of a text; None where no text bounds them.
    :raises ModelRefused: the node reads a sparse value, and its op reads none.
    """

    __slots__ = ("_arrays", "_spec", "_tensors", "entries", "inputs", "work")

    def __init__(
        self,
        spec: "dict[str, Any]",
        inputs: "tuple[str, ...]",
        tensors: "dict[str, Tensor]",
        work: "Work | None" = None,
        entries: "float | None" = None,
    ) -> None:
        arrays = spec.get("arrays", {})
        self._spec = spec
        self._arrays = arrays if isinstance(arrays, dict) else {}
        self._tensors = tensors
        self.inputs = inputs
        self.work = work or Work()
        self.entries = entries
        sparse = any(kinds[:1] == "z" for kinds in inputs)
        self.expect(not sparse or str(spec.get("op")).startswith("sparse"), "takes no sparse value")

    def refuse(self, reason: str) -> ModelRefused:
        """Return the error that refuses the file because of this node."""
        return ModelRefused(f"op {preview(self._spec.get('op'))} giving {preview(self._spec.get('output'))}: {reason}")

    def expect(self, holds: bool, reason: str) -> None:
        """Check a condition.

        :raises ModelRefused: it does not hold.
        """
        if not holds:
            raise self.refuse(reason)

    def takes(self, steps: float, values: int = 0, letter_steps: "float | None" = None) -> None:
        """State what the node costs, before it is spent.

        :param steps: the steps for one instance, or for loading, the larger.
        :param values: the numbers that the node makes and keeps, beside those in its arrays and its output.
        :param letter_steps: the steps for each letter of a request's texts, if the texts bound the work.
        :raises ModelRefused: the plan takes too much.
        """
        work = self.work
        work.steps += int(steps)
        work.values += values
        work.nodes.append((int(steps), None if letter_steps is None else int(letter_steps) + 1))
        allowed = work.allowed()
        self.expect(
            work.steps <= allowed,
            f"takes {int(steps)} steps for one instance, and with the nodes before it {work.steps}, where {allowed} are allowed; "
            "the setting FLYWEIGHT_MAX_STEPS allows more",
        )
        self.expect(work.values <= MAX_VALUES, f"makes the plan keep {work.values} numbers, where {MAX_VALUES} are allowed")

    def takes_usual(self, width: int) -> None:
        """State a cost in proportion to the node's inputs, its arrays and its output.

        :param width: the columns of the output.
        :raises ModelRefused: the plan takes too much.
        """
        own = [self._tensors.get(str(name)) for name in self._arrays.values()]
        size = sum([tensor.values.nbytes for tensor in own if tensor is not None])
        steps = size + sum(map(len, self.inputs)) + 50 * len(self.inputs) + 5 * width
        if self.entries is None or not str(self._spec.get("op")).startswith("sparse."):
            self.takes(steps)
        else:  # only entries that are not zero cost something
            self.takes(min(steps, 10 * self.entries * LETTERS + 5 * width), letter_steps=10 * self.entries + 1)

    def only_input(self) -> str:
        """Return the kinds of the one input.

        :raises ModelRefused: there are no inputs, or several.
        """
        self.expect(len(self.inputs) == 1, f"takes one input, got {len(self.inputs)}")
        return self.inputs[0]

    def numbers(self) -> int:
        """Return the width of the one input, whose columns are all numbers.

        :raises ModelRefused: there are several inputs, or one of strings or sparse.
        """
        kinds = self.only_input()
        self.expect("s" not in kinds and kinds[:1] != "z", "takes numbers, got strings or a sparse value")
        return len(kinds)

    def has(self, name: str) -> bool:
        """Say whether the node has an array of this name."""
        return name in self._arrays

    def array(self, name: str, dtypes: str, shape: "tuple[int | None, ...]") -> "Tensor":
        """Return an array of one of `dtypes` (space-separated) whose shape fits; None fits any size.

        :raises ModelRefused: the array is missing, or has another type or shape.
        """
        tensor = self._tensors.get(str(self._arrays.get(name)))
        if tensor is None:
            raise self.refuse(f"its array {name!r} is not in the file")
        self.expect(tensor.dtype in dtypes.split(), f"array {name!r} is {tensor.dtype}, expected {dtypes}")
        fits = len(shape) == len(tensor.shape) and all(w in (None, h) for w, h in zip(shape, tensor.shape, strict=True))
        self.expect(fits, f"array {name!r} has shape {list(tensor.shape)}, expected {list(shape)}")
        return tensor

    def floats(self, name: str, *shape: "int | None") -> "list[float]":
        """Return a float64 array as a flat list.

        :raises ModelRefused: the array is missing, or has another type or shape.
        """
        flat: Any = self.array(name, "F64", shape).values
        return [*flat]

    def rows(self, name: str, rows: "int | None", width: "int | None") -> "list[list[float]]":
        """Return a float64 array of shape (rows, width) as one list a row; None fits any size.

        :raises ModelRefused: the array is missing, or has another type or shape.
        """
        tensor = self.array(name, "F64", (rows, width))
        return rows_of([*tensor.values], *tensor.shape)

    def indices(self, name: str, below: int, *shape: "int | None") -> "list[int]":
        """Return an integer array as a flat list, each value from 0 to `below` - 1.

        :raises ModelRefused: the array is missing, has another type or shape, or a value out of range.
        """
        values: "list[int]" = self.array(name, "U8 U16 U32 I16 I32 I64", shape).values.tolist()
        inside = not values or (min(values) >= 0 and max(values) < below)
        self.expect(inside, f"array {name!r} is out of range 0..{below - 1}")
        return values

    def flags(self, name: str, *shape: "int | None") -> bytes:
        """Return a U8 array of zeros and ones as bytes, whose items cost no memory of their own.

        :raises ModelRefused: the array is missing, has another type or shape, or holds another value.
        """
        flags = self.array(name, "U8", shape).values.tobytes()
        self.expect(not flags or max(flags) <= 1, f"array {name!r} holds more than 0 and 1")
        return flags

    def items(self, name: str, types: "tuple[type, ...]", length: "int | None" = None) -> "list[Any]":
        """Return a list of the plan whose items are exactly of `types`.

        :raises ModelRefused: it is missing or not a list, or has another length or other items.
        """
        values = self._spec.get(name)
        if not isinstance(values, list) or any(type(value) not in types for value in values):
            raise self.refuse(f"{name!r} is not a list of {' or '.join(t.__name__ for t in types)}")
        self.expect(length is None or len(values) == length, f"{name!r} has {len(values)} items, expected {length}")
        return values

    def positions(self, name: str, below: int) -> "list[int]":
        """Return a list of the plan whose items are whole numbers from 0 to `below` - 1.

        :raises ModelRefused: it is missing, not such a list, or longer than MAX_WIDTH.
        """
        values = self.items(name, (int,))
        self.expect(not values or (min(values) >= 0 and max(values) < below), f"{name!r} is out of range 0..{below - 1}")
        self.expect(len(values) <= MAX_WIDTH, f"{name!r} is longer than {MAX_WIDTH}")
        return values

    def whole(self, name: str, low: int, high: int) -> int:
        """Return a whole number of the plan, from `low` to `high`.

        :raises ModelRefused: it is missing, not a whole number, or out of range.
        """
        value = self._spec.get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.refuse(f"{name!r} is {preview(value)}, expected a whole number from {low} to {high}")
        return value

    def choice(self, name: str, choices: "Sequence[Any]") -> "Any":
        """Return a value of the plan that is one of `choices`.

        :raises ModelRefused: it is another value, or missing.
        """
        value = self._spec.get(name)
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise self.refuse(f"{name!r} is {preview(value)}, expected one of {preview(list(choices), 200)}")
        return value
