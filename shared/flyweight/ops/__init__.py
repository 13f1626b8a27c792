"""The plan's vocabulary: one file a family, each with a table `OPS` from name to class.

`linear.affine` is `OPS["affine"]` of `linear.py`.

To add an op: a class in the file of its family (a new file for a new family), and a row in that file's `OPS`. A class
- is built from a `Node`, through which it checks all that it takes from the file (raising `ModelRefused`),
- sets `kinds`, the kinds of the columns that it gives ("n" a number, "s" a string or missing), one letter a column; "z" for
  all columns of a sparse value, which only ops take whose name begins with `sparse`,
- answers `row(*inputs)`: from one list per input to one list, for one instance,
- says `exact = False` where its answers may differ from the estimator's in the last bits, and then, if it sums terms,
  gives `magnitude(*inputs)`: the sum of the terms' absolute values, by which parity is judged,
- may answer `batch(*inputs)` too: from one array of shape (rows, columns) per input to one such array, of float64, or of
  objects where strings are. `exact` holds for it likewise. A row that it does not take raises `InvalidInput`, without a
  word, since the engine then goes row by row. NumPy is imported inside. `whole = True` makes the answers integers.
"""

from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from flyweight.models.file import Tensor

    class Op(Protocol):
        """What an engine asks of an op."""

        kinds: str
        exact: bool

        def __init__(self, node: "Node") -> None: ...

        def row(self, *inputs: "list[Any]") -> "list[Any]":
            """One instance."""
            ...


# what to do where a file names what is not here
NOT_HERE = "a folder built for one model has only what that needs: build with --every-op, or with the flyweight that packed it"
MAX_WIDTH = 1 << 20  # what a HashingVectorizer gives if nothing else was said


def find(name: "Any") -> "type[Op]":
    """The class of the op that a plan names.

    :raises ModelRefused: there is none; the name comes from a file, so nothing outside the tables can be reached.
    """
    family, _, word = name.partition(".") if isinstance(name, str) else ("", "", "")
    # An identifier can't leave this package; `_` first would be a private module.
    if not (family.isidentifier() and family.isascii() and not family.startswith("_")):
        raise ModelRefused(f"{preview(name)} is not an op")
    try:
        table = __import__(f"{__name__}.{family}", fromlist=["OPS"]).OPS
    except ModuleNotFoundError:
        table = {}
    if word not in table:
        raise ModelRefused(f"{preview(name)} is not an op that this flyweight knows", NOT_HERE)
    found: type[Op] = table[word]
    return found


class Node:
    """One node of a plan, as an op reads it: every accessor checks, and refuses with the node's name."""

    __slots__ = ("_arrays", "_spec", "_tensors", "inputs")

    def __init__(self, spec: "dict[str, Any]", inputs: "tuple[str, ...]", tensors: "dict[str, Tensor]") -> None:
        arrays = spec.get("arrays", {})
        self._spec = spec
        self._arrays = arrays if isinstance(arrays, dict) else {}
        self._tensors = tensors
        self.inputs = inputs  # the kinds of each input's columns
        sparse = any(kinds[:1] == "z" for kinds in inputs)
        self.expect(not sparse or str(spec.get("op")).startswith("sparse"), "takes no sparse value")

    def refuse(self, reason: str) -> ModelRefused:
        """The error that refuses the file for this node."""
        return ModelRefused(f"op {preview(self._spec.get('op'))} giving {preview(self._spec.get('output'))}: {reason}")

    def expect(self, holds: bool, reason: str) -> None:
        """Refuse the file unless `holds`."""
        if not holds:
            raise self.refuse(reason)

    def only_input(self) -> str:
        """The kinds of the one input."""
        self.expect(len(self.inputs) == 1, f"takes one input, got {len(self.inputs)}")
        return self.inputs[0]

    def numbers(self) -> int:
        """The width of the one input, whose columns are all numbers."""
        kinds = self.only_input()
        self.expect("s" not in kinds and kinds[:1] != "z", "takes numbers, got strings or a sparse value")
        return len(kinds)

    def has(self, name: str) -> bool:
        """Whether the node carries an array of this name."""
        return name in self._arrays

    def array(self, name: str, dtypes: str, shape: "tuple[int | None, ...]") -> "Tensor":
        """An array of one of `dtypes` (space-separated) whose shape fits; None fits any dimension."""
        tensor = self._tensors.get(str(self._arrays.get(name)))
        if tensor is None:
            raise self.refuse(f"its array {name!r} is not in the file")
        self.expect(tensor.dtype in dtypes.split(), f"array {name!r} is {tensor.dtype}, expected {dtypes}")
        fits = len(shape) == len(tensor.shape) and all(w in (None, h) for w, h in zip(shape, tensor.shape, strict=True))
        self.expect(fits, f"array {name!r} has shape {list(tensor.shape)}, expected {list(shape)}")
        return tensor

    def floats(self, name: str, *shape: "int | None") -> "list[float]":
        """A float64 array as a flat list."""
        flat: Any = self.array(name, "F64", shape).values
        return [*flat]

    def indices(self, name: str, below: int, *shape: "int | None") -> "list[int]":
        """An integer array as a flat list, each value from 0 to `below` - 1."""
        values: "list[int]" = self.array(name, "U8 U16 U32 I16 I32 I64", shape).values.tolist()
        inside = not values or (min(values) >= 0 and max(values) < below)
        self.expect(inside, f"array {name!r} is out of range 0..{below - 1}")
        return values

    def flags(self, name: str, *shape: "int | None") -> bytes:
        """A U8 array of zeros and ones as bytes, whose items cost no memory of their own."""
        flags = self.array(name, "U8", shape).values.tobytes()
        self.expect(not flags or max(flags) <= 1, f"array {name!r} holds more than 0 and 1")
        return flags

    def items(self, name: str, types: "tuple[type, ...]", length: "int | None" = None) -> "list[Any]":
        """A list of the plan whose items are of `types` exactly."""
        values = self._spec.get(name)
        if not isinstance(values, list) or any(type(value) not in types for value in values):
            raise self.refuse(f"{name!r} is not a list of {' or '.join(t.__name__ for t in types)}")
        self.expect(length is None or len(values) == length, f"{name!r} has {len(values)} items, expected {length}")
        return values

    def positions(self, name: str, below: int) -> "list[int]":
        """A list of the plan whose items are whole numbers from 0 to `below` - 1."""
        values = self.items(name, (int,))
        self.expect(not values or (min(values) >= 0 and max(values) < below), f"{name!r} is out of range 0..{below - 1}")
        self.expect(len(values) <= MAX_WIDTH, f"{name!r} is longer than {MAX_WIDTH}")
        return values

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number of the plan, from `low` to `high`."""
        value = self._spec.get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.refuse(f"{name!r} is {preview(value)}, expected a whole number from {low} to {high}")
        return value

    def choice(self, name: str, choices: "Sequence[Any]") -> "Any":
        """A value of the plan that is one of `choices`."""
        value = self._spec.get(name)
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise self.refuse(f"{name!r} is {preview(value)}, expected one of {preview(list(choices), 200)}")
        return value
