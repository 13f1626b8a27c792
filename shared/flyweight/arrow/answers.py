"""Write the outputs of a model as arrays of Arrow, and their schema."""

# imports late: numpy, pyarrow

from itertools import chain

from flyweight.formats.json import RECORD_FIELDS
from flyweight.predictor import OUTPUTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from flyweight.predictor import Predictor

    Fields = list[tuple[int, Callable[[Any], Any] | None]]  # as `Predictor.selection` gives them


def schema(model: "Predictor", outputs: "list[str] | None") -> "Any":
    """Make the schema of a model's outputs.

    :param outputs: some of the model's outputs; None for the default ones.
    :raises InvalidInput: the model does not have one of them.
    """
    import pyarrow as pa

    names = [OUTPUTS[position] for position, _ in model.selection(outputs)[1]]
    return pa.schema([(RECORD_FIELDS[name], type_of(model, name)) for name in names])


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
    texts = plan is not None and "s" in plan.kinds[plan.slots.get("values" if name == "predictions" else name, 0)]
    return pa.list_(pa.string() if texts and name in ("predictions", "transformed") else number)


def columns(model: "Predictor", values: "list[Any]", fields: "Fields", answered: "Sequence[int]", count: int) -> "list[Any]":
    """Make one array for each output, with null for rows without an answer.

    :param values: for each output one list or array of the rows with answers; [] if there are none.
    :param fields: the position of each output among all, and what reads its values.
    :param answered: the number in the batch of each row with an answer.
    :param count: the rows of the batch.
    """
    import pyarrow as pa

    made = []
    for number, (position, read) in enumerate(fields):
        kind = type_of(model, OUTPUTS[position])
        array = _array(values[number], read, kind, model, position) if values else pa.array([], kind)
        if len(answered) != count:
            places: list[int | None] = [None] * count
            for at, place in enumerate(answered):
                places[place] = at
            array = array.take(pa.array(places, pa.int64()))
        made.append(array)
    return made


def joined(parts: "Sequence[Any]") -> "Any":
    """Join the rows of several batches, all of them lists or all of them arrays."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], list):
        return [*chain.from_iterable(parts)]
    import numpy as np

    return np.concatenate(parts)


def _array(values: "Any", read: "Callable[[Any], Any] | None", kind: "Any", model: "Predictor", position: int) -> "Any":
    """Make the array of one output; numbers of NumPy and labels are not made into objects of Python."""
    import pyarrow as pa

    if isinstance(values, list) or values.dtype == object:
        listed = values if isinstance(values, list) else values.tolist()
        return pa.array(listed if read is None else read(listed), kind)
    classes = model.signature.classes
    if OUTPUTS[position] == "predictions" and classes is not None:
        if len(classes) == 1:
            return pa.array(_labels(classes)[0], kind).take(pa.array(values[:, 0].astype("int64")))
        return pa.array(read(values.tolist()) if read else values.tolist(), kind)
    if pa.types.is_floating(kind):
        return pa.array(values[:, 0])
    if pa.types.is_nested(kind.value_type):
        return pa.array(read(values.tolist()) if read else values.tolist(), kind)
    offsets = pa.array(range(0, values.size + 1, values.shape[1]), pa.int32()) if values.shape[1] else None
    return pa.array(values.tolist(), kind) if offsets is None else pa.ListArray.from_arrays(offsets, pa.array(values.reshape(-1)))


def _label_type(classes: "list[list[Any]]") -> "Any":
    """Find the type that all labels have; texts where they have none."""
    import pyarrow as pa

    try:
        return pa.array([*chain.from_iterable(classes)]).type
    except pa.ArrowException:
        return pa.string()


def _labels(classes: "list[list[Any]]") -> "list[list[Any]]":
    import pyarrow as pa

    texts = pa.types.is_string(_label_type(classes))
    return [[str(label) for label in labels] for labels in classes] if texts else classes
