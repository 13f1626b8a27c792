"""Validate many instances at once as one array, column by column, with the same result as `validation.Validator`.

Anything unusual is left to the validator, which checks instance by instance and names the fault.
"""

# imports late: numpy

from _operator import itemgetter
from array import array
from itertools import chain

from flyweight.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.models.signature import Feature
    from flyweight.settings import Limits

NONE_TYPE = type(None)


def array_of(instances: "Any", features: "list[Feature]", limits: "Limits", ignores: bool = False) -> "Any | None":
    """Make an array of instances whose values are all plainly valid.

    :param instances: a list of lists or of objects by name, an array or a DataFrame.
    :param ignores: whether names that are no features are ignored.
    :returns: an array of shape (instances, features), float64 or, if a feature is a string, objects; None if the validator must
        check the instances one by one.
    """
    if not 0 < len(instances) <= limits.max_instances:
        return None
    try:
        whole = _whole(instances, features)
        if whole is not None:
            return whole if _sound(whole, features) else None
        columns = _columns(instances, features, ignores)
        return None if columns is None else _joined(columns, len(instances), features, limits)
    except (InvalidInput, KeyError, OverflowError, TypeError, ValueError):
        return None


def _whole(instances: "Any", features: "list[Feature]") -> "Any | None":
    """Convert instances that are numbers only, an array or lists of floats and integers, in one call; None for others."""
    import numpy as np

    width = len(features)
    if getattr(instances, "ndim", 0) == 2 and isinstance(instances, np.ndarray):
        fits = instances.dtype.kind in "fiu" and instances.shape[1] == width
        fits = fits and all(feature.kind in ("number", "boolean") for feature in features)
        return instances.astype(float, copy=False) if fits else None
    if not isinstance(instances, list) or any(feature.kind != "number" for feature in features):
        return None
    if {*map(type, instances)} != {list} or {*map(len, instances)} != {width}:
        return None
    flat = array("d")
    try:
        for instance in instances:
            flat.fromlist(instance)
    except TypeError:  # null, or a value that is not a number
        return None
    whole = np.frombuffer(flat).reshape(-1, width)
    # true and false were converted to 1 and 0, and are not numbers
    suspects = ((whole == 0.0) | (whole == 1.0)).any(axis=1).nonzero()[0].tolist()
    return None if bool in {*map(type, chain.from_iterable([instances[row] for row in suspects]))} else whole


def _columns(instances: "Any", features: "list[Feature]", ignores: bool) -> "list[Any] | None":
    """Split instances into one sequence of values for each feature, None for one that nothing reads; None if they do not fit."""
    names = [feature.name for feature in features]
    read = [feature.name if feature.kind != "unread" else None for feature in features]
    if hasattr(instances, "columns"):
        columns = instances.columns.tolist()
        fits = len({*columns}) == len(columns) and (ignores or {*columns} <= {*names})
        return [None if name is None else instances[name] for name in read] if fits else None
    if not isinstance(instances, list):
        return [*instances.T] if instances.ndim == 2 and instances.shape[1] == len(names) else None
    types = {*map(type, instances)}
    if types == {dict}:
        strict = {*map(len, instances)} == {len(names)}  # then a name that is no feature leaves one missing, but for unread ones
        if ignores or (strict and None not in read) or all(map({*names}.issuperset, instances)):
            return [None if name is None else [*map(itemgetter(name), instances)] for name in read]
        return None
    fits = types <= {list, tuple} and {*map(len, instances)} == {len(names)}
    return [*zip(*instances, strict=True)] if fits else None


def _joined(columns: "list[Any]", rows: int, features: "list[Feature]", limits: "Limits") -> "Any | None":
    """Join validated columns to one array of shape (rows, features); None if a number is not valid.

    :raises TypeError: as `_numbers` and `_strings`.
    """
    import numpy as np

    numbers = [position for position, feature in enumerate(features) if feature.kind != "string"]
    block = np.full((rows, len(numbers)), np.nan)
    for column, position in enumerate(numbers):
        if features[position].kind != "unread":
            read = _datetimes if features[position].kind == "datetime" else _numbers
            block[:, column] = read(columns[position], features[position])
    if not _sound(block, [features[position] for position in numbers]):
        return None
    if len(numbers) == len(features):
        return block
    table = np.empty((rows, len(features)), dtype=object)
    table[:, numbers] = block
    for position in {*range(len(features))}.difference(numbers):
        table[:, position] = _strings(columns[position], features[position], limits)
    return table


