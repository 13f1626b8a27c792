"""What engines that run no plan share: their bytes in the file, the outputs that they promise, a trial before any request."""

import numpy as np

from flyweight.errors import Fault, InvalidInput, ModelRefused, preview
from flyweight.models.signature import MAX_FEATURES, Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile

    Array = np.ndarray[Any, Any]

OUTPUTS = ("index", "values", "probabilities", "scores", "score_samples", "transformed")


class Engine:
    """An engine over one blob of the file, asked for whole tables; a subclass says what it asks in `answers`.

    `KEY`: the document's entry about it; `BLOB`: the tensor that holds its bytes; `REFUSALS`: what its library raises over rows
    that it does not take.
    """

    KEY, BLOB = "", ""
    REFUSALS: "tuple[type[Exception], ...]" = ()

    def __init__(self, file: "ModelFile") -> None:
        self.signature = Signature.of(file.document)
        told = file.document.get(self.KEY)
        self.spec: dict[str, Any] = told if isinstance(told, dict) else {}
        self.widths = _widths(self.spec.get("outputs"))
        classes = self.signature.classes
        self.choices = None if classes is None else [len(labels) for labels in classes]
        self._positions = [{label: position for position, label in enumerate(labels)} for labels in classes or []]

    if TYPE_CHECKING:

        def answers(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "dict[str, Any]":
            """Each of these outputs as an array of one row an instance; `index` as labels, in one column an output."""
            ...

    def outputs(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[list[list[Any]]]":
        """These outputs in their order, each with one list an instance.

        :raises InvalidInput: a row that the model does not take; the fault says which.
        :raises ModelRefused: what came out is not what the file promises.
        """
        try:
            given = self.answers(rows, names)
        except self.REFUSALS as error:
            number, reason = self._first_refused(rows, names, 0, error)
            raise InvalidInput(
                Fault("a row that the model takes", "one that it does not", number, hint=_words(reason))
            ) from error
        return [self._table(name, given[name], len(rows)) for name in names]

    def named_outputs(self) -> "dict[str, str]":
        """Per output of ours the model's own name for it, where the file tells one.

        :raises ModelRefused: a name that is none.
        """
        told = {name: spec["name"] for name, spec in self.spec["outputs"].items() if isinstance(spec, dict) and "name" in spec}
        if not all(isinstance(name, str) for name in told.values()):
            raise ModelRefused(f"the {self.KEY} model's outputs have names that are none")
        return told

    def try_out(self, file: "ModelFile") -> None:
        """Answer the file's own sample, or a row of nothing, so that what can't work is refused before any request.

        :raises ModelRefused: it does not answer, or not with what the file promises.
        """
        rows = _sample(file.document.get("sample"), self.signature)
        try:
            self.outputs(rows or [_empty(self.signature)], tuple(self.widths))
        except InvalidInput as error:
            if rows:
                raise ModelRefused(f"the {self.KEY} model refuses the file's own sample: {error}") from error

    def _first_refused(self, rows: "Any", names: "Any", start: int, error: Exception) -> "tuple[int, Exception]":
        """The first row that is refused, by halves: twice the work of the batch, and not one call a row."""
        while len(rows) > 1:
            half = len(rows) // 2
            try:
                self.answers(rows[:half], names)
            except self.REFUSALS as earlier:
                rows, error = rows[:half], earlier
            else:
                rows, start = rows[half:], start + half
        return start, error

    def _table(self, name: str, answer: "Any", count: int) -> "list[list[Any]]":
        table = as_table(answer)
        if table.shape != (count, self.widths[name]):
            raise ModelRefused(f"the {self.KEY} model gives {name} of shape {table.shape}, not {(count, self.widths[name])}")
        if name == "index":
            return [self._indices(labels) for labels in table.tolist()]
        if table.dtype.kind not in "fiub":
            raise ModelRefused(f"the {self.KEY} model gives {name} that are no numbers")
        values: list[list[Any]] = table.astype(float).tolist()
        return values

    def _indices(self, labels: "list[Any]") -> "list[int]":
        try:
            return [positions[label] for positions, label in zip(self._positions, labels, strict=True)]
        except (KeyError, TypeError, ValueError):
            raise ModelRefused(f"the {self.KEY} model answers {preview(str(labels))}, which the file does not list") from None


def blob(file: "ModelFile", name: str) -> bytes:
    """The bytes of a foreign model.

    :raises ModelRefused: the file has none under this name.
    """
    tensor = file.tensors.get(name)
    if tensor is None or tensor.dtype != "U8" or len(tensor.shape) != 1 or not tensor.shape[0]:
        raise ModelRefused(f"the file has no bytes of an {name} model")
    return bytes(tensor.values)


def as_table(answer: "Any") -> "Array":
    """Whatever a library gives as a two-dimensional array; several tables (one an output) side by side."""
    if isinstance(answer, list):
        return np.hstack([as_table(part) for part in answer]) if answer else np.empty((0, 0))
    array = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    table: Array = array.reshape(-1, 1) if array.ndim == 1 else array
    return table


def with_complement(answer: "Any", outputs: int, width: int) -> "Any":
    """One probability an output, of the second of its two classes, as both; a probability a class as it is."""
    table = as_table(answer)
    if width != 2 * outputs or table.shape[1:] != (outputs,):
        return table
    return np.stack([1 - table, table], axis=2).reshape(len(table), width)


def likeliest(answer: "Any", labels: "list[Any]") -> "Array":
    """The label of the largest value, the first of several; of two classes with one probability, whether it is above a half.

    :raises ModelRefused: the values are not one a class.
    """
    table = with_complement(answer, 1, len(labels))
    if table.ndim != 2 or table.shape[1] != len(labels):
        raise ModelRefused(f"the model gives values of shape {table.shape} for {len(labels)} classes")
    chosen = np.empty((len(table), 1), dtype=object)
    chosen[:, 0] = [labels[position] for position in table.argmax(axis=1).tolist()]
    return chosen


def _widths(told: "Any") -> "dict[str, int]":
    told = told.items() if _named(told) else ()
    widths: dict[str, Any] = {name: spec.get("width") if isinstance(spec, dict) else spec for name, spec in told}
    if not widths or any(type(width) is not int or not 1 <= width <= MAX_FEATURES for width in widths.values()):
        raise ModelRefused("the file does not say what its foreign model gives")
    return widths


def _named(told: "Any") -> bool:
    return isinstance(told, dict) and all(name in OUTPUTS for name in told)


def _sample(sample: "Any", signature: Signature) -> "list[list[Any]]":
    """The rows of the file's sample; none where it is malformed, which `/ready` will tell."""
    instances = sample.get("instances") if isinstance(sample, dict) else None
    if not isinstance(instances, list) or not all(isinstance(instance, dict) for instance in instances):
        return []
    rows = [[instance.get(feature.name) for feature in signature.features] for instance in instances[:3]]
    sound = all(_fits(value, kind) for row in rows for value, kind in zip(row, signature.kinds, strict=True))
    return [[_value(value, kind) for value, kind in zip(row, signature.kinds, strict=True)] for row in rows] if sound else []


def _fits(value: "Any", kind: str) -> bool:
    return value is None or (isinstance(value, str) if kind == "s" else isinstance(value, (int, float)) and abs(value) < 2**1023)


def _value(value: "Any", kind: str) -> "Any":
    return value if kind == "s" else float("nan") if value is None else float(value)


def _empty(signature: Signature) -> "list[Any]":
    row: list[Any] = []
    for feature in signature.features:
        known = [category for category in feature.categories or [] if isinstance(category, str)]
        row.append(0.0 if feature.kind != "string" else known[0] if known else "")
    return row


def _words(error: Exception) -> "str | None":
    """The first line of what a library said of the input, where it is a plain ValueError and so meant to be read."""
    lines = str(error).strip().splitlines() if type(error) is ValueError else []
    return lines[0][:200] if lines else None
