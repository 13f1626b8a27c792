"""Samples that are no tables: a list of texts, of dictionaries, or of lists of pairs of a name and a value."""

from __future__ import annotations

from typing import Any

import pandas as pd

from flyweight.toolkit.convert.draft import is_missing


class SampleRefused(ValueError):
    """A sample that does not go with the estimator."""


def form_of(estimator: Any) -> str:
    """What the estimator's first step reads: a "table", or a list of "texts", of "dicts" or of lists of "pairs"."""
    steps = [step for _, step in getattr(estimator, "steps", []) if step is not None and step != "passthrough"]
    parts = [*steps, *(part for _, part in getattr(estimator, "transformer_list", []) if not isinstance(part, str))]
    parts += [getattr(estimator, name) for name in ("best_estimator_", "estimator") if hasattr(estimator, name)]
    if parts:
        return form_of(parts[0])
    if hasattr(estimator, "build_analyzer"):
        return "texts"
    if type(estimator).__name__ == "FeatureHasher":
        return {"dict": "dicts", "pair": "pairs"}.get(estimator.input_type, "table")
    return "dicts" if type(estimator).__name__ == "DictVectorizer" else "table"


def names_of_entries(form: str, sample: Any) -> list[str]:
    """The one text's name, or all keys of the sample in the order in which they first stand there."""
    if form == "texts":
        name = _text_column(sample) if isinstance(sample, pd.DataFrame) else getattr(sample, "name", None)
        return ["text" if name is None else str(name)]
    if sample is None:
        raise SampleRefused("the estimator does not say which features it reads; give a sample")
    return [str(name) for name in as_frame(sample).columns]


def _text_column(frame: pd.DataFrame) -> Any:
    """The only column, or the only one of strings.

    :raises SampleRefused: there are several.
    """
    columns = list(frame.columns)
    found = [name for name in columns if any(isinstance(value, str) for value in frame[name])] if len(columns) > 1 else columns
    if len(found) != 1:
        raise SampleRefused(f"the estimator reads one text, the sample has {len(found)} such columns; give that column alone")
    return found[0]


def as_frame(X: Any) -> Any:
    """A list of texts, dictionaries or lists of pairs as a DataFrame; anything else as it is."""
    if isinstance(X, pd.DataFrame) or getattr(X, "ndim", 1) != 1:
        return X
    entries = list(X)
    if entries and all(text is None or isinstance(text, str) or is_missing(text) for text in entries):
        return pd.DataFrame({"text" if getattr(X, "name", None) is None else X.name: pd.Series(entries, dtype=object)})
    if entries and not isinstance(entries[0], dict) and all(map(_is_pairs, entries)):
        entries = [dict(pairs) for pairs in entries]
    if not entries or not isinstance(entries[0], dict):
        return X
    keys = dict.fromkeys(str(key) for entry in entries for key in entry)
    return pd.DataFrame({key: pd.Series([entry.get(key) for entry in entries], dtype=object) for key in keys})


def _is_pairs(entry: Any) -> bool:
    """Whether this is a list of pairs of a name and a value."""
    pairs = isinstance(entry, (list, tuple)) and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in entry)
    return pairs and all(isinstance(name, str) for name, _ in entry)
