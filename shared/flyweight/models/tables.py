"""Read the tables of other libraries as instances: NumPy, SciPy, pandas, Arrow and polars, dicts of columns, bare lists of texts.

No library is imported here: an object shows by its attributes how it gives its values. What comes out is what the same table
gives as a list of Python values, so that every form of a table has the same answers.
"""

from itertools import chain

from flyweight.errors import Fault, InvalidInput, TooLarge, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from flyweight.models.signature import Feature

PLAIN = frozenset((float, int, str, bool, type(None)))
MISSING = frozenset(("NAType", "NaTType", "MaskedConstant"))  # pandas' NA and NaT, NumPy's masked
EXACT = frozenset(("Decimal", "Fraction"))  # numbers that are no floats
BLOCK_CELLS = 4_000_000  # of a sparse matrix that are spread at once: about 130 MB as lists
TEXTS = frozenset(("string", "large_string"))  # Arrow's types
EXPECTED = "a table: rows as lists or as dicts by feature name, or a DataFrame, an array or a dict of columns"


class _Names(list):  # type: ignore[type-arg]
    def tolist(self) -> "list[str]":
        """List the names, like pandas' `Index.tolist`."""
        return [*self]


class Columns:
    """A table stored by column. Rows are built only when a caller asks for them."""

    def __init__(self, names: "list[str]", values: "Sequence[Any]") -> None:
        """Store columns of equal length, of which there is at least one; each is a list, or an array."""
        self._names, self._values = names, values
        self._by_name = dict(zip(names, values, strict=True))

    @property
    def columns(self) -> "_Names":
        """Get the column names."""
        return _Names(self._names)

    def __getitem__(self, name: str) -> "Any":
        return self._by_name[name]

    def __len__(self) -> int:
        return len(self._values[0])

    def __iter__(self) -> "Iterator[list[Any]]":
        return map(list, zip(*map(_to_list, self._values), strict=True))

    def tolist(self) -> "list[list[Any]]":
        """List the rows."""
        return [*self]


class Texts:
    """A column of texts as Arrow keeps it: its different values, `entries`, and for each row the place of its value, `codes`."""

    def __init__(self, entries: "list[Any]", codes: "Any") -> None:
        self.entries, self.codes = entries, codes

    @classmethod
    def of(cls, column: "Any") -> "Texts":
        """Read an array of Arrow, of dictionaries."""
        entries, places = column.dictionary.to_pylist(), column.indices
        if places.null_count:
            places = places.fill_null(len(entries))
            entries.append(None)
        return cls(entries, places.to_numpy(zero_copy_only=False))

    def __len__(self) -> int:
        return len(self.codes)

    def tolist(self) -> "list[Any]":
        """List the values of the rows."""
        return [*map(self.entries.__getitem__, self.codes.tolist())]


