"""Labels as JSON can hold them: datetimes become ISO 8601 text, and what has no such form is refused by name."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from flyweight.toolkit.convert.draft import ConversionRefused, is_missing, plain

DATES = ("datetime64[D]", "datetime64[W]", "datetime64[M]", "datetime64[Y]")  # their labels are days, without a time

# type of a label -> what to do
REFUSED = {
    "bytes": "decode them, as y = numpy.char.decode(y), and fit it again",
    "timedelta": "turn them into numbers, as y.dt.total_seconds(), and fit it again",
    "tuple": "join each tuple into one string, and fit it again",
}


def json_labels(labels: Any) -> Any:
    """Return an array of labels, the datetimes among them as text; any other array as it is."""
    array = labels if isinstance(labels, np.ndarray) else np.asarray(labels)
    if array.dtype.kind == "M":
        unit: Any = "D" if array.dtype.name in DATES else _unit(array.dtype)
        return np.datetime_as_string(array, unit=unit).astype(object)
    if array.dtype.kind == "O" and any(isinstance(label, date) for label in array.ravel()):
        texts = [label.isoformat() if isinstance(label, date) and not is_missing(label) else label for label in array.ravel()]
        return np.array(texts, dtype=object).reshape(array.shape)
    return array


def classes_in_json(labels: Any, cls: str) -> list[Any]:
    """List classes as a signature holds them.

    :param cls: the name of the estimator's class.
    :raises ConversionRefused: a class has no form in JSON.
    """
    classes = [label if isinstance(label, bool) else plain(label) for label in json_labels(labels).tolist()]
    broken = next((label for label in classes if isinstance(label, str) and not label.isprintable() and _is_broken(label)), None)
    if broken is not None:
        helps = "JSON can't hold half of a surrogate pair; decode the labels by their right encoding, and fit it again"
        raise ConversionRefused("", cls, f"its label {broken!a:.80} is no text of Unicode: {helps}")
    odd = next((label for label in classes if not isinstance(label, (str, int, float, bool))), None)
    if odd is not None:
        kind = type(odd).__name__
        helps = REFUSED.get(kind, "use strings or numbers for labels, and fit it again")
        raise ConversionRefused("", cls, f"its labels are of type {kind} ({odd!r:.80}), which JSON can't hold; {helps}")
    return classes


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _unit(dtype: Any) -> str:
    """Return the unit to which the text of a datetime goes: seconds, or the fraction that the type holds."""
    unit = np.datetime_data(dtype)[0]
    return unit if unit in ("ms", "us", "ns", "ps", "fs", "as") else "s"
