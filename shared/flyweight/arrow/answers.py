"""Write the outputs of a model as arrays of Arrow, and their schema."""

# imports late: numpy, pyarrow

from array import array
from itertools import chain

from flyweight.arrow.buffers import integers, texts, to_arrow
from flyweight.formats.json import RECORD_FIELDS
from flyweight.predictor import OUTPUTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from flyweight.predictor import Predictor


class Answers:
    """The columns of a model's answers; `schema` is their schema, and `sources` the outputs of the plan that they read.

    :param outputs: some of the model's outputs; None for the default ones.
    :raises InvalidInput: the model does not have one of them.
    """

    def __init__(self, model: "Predictor", outputs: "list[str] | None") -> None:
        import pyarrow as pa

        self.sources, fields = model.selection(outputs)
        names = [OUTPUTS[position] for position, _ in fields]
        self._columns = [_Column(model, name, read) for name, (_, read) in zip(names, fields, strict=True)]
        kinds = [(RECORD_FIELDS[name], column.kind) for name, column in zip(names, self._columns, strict=True)]
        self.schema = pa.schema(kinds)

    def columns(self, values: "list[Any]", answered: "Sequence[int]", count: int) -> "list[Any]":
        """Make one array for each output, with null for rows without an answer.

        :param values: for each output one list or array of the rows with answers; [] if there are none.
        :param answered: the number in the batch of each row with an answer.
        :param count: the rows of the batch.
        """
        import pyarrow as pa

        if not values:
            return [pa.nulls(count, column.kind) for column in self._columns]
        made = [column.made(own) for column, own in zip(self._columns, values, strict=True)]
        if len(answered) == count:
            return made
        places: list[int | None] = [None] * count
        for at, place in enumerate(answered):
            places[place] = at
        taken = integers(places)
        return [column.take(taken) for column in made]


class _Column:
    """Makes the arrays of one output, of the Arrow type `kind`."""

    def __init__(self, model: "Predictor", name: str, read: "Callable[[Any], Any] | None") -> None:
        self.kind, self._read = type_of(model, name), read
        classes = model.signature.classes if name == "predictions" else None
        self._labels = _label_array(classes[0], self.kind) if classes is not None and len(classes) == 1 else None
        self._listed = classes is not None and len(classes) > 1

    def made(self, values: "Any") -> "Any":
        """Make an array; numbers of NumPy and labels are not made into objects of Python.

        :param values: one list or array a row.
        """
        import pyarrow as pa

        kind = self.kind
        if isinstance(values, list) or values.dtype == object:
            return self._of_list(values if isinstance(values, list) else values.tolist())
        if self._labels is not None:
            return self._labels.take(to_arrow(values[:, 0].astype("int64")))
        if pa.types.is_floating(kind):
            return to_arrow(values[:, 0].astype(float, copy=False))
        if self._listed or pa.types.is_nested(kind.value_type) or not values.shape[1]:
            return self._of_list(values.tolist())
        return pa.ListArray.from_arrays(to_arrow(_ends(*values.shape)), to_arrow(values.reshape(-1).astype(float, copy=False)))

    def _of_list(self, rows: "list[Any]") -> "Any":
        import pyarrow as pa

        return pa.array(rows if self._read is None else self._read(rows), self.kind)


def type_of(model: "Predictor", name: str) -> "Any":
    """Choose the Arrow type of an output."""
    import pyarrow as pa

    signature, number = model.signature, pa.float64()
    if name == "score_samples" or (name == "predictions" and signature.task == "regression" and signature.outputs == 1):
        return number
    several = signature.classes is not None and len(signature.classes) > 1
    if name == "predictions" and signature.classes is not None:
        label = _label_type(signature.classes)
        return pa.list_(label) if several else label
    if several and name in ("probabilities", "scores"):
        return pa.list_(pa.list_(number))
    plan = getattr(model.engine, "plan", None)
    is_text = plan is not None and "s" in plan.kinds[plan.slots.get("values" if name == "predictions" else name, 0)]
    return pa.list_(pa.string() if is_text and name in ("predictions", "transformed") else number)


def joined(parts: "Sequence[Any]") -> "Any":
    """Join the rows of several batches, all of them lists or all of them arrays."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], list):
        return [*chain.from_iterable(parts)]
    import numpy as np

    return np.concatenate(parts)


def _ends(rows: int, width: int) -> "Any":
    """Make the offsets of lists of one length."""
    import numpy as np

    return np.arange(0, rows * width + 1, width, dtype=np.int32)


def _label_type(classes: "list[list[Any]]") -> "Any":
    """Find the type that all labels have; texts where they have none."""
    import pyarrow as pa

    labels = [*chain.from_iterable(classes)]
    kinds = {*map(type, labels)}
    if kinds == {str}:
        return pa.string()
    if kinds == {int}:
        low, high = min(labels), max(labels)
        if low >= -(1 << 63) and high < 1 << 63:
            return pa.int64()
        return pa.uint64() if low >= 0 and high < 1 << 64 else pa.string()
    try:
        return pa.array(labels).type
    except pa.ArrowException:
        return pa.string()


def _label_array(labels: "list[Any]", kind: "Any") -> "Any":
    """Make the array of all labels; of texts and integers without `pyarrow.array`, which imports pandas."""
    import pyarrow as pa

    if pa.types.is_string(kind):
        return texts([*map(str, labels)])
    if pa.types.is_int64(kind):
        return pa.Array.from_buffers(kind, len(labels), [None, pa.py_buffer(array("q", labels))])
    return pa.array(labels, kind)
