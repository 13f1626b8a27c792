"""Read lines of CSV as record batches of Arrow; None where only the csv module and the signature's own reader know the values.

What is accepted here has the values that `flyweight.files.csv` gives: the same doubles, the same texts that mean missing.
"""

# imports late: pyarrow

from flyweight.arrow.buffers import texts
from flyweight.files.csv_numbers import is_number
from flyweight.models.texts import BOOLEANS, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.models.signature import Feature

BEFORE, AFTER = {b"", b",", b"\n"}, {b"", b",", b"\n", b"\r"}  # a value in quotes


class TableParser:
    """Parses blocks of whole lines.

    :param columns: the names in the header.
    :param read: each feature that is read and its column.
    :param keep: the columns whose texts are passed on.
    """

    def __init__(self, columns: "Sequence[str]", read: "Sequence[tuple[Feature, int]]", keep: "Sequence[int]") -> None:
        self._columns, self._read, self._keep = columns, read, keep
        parsed = [feature for feature, _ in read if feature.kind in ("number", "boolean")]
        missing = {feature.missing for feature in parsed}
        # a text such as -999 that means missing, with a blank before it, is a number for pyarrow
        fits = len(missing) < 2 and not any(map(is_number, next(iter(missing), ())))
        self.usable = fits and not {at for feature, at in read if feature in parsed} & {*keep}
        self._missing = sorted(next(iter(missing), ()))

    def parse(self, block: bytes) -> "tuple[Any, list[Any]] | None":
        """Parse a block.

        :returns: a record batch of the features that are read, and the arrays of the texts that are kept.
        """
        if not self.usable or not _is_plain(block):
            return None
        import pyarrow as pa
        from pyarrow import csv

        names = [*map(str, range(len(self._columns)))]
        kinds = {str(at): _type_of(feature) for feature, at in self._read} | {str(at): pa.string() for at in self._keep}
        flags = [[text for text, flag in BOOLEANS.items() if flag is wanted] for wanted in (True, False)]
        try:
            table = csv.read_csv(
                pa.py_buffer(block),
                csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
                csv.ParseOptions(newlines_in_values=False),
                csv.ConvertOptions(
                    column_types=kinds,
                    null_values=self._missing,
                    true_values=flags[0],
                    false_values=flags[1],
                    include_columns=[*kinds],
                ),
            )
        except pa.ArrowInvalid:
            return None
        batch = table.combine_chunks().to_batches()[0]
        arrays = [_column(batch.column(str(at)), feature) for feature, at in self._read]
        if None in arrays:
            return None
        kept = [_texts(batch.column(str(at))) for at in self._keep]
        return pa.RecordBatch.from_arrays(arrays, names=[feature.name for feature, _ in self._read]), kept


def _is_plain(block: bytes) -> bool:
    """Tell whether every row is one line that pyarrow and the csv module split alike."""
    if b"\n\n" in block or block.startswith((b"\n", b"\r")) or b"\0" in block:  # an empty line; its number would be lost
        return False
    if b"\r" in block and (block.count(b"\r") != block.count(b"\r\n") or b"\n\r" in block):
        return False
    return b'"' not in block or _has_plain_quotes(block)


def _has_plain_quotes(block: bytes) -> bool:
    """Tell whether quotes are around whole values only, none of which has a line end; two quotes in a value stand for one."""
    parts = block.split(b'"')
    outside, inside = parts[::2], parts[1::2]
    if len(outside) == len(inside) or b"\n" in b"".join(inside):
        return False
    return {part[-1:] for part in outside[:-1]} <= BEFORE and {part[:1] for part in outside[1:]} <= AFTER


def _type_of(feature: "Feature") -> "Any":
    import pyarrow as pa

    kinds = {"number": pa.float64(), "boolean": pa.bool_()}
    return kinds.get(feature.kind) or pa.dictionary(pa.int32(), pa.string())


def _column(array: "Any", feature: "Feature") -> "Any | None":
    """Read what pyarrow made of a column as the signature does; None if it read a word as a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if feature.kind == "boolean":
        return array
    if feature.kind == "number":
        # pyarrow takes words for NaN in any spelling
        return None if pc.any(pc.is_nan(array)).as_py() else array
    given = array.dictionary.to_pylist()
    values = [value_of(text, feature) for text in given]
    return array if values == given else pa.DictionaryArray.from_arrays(array.indices, texts(values))


def _texts(array: "Any") -> "Any":
    """Get the texts of a column that is kept and may be a feature as well."""
    import pyarrow as pa

    return array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array