def _sound(numbers: "Any", features: "list[Feature]") -> bool:
    """Check that all numbers are finite or, in nullable columns, NaN, and that booleans are 0, 1 or NaN."""
    import numpy as np

    if not np.isfinite(numbers).all():
        if np.isinf(numbers).any() or np.isnan(numbers[:, [not feature.nullable for feature in features]]).any():
            return False
    flags = numbers[:, [feature.kind == "boolean" for feature in features]]
    return bool(((flags == 0.0) | (flags == 1.0) | np.isnan(flags)).all())


def _numbers(values: "Any", feature: "Feature") -> "Any":
    """Convert a column to floats, with NaN for null.

    :raises TypeError: a value is not a number, or not a boolean if the feature is one.
    """
    import numpy as np

    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in ("fiub" if feature.kind == "boolean" else "fiu"):
        return np.asarray(values, dtype=float)
    values = values if isinstance(values, (list, tuple)) else values.tolist()
    if not {*map(type, values)} <= {float, int, NONE_TYPE, *([bool] if feature.kind == "boolean" else [])}:
        raise TypeError
    return np.array(values, dtype=float)


def _datetimes(values: "Any", feature: "Feature") -> "Any":
    """Convert a column of datetimes to microseconds since 1970-01-01T00:00:00, with NaN for null, NaN and NaT.

    :raises TypeError: a datetime is finer than a microsecond, too far away, or has another zone than the feature.
    :raises ValueError: a value is no datetime.
    """
    import numpy as np

    from flyweight.models.datetimes import LIMIT, microseconds

    aware = getattr(getattr(values, "dtype", None), "tz", None) is not None  # a column of pandas
    if aware:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    dtype = getattr(values, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind != "M":
        listed = values if isinstance(values, (list, tuple)) else values.tolist()
        return [np.nan if value is None or value != value else microseconds(value, feature.zone) for value in listed]
    exact = np.asarray(values)
    coarse, absent = exact.astype("datetime64[us]"), np.isnat(exact)
    numbers = np.where(absent, np.nan, coarse.astype("int64").astype(float))
    if aware != (feature.zone == "UTC") or (coarse.astype(dtype) != exact)[~absent].any() or (np.abs(numbers) > LIMIT).any():
        raise TypeError
    return numbers


def _strings(values: "Any", feature: "Feature", limits: "Limits") -> "Sequence[str | None]":
    """Convert a column of strings, with None for null and NaN.

    :raises TypeError: a value is not a string, too long, or missing if the feature is not nullable.
    """
    if hasattr(values, "entries"):  # each different text once
        import numpy as np

        entries = np.empty(len(values.entries), dtype=object)
        entries[:] = _strings(values.entries, feature, limits)
        return entries.take(values.codes)  # type: ignore[no-any-return]
    texts: list[Any] | tuple[Any, ...] = values if isinstance(values, (list, tuple)) else values.tolist()
    if {*map(type, texts)} != {str}:
        texts = [None if value is None or value != value else value for value in texts]
        if not {*map(type, texts)} <= ({str, NONE_TYPE} if feature.nullable else {str}):
            raise TypeError
    if max(map(len, filter(None, texts)), default=0) > limits.max_string_length:
        raise TypeError
    return texts


def suspects(table: "Any", required: "list[bool]") -> "list[int]":
    """List the rows of a float array that hold infinity, or NaN in a required column.

    :param table: of shape (rows, features).
    :param required: one flag for each column: whether a value must be present.
    """
    import numpy as np

    flagged = np.isinf(table).any(axis=1) | np.isnan(table[:, required]).any(axis=1)
    rows: list[int] = np.flatnonzero(flagged).tolist()
    return rows
