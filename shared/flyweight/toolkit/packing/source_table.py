"""The sample of an estimator as a table: its columns by the features' names, with the kinds that are known before conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from flyweight.formats.csv import MISSING
from flyweight.toolkit.convert.draft import Draft, is_missing
from flyweight.toolkit.packing.evidence import Told, told_by
from flyweight.toolkit.packing.kinds import check_types, missing_words, settled_kinds, typed_sample
from flyweight.toolkit.packing.other_frames import as_pandas
from flyweight.toolkit.packing.sample import (
    Row,
    SampleRefused,
    Shape,
    as_categories,
    column_names,
    form_of,
    frame_of,
    marker_of,
    names_of,
    part_of,
    shape_of,
    without_others,
)
from flyweight.toolkit.packing.tables import UNNAMED, file_form


@dataclass(frozen=True)
class SourceTable:
    """An estimator's features, and its sample if there is one.

    :param names: the features' names, in order.
    :param told: what the estimator tells about each feature.
    :param kinds: per feature its kind; None where neither the estimator, the user nor the sample tells it.
    :param sample: the rows as the estimator takes them; None without a sample.
    :param columns: per feature its column of the sample; None where none exists.
    """

    names: list[str]
    told: list[Told]
    kinds: list[str | None]
    sample: Any
    columns: list[pd.Series[Any] | None]

    @property
    def markers(self) -> list[Any]:
        """What stands for a missing value in each column: as in the sample, else as the estimator met it."""
        return [
            one.marker if column is None else marker_of(column, one.marker)
            for one, column in zip(self.told, self.columns, strict=True)
        ]

    def draft(self) -> Draft:
        """Begin a plan over these features."""
        kinds = {position: kind for position, kind in enumerate(self.kinds) if kind is not None}
        dtypes = {position: column.dtype for position, column in enumerate(self.columns) if column is not None}
        return Draft(self.names, self.markers, kinds, dtypes)

    def shape(self, estimator: Any, draft: Draft) -> Shape:
        """Find how the estimator takes its input; what conversion noted fills the kinds that are not known."""
        textual = {p for p, known in draft.categories.items() if any(isinstance(category, str) for category in known)}
        textual |= {*draft.texts}
        kinds = [kind or ("string" if position in textual else "number") for position, kind in enumerate(self.kinds)]
        known = {p: [*categories] for p, categories in draft.framed.items()}
        objects = {p for p, one in enumerate(self.told) if one.objects}
        shape = shape_of(estimator, self.sample, self.names, kinds, self.columns, self.markers, known, objects)
        if shape.framed:
            whole = {p for p, column in enumerate(self.columns) if kinds[p] == "number" and _holds_integers(column)}
        else:
            whole = {p for p, one in enumerate(self.told) if "hashes" in one.kinds and kinds[p] == "number"}
        return replace(shape, whole=frozenset(whole))

    def spread(self, count: int) -> SourceTable:
        """Pick at most `count` rows of the sample, evenly spread, so that all parts of a sorted sample are seen."""
        total = next((len(column) for column in self.columns if column is not None), 0)
        if total <= count:
            return self
        positions = [place * total // count for place in range(count)]
        columns = [None if column is None else column.iloc[positions] for column in self.columns]
        return SourceTable(self.names, self.told, self.kinds, part_of(self.sample, positions), columns)

    def missing(self, position: int, rows: list[Row], nullable: bool) -> list[str] | None:
        """List the texts that mean missing for a string in CSV, where they are not those of the whole signature.

        :param rows: the sample's rows, whose strings are no missing values.
        :param nullable: whether the feature may be missing at all.
        :returns: None for the signature's own list.
        """
        if not nullable:
            return []
        present = {row[position] for row in rows}
        column = self.columns[position]
        if column is not None:
            present |= {value for value in column.unique().tolist() if not is_missing(value)}
        words = missing_words(self.told[position]) - present
        return None if words == MISSING else sorted(words)


def _holds_integers(column: pd.Series[Any] | None) -> bool:
    """Check whether a column of objects holds integers, and no other numbers."""
    if column is None or str(column.dtype) != "object":
        return False
    return all(is_missing(value) or isinstance(value, (int, np.integer)) for value in column.tolist())


def read_source_table(estimator: Any, sample: Any, types: Mapping[str, str]) -> SourceTable:
    """Read the features of an estimator and its sample.

    :param sample: rows as the estimator takes them, a table of texts (`tables.read_table` of CSV), or None.
    :param types: the kinds that the user named, by column.
    :raises SampleRefused: the sample does not fit the estimator, or the kind of a column can't be told.
    """
    sample = as_pandas(sample)
    names = names_of(estimator, sample)
    if file_form(sample) and sample.attrs.get(UNNAMED) and form_of(estimator) == "table":
        if len(names) != sample.shape[1]:
            values = f"a row of the sample has {sample.shape[1]} values"
            raise SampleRefused(f"the estimator was fitted on {len(names)} features, {values}")
        sample = sample.set_axis(names, axis=1)
    if file_form(sample):  # a header may have blanks around a name
        sample = sample.set_axis(column_names(sample, names), axis=1)
    check_types(types, names)
    told = told_by(estimator, names) if form_of(estimator) in ("table", "texts") else [Told(read=True) for _ in names]
    sample, types = typed_sample(estimator, sample, names, told, types)
    framed = {position: [*one.categories] for position, one in enumerate(told) if one.framed}
    sample = as_categories(sample, names, framed)
    unread = {name for name, one in zip(names, told, strict=True) if one.kind == "unread"}
    columns: list[pd.Series[Any] | None] = [None] * len(names)
    if sample is not None:
        frame = frame_of(sample, names, unread)
        columns = [column for _, column in frame.items()]
        sample = without_others(estimator, sample, names)
    kinds = settled_kinds(names, told, columns, types)
    return SourceTable(names, told, kinds, sample, columns)
