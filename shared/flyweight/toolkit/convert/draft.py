"""Write a plan: collect its nodes and arrays, and remember the source of every column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from flyweight.models.signature import MAX_FEATURES
from flyweight.toolkit.convert import _sparse
from flyweight.toolkit.errors import ToolkitError


class ConversionRefused(ToolkitError):
    """An estimator can't become a plan.

    :param path: the step of the estimator, as `preprocess.numbers.scale`; "" for the estimator itself.
    :param cls: the name of its class.
    :param what_helps: the reason, and what would help.
    :param final: whether no other engine can run it either, so that none is tried.
    """

    def __init__(self, path: str, cls: str, what_helps: str, final: bool = False) -> None:
        super().__init__(f"step {path or '(the estimator itself)'}, {cls}: {what_helps}")
        self.path, self.cls, self.what_helps, self.final = path, cls, what_helps, final


@dataclass(frozen=True)
class Column:
    """One column of a value: its name in messages, and the feature that it came from, if it is one feature rescaled.

    The feature's value is `multiply * v + add`, up to rounding; so thresholds on the column lead back to values of the feature.
    """

    name: str
    source: int | None = None
    multiply: float = 1.0
    add: float = 0.0
    marker: Any = np.nan  # the value that the estimator gets where the caller sends null
    kind: str | None = None  # the kind of its feature, as far as it is known; "datetime" is known always

    def rescaled(self, multiply: float, add: float) -> Column:
        """Return the column whose value v is `multiply * v + add` in this one."""
        return replace(self, multiply=self.multiply * multiply, add=self.multiply * add + self.add)


@dataclass(frozen=True)
class Value:
    """A named value of the plan, as wide as its columns; `sparse` if the plan holds its nonzero numbers only."""

    name: str
    columns: tuple[Column, ...]
    sparse: bool = False

    @property
    def names(self) -> list[str]:
        """The names of the columns, for messages."""
        return [column.name for column in self.columns]


Outputs = dict[str, Value]


@dataclass
class Step:
    """One estimator that was converted, for the report."""

    path: str
    cls: str
    ops: list[str] = field(default_factory=list)


class Draft:
    """A plan that is being written: its nodes and arrays, and what its converters noted about the features.

    :param names: the names of the features.
    :param markers: for each feature the value that the estimator gets where the caller sends null; None for NaN.
    :param kinds: the kinds of features that are known before conversion, by position.
    :param dtypes: the dtypes of features in the sample, by position.
    """

    def __init__(
        self,
        names: Sequence[str],
        markers: Sequence[Any] | None = None,
        kinds: Mapping[int, str] = {},
        dtypes: Mapping[int, Any] = {},
    ) -> None:
        self.kinds, self.dtypes = dict(kinds), dict(dtypes)
        markers = markers or [np.nan] * len(names)
        columns = [
            Column(name, source, marker=marker, kind=self.kinds.get(source))
            for source, (name, marker) in enumerate(zip(names, markers, strict=True))
        ]
        self.input = Value("input", tuple(columns))
        self.nodes: list[dict[str, Any]] = []
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}
        self.steps: list[Step] = []
        self.categories: dict[int, list[Any]] = {}  # feature -> the categories that an encoder knows
        self.framed: dict[int, list[Any]] = {}  # feature -> its categories, if it has to be a pandas category
        self.edges: dict[int, np.ndarray[Any, Any]] = {}  # feature -> values at which answers may jump
        self.texts: dict[int, list[str]] = {}  # feature that is a text -> some terms that its reader knows
        self.alone = False  # whether the estimator's answer to a row depends on the other rows, so that rows are asked one by one
        self.positive = False  # whether training accepts no negative number, so that an answer to one means nothing
        self.hints: list[str] = []  # likely reasons, and what would help, if answers turn out to differ
        self._path: list[str] = []
        self._open: list[Step] = []

    @property
    def path(self) -> str:
        """The current step of the estimator, as `preprocess.numbers.scale`."""
        return ".".join(self._path)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Enter the step of this name."""
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()

    @contextmanager
    def recording(self, estimator: Any) -> Iterator[None]:
        """Record the ops that are added meanwhile as this estimator's."""
        step = Step(self.path, type(estimator).__name__)
        self.steps.append(step)
        self._open.append(step)
        try:
            yield
        finally:
            self._open.pop()

    def add(
        self,
        op: str,
        *inputs: Value,
        columns: Sequence[Column] | int,
        arrays: dict[str, Any] | None = None,
        **parameters: Any,
    ) -> Value:
        """Add a node.

        For a sparse input the op's sparse form is added; if it has none, the input is spread first.

        :param columns: the columns of the node's value, or their number if they are new.
        :param arrays: the node's arrays by name.
        :param parameters: the other keys of the node.
        :returns: the node's value.
        """
        if any(value.sparse for value in inputs) and not op.startswith("sparse."):
            op, inputs, arrays, parameters = self._over_sparse(op, inputs, arrays or {}, parameters)
        name = f"v{len(self.nodes) + 1}"
        if isinstance(columns, int):
            columns = [Column(f"{name}[{position}]") for position in range(columns)]
        node = {"op": op, "inputs": [value.name for value in inputs], "output": name, **parameters}
        if arrays:
            node["arrays"] = {key: f"{name}.{key}" for key in arrays}
            for key, values in arrays.items():
                self.arrays[f"{name}.{key}"] = _stored(np.asarray(values))
        self.nodes.append(node)
        if self._open:
            self._open[-1].ops.append(op)
        return Value(name, tuple(columns), op in _sparse.GIVING)

    def _over_sparse(
        self, op: str, inputs: tuple[Value, ...], arrays: dict[str, Any], parameters: dict[str, Any]
    ) -> tuple[str, tuple[Value, ...], dict[str, Any], dict[str, Any]]:
        """Return the op, inputs, arrays and parameters to add in place of a dense op over a sparse input."""
        form = _sparse.FORMS.get(op, _sparse.none)(arrays, parameters)
        if form is None:
            return op, tuple(self.spread(value) for value in inputs), arrays, parameters
        return form[0], inputs, form[1], form[2]

    def spread(self, x: Value) -> Value:
        """Return the value with its zeros, for ops without a sparse form."""
        return self.add("sparse.spread", x, columns=x.columns) if x.sparse else x

    def affine(self, x: Value, weights: Any, intercept: Any = None, op: str = "linear.affine") -> Value:
        """Add `weights @ x + intercept`; weights have shape (outputs, columns), dense or sparse."""
        weights = np.asarray(dense(weights), dtype=float)
        arrays = {"weights": weights, "intercept": np.zeros(len(weights)) if intercept is None else intercept}
        return self.add(op, x, columns=len(weights), arrays=arrays)

    def stretch(self, x: Value, multiply: Any, add: Any = 0.0) -> Value:
        """Add `x * multiply + add`; each is one number, or one number a column."""
        width = len(x.columns)
        pairs = (("multiply", multiply), ("add", add))
        arrays = {key: np.broadcast_to(np.asarray(values, dtype=float), (width,)) for key, values in pairs}
        return self.add("scale.stretch", x, columns=width, arrays=arrays)

    def argmax(self, x: Value, widths: list[int] | None = None) -> Value:
        """Add the index of the largest column; with `widths` one index for each group of as many columns."""
        widths = widths or [len(x.columns)]
        return self.add("labels.argmax", x, columns=len(widths), widths=widths)

    def expect_double(self, estimator: Any, array: Any) -> None:
        """Check that an array that the estimator learned is of float64.

        :raises ConversionRefused: it is not.
        """
        if np.asarray(array).dtype != np.float64:
            raise ConversionRefused(self.path, type(estimator).__name__, "it was fitted on float32; fit it on float64")

    def prune(self, outputs: Outputs) -> None:
        """Drop the nodes that no output needs, such as an ensemble member's own label, and their arrays.

        Sparse outputs are spread, in `outputs` itself: an answer lists all its numbers.

        :raises ConversionRefused: an output has no column, or too many.
        """
        for output, value in outputs.items():
            if not value.columns:
                raise ConversionRefused("", self.steps[-1].cls, f"its {output} has no column: it answers with nothing")
            if len(value.columns) > MAX_FEATURES:
                helps = (
                    f"its {output} has {len(value.columns):,} columns, an answer at most {MAX_FEATURES:,}; let a model read them"
                )
                raise ConversionRefused("", self.steps[-1].cls, helps)
            dates = [value.names[position] for position in self.dates_of(value)]
            if dates:
                helps = f"its {output} holds a datetime, {dates[0]!r}; take out of it what a model reads, and drop the datetime"
                raise ConversionRefused("", self.steps[-1].cls, helps)
            outputs[output] = self.spread(value)
        needed = {value.name for value in outputs.values()}
        kept = []
        for node in reversed(self.nodes):
            if node["output"] in needed:
                needed.update(node["inputs"])
                kept.append(node)
        self.nodes = kept[::-1]
        read = {name for node in self.nodes for name in node.get("arrays", {}).values()}
        self.arrays = {name: array for name, array in self.arrays.items() if name in read}

    def take(self, x: Value, columns: Sequence[int]) -> Value:
        """Return the columns of `x` at these positions; `x` itself if these are all its columns in order."""
        positions = [int(column) for column in columns]
        if positions == list(range(len(x.columns))):
            return x
        return self.add("columns.take", x, columns=[x.columns[p] for p in positions], positions=positions)

    def join(self, parts: Sequence[Value]) -> Value:
        """Return all parts side by side.

        :raises ConversionRefused: there is no part.
        """
        if len(parts) == 1:
            return parts[0]
        if not parts:
            raise ConversionRefused(self.path, "an empty step", "it gives no column at all; drop it")
        return self.add("columns.join", *parts, columns=[column for part in parts for column in part.columns])

    def kind_of(self, x: Value, position: int) -> str | None:
        """Return the kind of the values in this column: "datetime", another kind of feature, or None if it is not known."""
        return x.columns[position].kind

    def dates_of(self, x: Value) -> list[int]:
        """Return the positions of the columns that hold datetimes, as microseconds since 1970."""
        return [position for position, column in enumerate(x.columns) if column.kind == "datetime"]

    def note_categories(self, x: Value, position: int, categories: list[Any]) -> None:
        """Note the categories that an encoder knows of the feature in this column, if it is a feature."""
        source = x.columns[position].source
        if source is not None:
            known = self.categories.setdefault(source, [])
            known += [category for category in categories if category not in known]

    def note_framed(self, x: Value, position: int, categories: Sequence[Any]) -> None:
        """Note that the estimator takes the feature in this column only as pandas' category of these."""
        source = x.columns[position].source
        if source is not None:
            self.framed[source] = list(categories)

    def note_edges(self, x: Value, position: int, edges: np.ndarray[Any, Any]) -> None:
        """Note values in this column at which answers may jump, as values of its feature."""
        column = x.columns[position]
        edges = edges * column.multiply + column.add
        edges = edges[np.isfinite(edges)]  # no instance has an infinity
        if column.source is not None and len(edges):
            self.edges[column.source] = np.union1d(self.edges.get(column.source, np.empty(0)), edges)


def _stored(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array in a type that plans have: float64, int32, or a smaller one that a converter chose."""
    chosen = array.dtype in (np.uint8, np.uint16, np.uint32, np.int16)
    kept = array.dtype if chosen else np.float64 if array.dtype.kind == "f" else np.int32
    return np.ascontiguousarray(array, dtype=kept)


def dense(table: Any) -> Any:
    """Return a sparse or dense table as an array."""
    return table.toarray() if hasattr(table, "toarray") else np.asarray(table)


def plain(value: Any) -> Any:
    """Return a NumPy scalar as a Python value that JSON holds exactly; True and False become 1 and 0."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, bool) else value


def is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN or pandas' NA."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
