"""Read record batches of Arrow as the rows of a model, and find the rows that do not fit its signature."""

from flyweight.errors import InvalidInput
from flyweight.models import arrays, tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from flyweight.predictor import Predictor


def read(batch: "Any", model: "Predictor") -> "tuple[Any, Sequence[int], dict[int, InvalidInput]]":
    """Read the columns of the features; other columns are ignored.

    :param batch: a record batch of Arrow.
    :returns: the rows that fit the signature, of shape (rows, features), a list or an array; the number of each in the batch; and
        the errors of the others by their number.
    :raises InvalidInput: a column is missing, is there twice, or holds values of no kind that a feature has.
    """
    features, limits = model.signature.features, model.validator.limits
    (table,) = tables.blocks_of(batch, features, True, limits.max_instances)  # also of no rows, whose columns are checked
    if not batch.num_rows:
        return [], [], {}
    try:
        rows = arrays.array_of(table, features, limits, True)
    except ImportError:  # without NumPy
        rows = None
    if rows is not None:
        return rows, range(batch.num_rows), {}
    return _by_row(table, model)


def read_rows(rows: "Sequence[dict[str, Any]]", model: "Predictor") -> "tuple[Any, Sequence[int], dict[int, InvalidInput]]":
    """Read rows that are dicts by column; names that are no features are ignored.

    :returns: as `read`.
    """
    if not rows:
        return [], [], {}
    features, limits = model.signature.features, model.validator.limits
    try:
        array = arrays.array_of(rows if isinstance(rows, list) else [*rows], features, limits, True)
    except ImportError:  # without NumPy
        array = None
    if array is not None:
        return array, range(len(rows)), {}
    names = [feature.name for feature in features]
    return _by_row([{name: row[name] for name in names if name in row} for row in rows], model)


def _by_row(rows: "Iterable[Any]", model: "Predictor") -> "tuple[Any, Sequence[int], dict[int, InvalidInput]]":
    """Check rows one by one."""
    fitting: list[list[Any]] = []
    places: list[int] = []
    faults: dict[int, InvalidInput] = {}
    for place, row in enumerate(rows):
        try:
            fitting += model.validator.rows(tables.cleaned([row]))
            places.append(place)
        except InvalidInput as error:
            faults[place] = InvalidInput(*[fault._replace(instance=place) for fault in error.faults])
    return fitting, places, faults
