"""Read record batches of Arrow as the rows of a model, and find the rows that do not fit its signature."""

from flyweight.arrow.buffers import LETTERS, to_numpy
from flyweight.errors import Fault, InvalidInput
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
    (table,) = tables.blocks_of(_Batch(batch), features, True, limits.max_instances)  # also of no rows, whose columns are checked
    if not batch.num_rows:
        return [], [], {}
    try:
        rows = arrays.array_of(table, features, limits, True)
    except ImportError:  # without NumPy
        rows = None
    if rows is not None:
        return rows, range(batch.num_rows), {}
    return _by_row(table, model)


class _Batch:
    """A record batch whose numbers and texts are read from Arrow's memory."""

    def __init__(self, batch: "Any") -> None:
        self.schema, self.num_rows, self._batch = batch.schema, batch.num_rows, batch

    def column(self, place: int) -> "Any":
        """Get a column: an array of NumPy, texts by their codes, a list without NumPy, or the one of Arrow."""
        try:
            return self._read(self._batch.column(place))
        except UnicodeDecodeError as error:
            raise InvalidInput(Fault("texts of UTF-8", str(error), feature=self.schema.names[place])) from None

    def _read(self, column: "Any") -> "Any":
        kind = str(column.type.value_type if hasattr(column.type, "index_type") else column.type)
        values = _texts(column) if kind in tables.TEXTS else to_numpy(column)
        if values is None and (kind in LETTERS or kind in tables.TEXTS):
            return column.to_pylist()
        return column if values is None else values


def _texts(column: "Any") -> "tables.Texts | None":
    """Read texts by their codes; a dictionary that is longer than the column is made anew. None without NumPy."""
    if hasattr(column, "indices") and len(column.dictionary) > len(column):
        column = column.dictionary_decode()
    if not hasattr(column, "indices"):
        column = column.dictionary_encode()
    entries, codes = column.dictionary.to_pylist(), to_numpy(column.indices)
    if codes is None:
        return None
    if column.indices.null_count:
        codes[codes != codes] = len(entries)
        codes = codes.astype(int)
        entries.append(None)
    return tables.Texts(entries, codes)


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
    read = [{name: row[name] for name in names if name in row} if hasattr(row, "__contains__") else row for row in rows]
    return _by_row(read, model)


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
