"""Parity of the reading: the sample is written as CSV, JSON, NDJSON and Parquet, and read back by the model's own readers.

What comes back has to be the row that was proved, value by value. Where a text can't hold a value exactly, as for float32, the
model's answer has to be the estimator's answer to the original row.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from flyweight import strict_json
from flyweight.errors import FlyweightError, InvalidInput
from flyweight.formats import csv as csv_format
from flyweight.formats import json as json_format
from flyweight.models.signature import Feature
from flyweight.predictor import Predictor
from flyweight.toolkit.convert.draft import is_missing
from flyweight.toolkit.packing.original import Original, SampleMisread
from flyweight.toolkit.packing.sample import Row
from flyweight.toolkit.packing.source_table import SourceTable

MAX_CELLS = 100_000  # of the rows that are read back in each form
ROUNDED = {2: 1e-3, 4: 1e-6}  # by the bytes of a float, the relative difference of a number that was written with its digits
Texts = list[list[Any]]  # rows of cells


def prove_reading(
    predictor: Predictor, table: SourceTable, rows: list[Row], original: Original
) -> tuple[dict[str, int], list[str]]:
    """Write the sample in each form, read it back, and compare.

    :param predictor: the model, loaded from the bytes of its file.
    :param table: the sample, row by row as `rows`.
    :param rows: the rows over which the model was proved.
    :returns: the number of rows by form, and notes on what a form can't hold.
    :raises SampleMisread: a form gives other values, or is refused; the message names form, row and column.
    """
    answered = [place for place in range(len(rows)) if place < len(original.answers) and original.answers[place] is not None]
    most = max(1, MAX_CELLS // len(table.names))
    places = answered if len(answered) <= most else [answered[n * len(answered) // most] for n in range(most)]
    if not places:
        return {}, []
    features = predictor.signature.features
    cells = [_cells(column, feature, places) for column, feature in zip(table.columns, features, strict=True)]
    rounded = [0.0 if column is None else _rounded(column.dtype) for column in table.columns]
    compared, notes = {}, []
    for form, read in FORMS.items():
        try:
            kept, instances = read(predictor, cells)
        except ImportError:
            notes.append(f"{form}: pyarrow is not installed here")
            continue
        except FlyweightError as error:
            raise _refused(form, error, features, cells) from None
        back = _validated(predictor, form, instances, [places[number] for number in kept])
        _compare(predictor, form, [places[number] for number in kept], rows, back, original, rounded)
        compared[form] = len(kept)
        if len(kept) < len(places):
            notes.append(f"{form}: {len(places) - len(kept)} rows with missing strings, for which every text is a category")
    return compared, notes


def _cells(column: pd.Series[Any] | None, feature: Feature, places: list[int]) -> list[Any]:
    """List the values of one column as Python has them; None where one is missing."""
    if column is None:
        return [None] * len(places)
    part = column.iloc[places]
    if feature.kind == "number" and isinstance(part.dtype, np.dtype) and part.dtype.kind in "fiu":
        values = part.to_numpy() if _rounded(part.dtype) else part.tolist()  # as they are: their texts have fewer digits
        return [None if value != value else value for value in values]
    values = [None if _is_absent(value) else value for value in part.tolist()]
    return [float(value) if isinstance(value, (Decimal, Fraction)) else value for value in values]


def _is_absent(value: Any) -> bool:
    return is_missing(value) if not isinstance(value, (list, dict, np.ndarray)) else False


def _csv(predictor: Predictor, cells: Texts) -> tuple[list[int], Any]:
    """Write and read CSV; rows with a missing string are left out where every text for it is a category."""
    features, file = predictor.signature.features, io.StringIO()
    words = [_missing_word(feature) for feature in features]
    kept = [
        number
        for number in range(len(cells[0]))
        if not any(column[number] is None and word is None for column, word in zip(cells, words, strict=True))
    ]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([feature.name for feature in features])
    texts = [
        [_text(column[number], word, feature) for number in kept]
        for column, word, feature in zip(cells, words, features, strict=True)
    ]
    writer.writerows(zip(*texts, strict=True))
    return kept, csv_format.parse(file.getvalue(), predictor.validator) if kept else []


def _missing_word(feature: Feature) -> str | None:
    """Choose the text that means missing: nothing at all if it does; None if no text does."""
    return "" if "" in feature.missing or feature.kind != "string" else min(feature.missing, default=None)


def _text(value: Any, word: str | None, feature: Feature) -> Any:
    """Write a value as pandas writes it to CSV."""
    if value is None:
        return word
    if feature.kind == "datetime":
        return str(pd.Timestamp(value))
    return str(value)


def _json_value(value: Any, feature: Feature) -> Any:
    """Write a value for JSON; what nothing reads is written as a text if JSON does not have it."""
    if feature.kind == "datetime" and value is not None:
        return pd.Timestamp(value).isoformat()
    if feature.kind == "unread":
        return value if isinstance(value, (str, int, bool, type(None))) else str(value)
    return value.item() if isinstance(value, np.generic) else value


def _documents(predictor: Predictor, cells: Texts) -> list[dict[str, Any]]:
    features = predictor.signature.features
    columns = [
        column if feature.kind == "string" else [_json_value(value, feature) for value in column]
        for column, feature in zip(cells, features, strict=True)
    ]
    names = [feature.name for feature in features]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _json(predictor: Predictor, cells: Texts) -> tuple[list[int], Any]:
    text = json.dumps({"instances": _documents(predictor, cells)}, allow_nan=False)
    return [*range(len(cells[0]))], json_format.parse(text, predictor.validator, {})[0]


def _ndjson(predictor: Predictor, cells: Texts) -> tuple[list[int], Any]:
    text = "\n".join(strict_json.encode(document).decode() for document in _documents(predictor, cells))
    return [*range(len(cells[0]))], json_format.parse_lines(text, predictor.validator, {})[0]


def _parquet(predictor: Predictor, cells: Texts) -> tuple[list[int], Any]:
    """Write and read Parquet.

    :raises ImportError: pyarrow is not installed.
    """
    import pyarrow as pa
    from pyarrow import parquet

    from flyweight.formats.parquet import parquet_batches

    named = {
        f.name: pa.array(column) for f, column in zip(predictor.signature.features, cells, strict=True) if f.kind != "unread"
    }
    sink = io.BytesIO()
    parquet.write_table(pa.table(named), sink)
    data = sink.getvalue()
    batches = parquet_batches(lambda start, size: data[start : start + size], len(data), predictor.validator, {}, len(cells[0]))
    return [*range(len(cells[0]))], [instance for batch in batches for instance in batch.instances]


FORMS: dict[str, Callable[[Predictor, Texts], tuple[list[int], Any]]] = {
    "CSV": _csv,
    "JSON": _json,
    "NDJSON": _ndjson,
    "Parquet": _parquet,
}


def _validated(predictor: Predictor, form: str, instances: Any, places: list[int]) -> list[Row]:
    """Validate what was read.

    :raises SampleMisread: a row is refused.
    """
    if not instances:
        return []
    try:
        return [list(row) for row in predictor.validator.rows(instances)]
    except InvalidInput as error:
        fault = error.faults[0]
        row = "" if fault.instance is None else f", row {places[fault.instance] + 1} of the sample"
        raise SampleMisread(f"read back from {form}{row}: the model refuses it: {fault}", CURE) from None


CURE = "report this as a fault of flyweight, or say the kind of the column: --types COLUMN=string"


def _refused(form: str, error: FlyweightError, features: list[Feature], cells: Texts) -> SampleMisread:
    """Build the error of a form whose text the model's reader refuses."""
    return SampleMisread(f"read back from {form}: the model refuses it: {error}", CURE)


