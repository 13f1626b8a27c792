"""Run a foreign model, one without a plan: read its bytes from the file, check its outputs, and try it before any request."""

import numpy as np

from flyweight.errors import Fault, FlyweightError, InvalidInput, ModelRefused, preview
from flyweight.models.signature import MAX_FEATURES
from flyweight.models.validation import Validator
from flyweight.settings import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile
    from flyweight.models.signature import Signature

    Array = np.ndarray[Any, Any]

OUTPUTS = ("index", "values", "probabilities", "scores", "score_samples", "transformed")


class Engine:
    """An engine over one blob of the file, which answers whole tables; a subclass has `answers`.

    `KEY`: the document's entry about the model; `BLOB`: the tensor with its bytes; `REFUSALS`: the errors by which its library
    refuses rows.

    :raises ModelRefused: the entry does not have the widths of the outputs.
    """

    KEY, BLOB = "", ""
    REFUSALS: "tuple[type[Exception], ...]" = ()

    def __init__(self, file: "ModelFile") -> None:
        self.signature = file.signature
        spec = file.document.get(self.KEY)
        self.spec: dict[str, Any] = spec if isinstance(spec, dict) else {}
        self.widths = _widths(self.spec.get("outputs"))
        classes = self.signature.classes
        self.choices = None if classes is None else [len(labels) for labels in classes]
        self._positions = [{label: position for position, label in enumerate(labels)} for labels in classes or []]

    if TYPE_CHECKING:

        def answers(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "dict[str, Any]":
            """Return each named output as an array with one row an instance; `index` as labels, in one column an output."""
            ...

    def outputs(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[list[list[Any]]]":
        """Compute the named outputs in their order, each as one list a row.

        :raises InvalidInput: the model refuses a row; the fault has its number.
        :raises ModelRefused: an answer is not of the form that the file promises.
        """
        try:
            answers = self.answers(rows, names)
        except self.REFUSALS as error:
            number, reason = self._first_refused(rows, names, 0, error)
            raise InvalidInput(
                Fault("a row that the model takes", "one that it does not", number, hint=_first_line(reason))
            ) from error
        return [self._table(name, answers[name], len(rows)) for name in names]

    def named_outputs(self) -> "dict[str, str]":
        """Return the model's own names of outputs, by our names, where the file has one.

        :raises ModelRefused: a name is not a string.
        """
        names = {name: spec["name"] for name, spec in self.spec["outputs"].items() if isinstance(spec, dict) and "name" in spec}
        if not all(isinstance(name, str) for name in names.values()):
            raise ModelRefused(f"a name of the {self.KEY} model's outputs is not a string")
        return names

    def try_out(self, file: "ModelFile") -> None:
        """Answer the file's own sample, or an empty row, so that a model that can't work is refused before any request.

        :raises ModelRefused: the model refuses the sample, or an answer is not of the form that the file promises.
        """
        rows = _sample(file.document.get("sample"), self.signature)
        try:
            self.outputs(rows or [_empty(self.signature)], tuple(self.widths))
        except InvalidInput as error:
            if rows:
                raise ModelRefused(f"the {self.KEY} model refuses the file's own sample: {error}") from error

    def _first_refused(self, rows: "Any", names: "Any", start: int, error: Exception) -> "tuple[int, Exception]":
        """Find the first row that the model refuses, by halving: twice the work of the batch, instead of one call a row.

        :param start: the number of the first of `rows`.
        :param error: the refusal of `rows`.
        :returns: the number of the row, and its refusal.
        """
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
        """Return an answer as one list a row.

        :raises ModelRefused: it has another shape than the file promises, or is not of numbers.
        """
        table = as_table(answer)
        if table.shape != (count, self.widths[name]):
            raise ModelRefused(f"the {self.KEY} model gives {name} of shape {table.shape}, not {(count, self.widths[name])}")
        if name == "index":
            return [self._indices(labels) for labels in table.tolist()]
        if table.dtype.kind not in "fiub":
            raise ModelRefused(f"the {self.KEY} model gives {name} that are not numbers")
        values: list[list[Any]] = table.astype(float).tolist()
        return values

    def _indices(self, labels: "list[Any]") -> "list[int]":
        """Return the positions of a row's labels among the classes.

        :raises ModelRefused: the signature does not list a label.
        """
        try:
            return [positions[label] for positions, label in zip(self._positions, labels, strict=True)]
        except (KeyError, TypeError, ValueError):
            known = preview(", ".join(str(label) for positions in self._positions for label in positions))
            raise ModelRefused(
                f"the {self.KEY} model answers {preview(str(labels))}, which the file does not list: its classes are {known}",
                "pack the model again; for a graph name the labels as it gives them, in order: --classes a,b,c",
            ) from None


def blob(file: "ModelFile", name: str) -> bytes:
    """Return the bytes of a foreign model.

    :raises ModelRefused: the file has no bytes under this name.
    """
    tensor = file.tensors.get(name)
    if tensor is None or tensor.dtype != "U8" or len(tensor.shape) != 1 or not tensor.shape[0]:
        raise ModelRefused(f"the file has no bytes of an {name} model")
    return bytes(tensor.values)


def as_table(answer: "Any") -> "Array":
    """Return a library's answer as a two-dimensional array; several tables, one an output, are put side by side."""
    if isinstance(answer, list):
        return np.hstack([as_table(part) for part in answer]) if answer else np.empty((0, 0))
    array = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    table: Array = array.reshape(-1, 1) if array.ndim == 1 else array
    return table


def with_complement(answer: "Any", outputs: int, width: int) -> "Any":
    """Return one probability a class.

    :param answer: one probability a class, which is returned as it is, or one an output, of the second of its two classes.
    :param outputs: the number of outputs.
    :param width: the number of classes of all outputs.
    """
    table = as_table(answer)
    if width != 2 * outputs or table.shape[1:] != (outputs,):
        return table
    return np.stack([1 - table, table], axis=2).reshape(len(table), width)


def likeliest(answer: "Any", labels: "list[Any]") -> "Array":
    """Return the label of each row's largest value, the first of equals.

    :param answer: one value a class, or of two classes the second one's probability.
    :raises ModelRefused: there is another number of values.
    """
    table = with_complement(answer, 1, len(labels))
    if table.ndim != 2 or table.shape[1] != len(labels):
        raise ModelRefused(f"the model gives values of shape {table.shape} for {len(labels)} classes")
    chosen = np.empty((len(table), 1), dtype=object)
    chosen[:, 0] = [labels[position] for position in table.argmax(axis=1).tolist()]
    return chosen


def _widths(outputs: "Any") -> "dict[str, int]":
    """Return the width of each output.

    :raises ModelRefused: there is no output, or a name or width is not valid.
    """
    known = isinstance(outputs, dict) and all(name in OUTPUTS for name in outputs)
    items = outputs.items() if known else ()
    widths: dict[str, Any] = {name: spec.get("width") if isinstance(spec, dict) else spec for name, spec in items}
    if not widths or any(type(width) is not int or not 1 <= width <= MAX_FEATURES for width in widths.values()):
        raise ModelRefused("the file does not list the outputs of its foreign model with their widths")
    return widths


def _sample(sample: "Any", signature: "Signature") -> "list[list[Any]]":
    """Return the first rows of the file's sample; [] if it is malformed, which `/ready` reports."""
    instances = sample.get("instances") if isinstance(sample, dict) else None
    try:
        return Validator(signature, Limits()).rows(instances[:3]) if isinstance(instances, list) else []
    except FlyweightError:
        return []


def _empty(signature: "Signature") -> "list[Any]":
    """Return a row of zeros, empty strings and first categories."""
    row: list[Any] = []
    for feature in signature.features:
        known = [category for category in feature.categories or [] if isinstance(category, str)]
        row.append(np.nan if feature.kind == "unread" else 0.0 if feature.kind != "string" else known[0] if known else "")
    return row


def _first_line(error: Exception) -> "str | None":
    """Return the first line of a library's message about its input; None unless it is a plain ValueError, meant for readers."""
    lines = str(error).strip().splitlines() if type(error) is ValueError else []
    return lines[0][:200] if lines else None
