"""Convert the encoders of category_encoders: each category of a column stands for a block of numbers, by itself.

So the fitted encoder itself is asked for the block of every category, of an unseen value and of a missing one, one column at a
time; its answers become the tables of one op. Columns that it does not encode stay where they are.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from flyweight.ops.encode import REFUSE
from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value, is_missing
from flyweight.toolkit.convert.encode import known_of, unseen

MAX_NUMBERS = 10_000_000  # of all tables together
REFUSALS = (ValueError, KeyError, TypeError)  # what encoders raise for a value that they do not take
Array = np.ndarray[Any, Any]


@dataclass
class _Encoded:
    """What the encoder answers for one column.

    :param position: the column's position among the encoder's inputs.
    :param known: its categories.
    :param answers: whole rows of the encoder, one a category.
    :param unseen: the row for a value that training never saw; None if the encoder refuses it.
    :param missing: the row for a missing value; None if the encoder refuses it.
    :param outputs: the positions of its own columns among the encoder's outputs.
    """

    position: int
    known: list[Any]
    answers: list[Array]
    unseen: Array | None
    missing: Array | None
    outputs: list[int]

    def rows(self) -> tuple[list[list[float]], list[int], int | str, int | str]:
        """List the distinct blocks, the code of each category, and the codes of unseen and missing values."""
        places: dict[bytes, int] = {}
        blocks: list[list[float]] = []

        def code(answer: Array) -> int:
            block = np.array([answer[position] for position in self.outputs], dtype=float)
            if places.setdefault(block.tobytes(), len(blocks)) == len(blocks):
                blocks.append(block.tolist())
            return places[block.tobytes()]

        codes = [code(answer) for answer in self.answers]
        others = [REFUSE if answer is None else code(answer) for answer in (self.unseen, self.missing)]
        return blocks, codes, others[0], others[1]


@converts(
    "category_encoders.BackwardDifferenceEncoder",
    "category_encoders.BaseNEncoder",
    "category_encoders.BinaryEncoder",
    "category_encoders.CatBoostEncoder",
    "category_encoders.CountEncoder",
    "category_encoders.CountTargetEncoder",
    "category_encoders.GLMMEncoder",
    "category_encoders.GrayEncoder",
    "category_encoders.HelmertEncoder",
    "category_encoders.JamesSteinEncoder",
    "category_encoders.LeaveOneOutEncoder",
    "category_encoders.MEstimateEncoder",
    "category_encoders.OneHotEncoder",
    "category_encoders.OrdinalEncoder",
    "category_encoders.PolynomialEncoder",
    "category_encoders.QuantileEncoder",
    "category_encoders.RankHotEncoder",
    "category_encoders.SumEncoder",
    "category_encoders.SummaryEncoder",
    "category_encoders.TargetEncoder",
    "category_encoders.WOEEncoder",
)
def encoder(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a block a column, from tables, beside the columns that are not encoded.

    :raises ConversionRefused: it encodes several columns together, a category is neither a string nor a number, or code answers
        for unseen values.
    """
    _check(estimator, draft)
    inputs, outputs = list(estimator.feature_names_in_), list(estimator.get_feature_names_out())
    known = {inputs.index(name): found for name in estimator.cols if (found := categories_of(estimator, name)) is not None}
    encoded = _ask(estimator, x, draft, known)
    kept = {place: inputs.index(name) for place, name in enumerate(outputs) if name in inputs and inputs.index(name) not in known}
    _share_outputs(encoded, [place for place in range(len(outputs)) if place not in kept])
    encoded = [one for one in encoded if one.outputs]
    order = [*kept, *(place for one in encoded for place in one.outputs)]
    parts = [draft.take(x, list(kept.values()))] if kept else []
    if encoded:
        part = draft.take(x, [one.position for one in encoded])
        columns = [Column(str(outputs[place])) for one in encoded for place in one.outputs]
        parts.append(_add(encoded, part, columns, draft, class_name(estimator)))
    return {"transform": draft.take(draft.join(parts), np.argsort(order).tolist())}