def _compare(
    predictor: Predictor,
    form: str,
    places: list[int],
    rows: list[Row],
    back: list[Row],
    original: Original,
    rounded: list[float],
) -> None:
    """Compare what was read with the rows that were proved.

    :param rounded: by feature the relative difference of numbers that is accepted, if the answers are equal.
    :raises SampleMisread: a value differs by more, or the answer does.
    """
    features = predictor.signature.features
    others: list[int] = []
    for number, (place, read) in enumerate(zip(places, back, strict=True)):
        if read == rows[place]:
            continue
        for feature, value, proved, bound in zip(features, read, rows[place], rounded, strict=True):
            if not _same(value, proved):
                if feature.kind != "number" or _missing(value) or _missing(proved) or not _near(value, proved, bound):
                    message = f"read back from {form}, row {place + 1} of the sample, column {feature.name!r}"
                    raise SampleMisread(f"{message}: {_shown(value)} instead of {_shown(proved)}", CURE)
                others.append(number)
    if others:
        chosen = [*dict.fromkeys(others)]
        outputs = predictor.answer([back[number] for number in chosen]).predictions or []
        for number, answer in zip(chosen, outputs, strict=True):
            if not original.alike(places[number], {"predictions": np.ravel(np.array(answer, dtype=object))}):
                raise SampleMisread(
                    f"read back from {form}, row {places[number] + 1} of the sample: {answer!r}, and the estimator answers "
                    f"{original.answers[places[number]]['predictions'].tolist()}: the digits of its numbers decide",  # type: ignore[index]
                    "fit the estimator on float64, the numbers of requests",
                )


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (_missing(one) and _missing(other))


def _missing(value: Any) -> bool:
    return value is None or value != value


def _near(one: float, other: float, bound: float) -> bool:
    return abs(one - other) <= bound * max(abs(one), abs(other))


def _rounded(dtype: Any) -> float:
    """Find the relative difference of a column's numbers to those of their texts, which have the digits of its dtype."""
    return ROUNDED.get(dtype.itemsize, 0.0) if isinstance(dtype, np.dtype) and dtype.kind == "f" else 0.0


def _shown(value: Any) -> str:
    return "missing" if _missing(value) else repr(value)