def blocks_of(table: "Any", features: "list[Feature]", ignores: bool, max_instances: int) -> "Iterator[Any]":
    """Read any table as instances: one block, or several for a sparse matrix, which is spread piece by piece.

    :param ignores: whether columns that are no features are ignored; else they are an error.
    :returns: lists of instances, `Columns` in the order of the features, or arrays of numbers.
    :raises InvalidInput: it is no table, or its columns are not the features.
    :raises TooLarge: a sparse matrix has more rows than `max_instances`.
    """
    if not hasattr(table, "toarray"):
        yield _instances(table, features, ignores)
        return
    count = table.shape[0] if len(table.shape) == 2 else 0
    if count > max_instances:
        raise TooLarge(f"{count} instances, the limit is {max_instances} a request")
    rows = table.tocsr() if count else table
    blocks = max(1, -(-count * len(features) // BLOCK_CELLS))
    for block in range(blocks):
        yield _of_array(rows[block * count // blocks : (block + 1) * count // blocks].toarray(), features, ignores)


def cleaned(instances: "list[Any]") -> "list[Any]":
    """Replace what other libraries put into rows: their scalars and marks of missing values, and names that are not texts."""
    return [
        {str(name): plain(value) for name, value in instance.items()}
        if isinstance(instance, dict)
        else [plain(value) for value in instance]
        if isinstance(instance, (list, tuple))
        else instance
        for instance in instances
    ]


def by_column(instances: "list[Any]", features: "list[Feature]") -> "Any":
    """Read lists that hold values of other libraries column by column, since an array of floats takes even a date of NumPy.

    :returns: `Columns`; the instances themselves if their values are Python's own, or if they are not lists of the right width.
    """
    if {*map(type, instances)} != {list} or {*map(len, instances)} != {len(features)}:
        return instances
    if PLAIN.issuperset(map(type, chain.from_iterable(instances))):
        return instances
    return Columns([feature.name for feature in features], [_listed([*column]) for column in zip(*instances, strict=True)])


def plain(value: "Any") -> "Any":
    """Convert a scalar of another library to Python's own, and any mark of a missing value to None.

    Dates and times stay as they are: a feature of dates reads them, and every other one names them in its error.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind.__name__ in MISSING:
        return None
    if kind.__name__ in EXACT:
        return float(value)
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return value
    if getattr(value, "ndim", 0) and hasattr(value, "tolist"):
        return value.tolist()  # a list in a cell, which is named as such
    letter = getattr(dtype, "kind", "")
    if letter in ("M", "m"):
        return value if value == value else None  # NaT is not equal to itself
    if letter == "f":
        return float(value)
    if letter == "U":
        return str(value)
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def _instances(table: "Any", features: "list[Feature]", ignores: bool) -> "Any":
    """Read a table that is not sparse.

    :raises InvalidInput: it is no table, or its columns are not the features.
    """
    if hasattr(table, "collect") and not hasattr(table, "__len__"):
        raise InvalidInput(Fault(EXPECTED, f"a {type(table).__name__}", hint="call its method collect() first"))
    if hasattr(table, "keys") and hasattr(table, "items") and not hasattr(table, "iloc"):
        return _of_mapping(table, features, ignores)
    if hasattr(table, "schema") and hasattr(table, "num_rows"):  # Arrow's Table and RecordBatch
        names = table.schema.names
        return _ordered([(name, table.column(place)) for place, name in enumerate(names)], features, ignores)
    if hasattr(table, "get_columns"):  # polars
        return _ordered([(column.name, column) for column in table.get_columns()], features, ignores)
    if hasattr(table, "columns") and hasattr(table, "iloc"):  # pandas
        return _of_frame(table, features, ignores)
    if hasattr(table, "index") and hasattr(table, "iloc") and len(features) > 1:
        values = _values(table)
        rows = isinstance(values, list) and all(isinstance(value, (list, tuple, dict)) for value in values)
        return _of_rows(values if rows else [_by_name(table, values)], features)
    if hasattr(table, "ndim") and table.ndim != 1:
        return _of_array(table, features, ignores)
    if getattr(getattr(table, "dtype", None), "names", None):  # a structured array
        return _ordered([(name, table[name]) for name in table.dtype.names], features, ignores)
    if hasattr(table, "dtype") or hasattr(table, "to_pylist"):  # one column of NumPy, pandas, polars or Arrow
        return _of_rows(_values(table), features)
    if isinstance(table, (str, bytes, bytearray, set, frozenset)) or not hasattr(table, "__iter__"):
        raise InvalidInput(
            Fault(EXPECTED, preview(table), hint="put the text in a list: [text]" if isinstance(table, str) else None)
        )
    return _of_rows([*table], features)


def _of_rows(rows: "Sequence[Any]", features: "list[Feature]") -> "list[Any]":
    """Read rows of any library; for a model of one feature a row may also be the value itself.

    :raises InvalidInput: a row is a value, and the model has several features.
    """
    instances = [*map(_row, _to_list(rows))]
    bare = [number for number, row in enumerate(instances) if not isinstance(row, (list, tuple, dict))]
    if not bare:
        return cleaned(instances)
    if len(features) > 1:
        hint = "one row is a list of its own, [[...]], and a Series or a dict by feature name"
        fault = Fault("an array of values or an object by feature name", preview(instances[bare[0]]), bare[0], hint=hint)
        raise InvalidInput(fault)
    return cleaned([row if isinstance(row, (list, tuple, dict)) else [row] for row in instances])


def _row(row: "Any") -> "Any":
    """Convert one row of another library to a list, or to an object by name."""
    if isinstance(row, (list, tuple, dict)):
        return row
    if hasattr(row, "iloc") and hasattr(row, "index") and row.ndim == 1:
        return _by_name(row, _values(row))
    names = getattr(getattr(row, "dtype", None), "names", None)
    if names:  # of a structured array
        return {name: row[name] for name in names}
    return _to_list(_values(row)) if getattr(row, "ndim", 0) == 1 else plain(row)


def _by_name(series: "Any", values: "Any") -> "dict[str, Any]":
    """Make an object by name of a Series, which is one row by the labels of its index.

    :raises InvalidInput: a label is there twice.
    """
    return dict(_unique([(str(name), value) for name, value in zip(series.index, _to_list(values), strict=True)]))


def _to_list(values: "Any") -> "list[Any]":
    """List the values of an array or a list."""
    listed: list[Any] = values if isinstance(values, list) else values.tolist()
    return listed


def _of_mapping(table: "Mapping[Any, Any]", features: "list[Feature]", ignores: bool) -> "Any":
    """Read a dict of columns, or of the values of one row.

    :raises InvalidInput: some of its values are columns and others are not.
    """
    pairs = [(str(name), values) for name, values in table.items()]
    scalars = [name for name, values in pairs if isinstance(values, (str, bytes)) or not hasattr(values, "__len__")]
    if len(scalars) == len(pairs):
        return cleaned([dict(_unique(pairs))])
    if scalars:
        raise InvalidInput(Fault("columns only, or the values of one row only", "a single value", feature=scalars[0]))
    return _ordered(pairs, features, ignores)


def _of_frame(table: "Any", features: "list[Feature]", ignores: bool) -> "Columns":
    """Read a DataFrame; pandas' default labels 0, 1, 2, ... are names only if the model's features have them."""
    labels = [*table.columns]
    width = len(labels)
    if width == len(features) and all(type(label) is int for label in labels) and labels == [*range(width)]:
        labels = [feature.name for feature in features]
    columns = [table.iloc[:, place] for place in range(width)]
    return _ordered([(str(label), column) for label, column in zip(labels, columns, strict=True)], features, ignores)


def _of_array(table: "Any", features: "list[Feature]", ignores: bool) -> "Any":
    """Read an array of two dimensions; one of plain numbers stays an array.

    :raises InvalidInput: it has another number of dimensions.
    """
    shape = tuple(table.shape)
    if len(shape) != 2:
        raise InvalidInput(Fault("a table of two dimensions", f"an array of shape {shape}"))
    letter = getattr(table.dtype, "kind", "")
    if letter in ("f", "i", "u") and table.dtype.itemsize <= 8 and not hasattr(table, "mask"):
        return table
    if shape[1] != len(features) or not shape[0]:
        return table.tolist()  # refused as lists of this width are
    return Columns([feature.name for feature in features], [_values(table[:, place]) for place in range(shape[1])])


def _ordered(pairs: "list[tuple[str, Any]]", features: "list[Feature]", ignores: bool) -> "Columns":
    """Put named columns into the order of the features; a column that is never read may be absent.

    :raises InvalidInput: a column is missing, is there twice, or is no feature; or columns differ in length.
    """
    known = {feature.name for feature in features}
    by_name = dict(_unique([(name, column) for name, column in pairs if name in known or not ignores]))
    read = [feature for feature in features if feature.kind != "unread" or feature.name in by_name]
    if not by_name.keys() <= known or any(feature.name not in by_name for feature in read):
        from flyweight.models.names import FeatureNames  # imported late: only mistakes need it

        raise InvalidInput(*FeatureNames(features).faults([name for name, _ in pairs], ignores, columns=True))
    columns = {feature.name: _values(by_name[feature.name]) for feature in read}
    count = len(next(iter([*columns.values(), *by_name.values()]), []))
    for name, values in columns.items():
        if len(values) != count:
            raise InvalidInput(Fault(f"{count} values, as in the first column", f"{len(values)} values", feature=name))
    return Columns([feature.name for feature in features], [columns.get(f.name, [None] * count) for f in features])


def _unique(pairs: "list[tuple[str, Any]]") -> "list[tuple[str, Any]]":
    """Check that names are there once.

    :raises InvalidInput: a name is there twice.
    """
    names = [name for name, _ in pairs]
    if len({*names}) != len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InvalidInput(Fault("each feature once", f"{names.count(twice)} columns of this name", feature=twice))
    return pairs


def _values(column: "Any") -> "Any":
    """Read one column: an array if it holds plain numbers or flags, else a list of Python values.

    :raises InvalidInput: it has no order, or its library can't give the values.
    """
    if isinstance(column, Texts):
        return column
    if isinstance(column, (dict, set, frozenset)):
        raise InvalidInput(Fault("a column as a list of values", preview(column), hint="of a DataFrame, to_dict('list')"))
    try:
        if hasattr(column, "to_pylist"):  # Arrow
            numeric = str(column.type).rstrip("0123456789") in ("int", "uint", "float", "double", "halffloat")
            if numeric:
                return column.to_numpy(zero_copy_only=False)
            kind = column.type.value_type if hasattr(column.type, "index_type") else column.type
            return Texts.of(_encoded(column)) if str(kind) in TEXTS else _listed(column.to_pylist())
        if hasattr(column, "to_list") and not hasattr(column, "iloc"):  # polars, or an index of pandas
            fine = getattr(getattr(column, "dtype", None), "time_unit", None) == "ns"  # Python's datetimes would lose digits
            return _listed([*column.to_numpy()] if fine else column.to_list())
    except (ArithmeticError, TypeError, ValueError) as error:
        raise InvalidInput(Fault("values that Python can hold", f"{type(column).__name__}: {error}")) from None
    if hasattr(column, "iloc"):  # pandas
        if getattr(column.dtype, "storage", "") == "pyarrow" or str(getattr(column.dtype, "pyarrow_dtype", "")) in TEXTS:
            return Texts.of(_encoded(column.array.__arrow_array__()))
        own = getattr(column.dtype, "numpy_dtype", None)  # of a nullable or an Arrow column
        if getattr(own, "kind", "") in ("f", "i", "u"):
            return column.to_numpy(dtype=float, na_value=float("nan"))
        return _of_vector(column.to_numpy()) if _is_numpy(column) else _listed(column.tolist())
    if _is_numpy(column):
        return _of_vector(column)
    return _listed(column.tolist() if hasattr(column, "tolist") else [*column])


def _encoded(column: "Any") -> "Any":
    """Encode texts of Arrow, an array or several, as one array of dictionaries, which they may be already."""
    whole = column.combine_chunks() if hasattr(column, "num_chunks") else column
    return whole if hasattr(whole, "indices") else whole.dictionary_encode()


def _is_numpy(column: "Any") -> bool:
    """Tell whether the values are of a type of NumPy's, and not of a library that extends it."""
    return type(getattr(column, "dtype", None)).__module__.startswith("numpy")


def _of_vector(values: "Any") -> "Any":
    """Read an array of one dimension."""
    letter = getattr(values.dtype, "kind", "")
    if letter in ("M", "m"):
        return _listed([*values])  # `tolist` would make integers of nanoseconds
    if letter == "f" and values.dtype.itemsize > 8:
        values = values.astype(float)
    return values if letter in ("f", "i", "u", "b") and not hasattr(values, "mask") else _listed(values.tolist())


def _listed(values: "list[Any]") -> "list[Any]":
    """Convert the values of a list that are not Python's own."""
    return values if PLAIN.issuperset(map(type, values)) else [*map(plain, values)]


def joined(predictions: "Callable[[Any], Any]", blocks: "Iterator[Any]") -> "Any":
    """Answer block after block, and join the answers to one prediction."""
    first, *others = map(predictions, blocks)
    if not others:
        return first
    fields = [
        None if own is None else [*own, *(answer for other in others for answer in other[place])]
        for place, own in enumerate([*first][:-1])
    ]
    return first._make((*fields, first.classes))