@converts("category_encoders.HashingEncoder", "category_encoders.MultiHotEncoder")
def unsupported(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Refuse encoders of the texts themselves.

    :raises ConversionRefused: always.
    """
    name = type(estimator).__name__
    ways = {"HashingEncoder": "hashes values by MD5; use BinaryEncoder, or scikit-learn's FeatureHasher"}
    helps = ways.get(name, "cuts values into items; use a CountVectorizer(binary=True) whose token_pattern is one item")
    raise ConversionRefused(draft.path, class_name(estimator), f"it {helps}")


def _check(estimator: Any, draft: Draft) -> None:
    """Check that each column is encoded by itself, from a table.

    :raises ConversionRefused: it is not.
    """
    cls = class_name(estimator)
    if getattr(estimator, "composite_members_", None):
        raise ConversionRefused(draft.path, cls, "composite_cols encodes columns together; join them in one column before it")
    if type(estimator).__name__ == "OrdinalEncoder" and callable(estimator.handle_unknown):
        helps = "handle_unknown is a function, and a model file holds no code; use 'value', 'return_nan', 'error' or a number"
        raise ConversionRefused(draft.path, cls, helps)


def categories_of(estimator: Any, name: Any) -> list[Any] | None:
    """List the categories of a column that the fitted encoder knows, before small ones were put together.

    :returns: None if the encoder has no table for the column, and gives it back as it is.
    """
    estimator = estimator.encoder_list[0] if hasattr(estimator, "encoder_list") else estimator
    mapping = getattr(estimator, "ordinal_encoder", estimator).mapping
    listed = mapping if isinstance(mapping, list) else [{"col": col, "mapping": table} for col, table in mapping.items()]
    index = next((switch["mapping"] for switch in listed if switch["col"] == name), None)
    if index is None:
        return None
    lumped = (getattr(estimator, "min_group_lumping_", None) or {}).get(name, {})
    return [*dict.fromkeys([*(index if isinstance(index, dict) else index.index), *lumped])]


def _ask(estimator: Any, x: Value, draft: Draft, fitted: dict[int, list[Any]]) -> list[_Encoded]:
    """Ask the encoder about the columns that it encodes, one column at a time.

    :param fitted: the categories of each column, by its position.
    :raises ConversionRefused: a category is neither a string nor a number, or the tables are too large.
    """
    names, cls = list(estimator.feature_names_in_), class_name(estimator)
    known = {place: known_of(categories, x.names[place], cls, draft) for place, categories in fitted.items()}
    base: list[Any] = [0.0] * len(names)
    for place, categories in known.items():
        base[place] = categories[0] if categories else np.nan
    encoded = []
    for place, categories in known.items():
        dtype = "string" if x.columns[place].marker is pd.NA else object  # some encoders tell NA among objects from NA here

        def answers(values: list[Any], place: int = place, dtype: Any = dtype) -> list[Array] | None:
            frame = pd.DataFrame([base] * len(values), columns=names, dtype=object)
            frame[names[place]] = pd.Series(values, dtype=dtype)
            return _transformed(estimator, frame)

        draft.note_categories(x, place, categories)
        seen = (answers(categories) if categories else []) or []
        marker = x.columns[place].marker
        others = [answers([value]) for value in (unseen(categories), marker)]
        parts = [None if part is None else part[0] for part in others]
        beside = answers([marker, *categories[:1]])
        if parts[1] is not None and beside is not None and not _same(parts[1], beside[0]):
            helps = f"it answers a lone {marker} in {x.names[place]!r} otherwise than one among others; give it NaN instead"
            raise ConversionRefused(draft.path, cls, helps)
        encoded.append(_Encoded(place, categories, seen, parts[0], parts[1], []))
    return encoded


def _transformed(estimator: Any, frame: pd.DataFrame) -> list[Array] | None:
    """Ask the encoder for rows; return None if it refuses them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = estimator.transform(frame)
        except REFUSALS:
            return None
    return [*np.asarray(answer, dtype=object)]


def _same(one: Array, other: Array) -> bool:
    """Say whether two answers are the same."""
    return all(a == b or (is_missing(a) and is_missing(b)) for a, b in zip(one, other, strict=True))


def _share_outputs(encoded: list[_Encoded], outputs: list[int]) -> None:
    """Find which column each of these outputs follows; one that is always the same is given to the first."""
    for place in outputs:
        changing = (one for one in encoded if _changes(one, place))
        next(changing, encoded[0]).outputs.append(place)


def _changes(one: _Encoded, place: int) -> bool:
    """Say whether an output changes with the values of a column."""
    answers = [*one.answers, *(answer for answer in (one.unseen, one.missing) if answer is not None)]
    return any(not _same(answer[place : place + 1], answers[0][place : place + 1]) for answer in answers[1:])


def _add(encoded: list[_Encoded], x: Value, columns: list[Column], draft: Draft, cls: str) -> Value:
    """Add the one op that looks up all columns of `x`: codes, blocks with a single one, or any blocks.

    :raises ConversionRefused: the tables are too large.
    """
    blocks, codes, others, missing = (list(part) for part in zip(*(one.rows() for one in encoded), strict=True))
    tables: dict[str, Any] = {"categories": [one.known for one in encoded], "names": x.names}
    widths, heights = [len(one.outputs) for one in encoded], [len(rows) for rows in blocks]
    if widths == [1] * len(widths):
        numbers: list[dict[Any, Any]] = [{code: _code(row[0]) for code, row in enumerate(rows)} for rows in blocks]
        return draft.add("encode.ordinal", x, columns=columns, **tables, **_translated(numbers, codes, others, missing))
    hot = [_hot(rows) for rows in blocks]
    if all(places is not None for places in hot):
        tables |= _translated([places or {} for places in hot], codes, others, missing)
        return draft.add("encode.one_hot", x, columns=columns, widths=widths, **tables)
    if sum(width * height for width, height in zip(widths, heights, strict=True)) > MAX_NUMBERS:
        helps = f"its tables hold more than {MAX_NUMBERS:,} numbers; use an encoder that gives one column, as TargetEncoder"
        raise ConversionRefused(draft.path, cls, helps)
    values = np.array([value for rows in blocks for row in rows for value in row], dtype=float)
    tables |= {"codes": codes, "unseen": others, "missing": missing, "widths": widths, "heights": heights}
    return draft.add("encode.rows", x, columns=columns, arrays={"values": values}, **tables)


def _translated(meanings: list[dict[Any, Any]], codes: list[Any], others: list[Any], missing: list[Any]) -> dict[str, Any]:
    """Return tables with the meaning of each column's codes in place of the codes; a refusal stays one."""
    return {
        "codes": [[meaning[code] for code in own] for meaning, own in zip(meanings, codes, strict=True)],
        "unseen": [meaning.get(code, code) for meaning, code in zip(meanings, others, strict=True)],
        "missing": [meaning.get(code, code) for meaning, code in zip(meanings, missing, strict=True)],
    }


def _code(number: float) -> float | str:
    """Return a number as JSON can hold it."""
    return "nan" if number != number else number


def _hot(rows: list[list[float]]) -> dict[Any, int] | None:
    """Return the place of the one in each row, -1 where none exists; None if a row holds other numbers."""
    places: dict[Any, int] = {}
    for code, row in enumerate(rows):
        if any(value not in (0.0, 1.0) for value in row) or sum(row) > 1.0:
            return None
        places[code] = row.index(1.0) if 1.0 in row else -1
    return places
