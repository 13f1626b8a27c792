"""Convert encoders of categories.

Their options interact (drop, infrequent, unknown, missing). So the fitted encoder itself is asked for the code of every category,
of an unseen value and of a missing one, and its answers become the op's tables.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from flyweight.ops.encode import REFUSE
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value, is_missing, plain

Ask = Callable[[int, Any], Any]  # column, value -> code


@converts("sklearn.OneHotEncoder")
def one_hot(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a block a column.

    :raises ConversionRefused: a category is neither a string nor a number.
    """
    widths = [int(width) for width in estimator._n_features_outs]
    starts = np.cumsum([0, *widths])

    def ask(column: int, value: Any) -> int:
        row = transformed(estimator, column, value)[starts[column] : starts[column + 1]]
        return int(np.argmax(row)) if row.any() else -1

    tables = tables_of(estimator, x, draft, ask)
    return {"transform": draft.add("encode.one_hot", x, columns=sum(widths), widths=widths, **tables)}


@converts("sklearn.OrdinalEncoder")
def ordinal(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a code a column.

    :raises ConversionRefused: a category is neither a string nor a number.
    """

    def ask(column: int, value: Any) -> Any:
        code = plain(transformed(estimator, column, value)[column])
        return "nan" if is_missing(code) else code

    columns = [Column(f"code of {name}") for name in x.names]
    return {"transform": draft.add("encode.ordinal", x, columns=columns, **tables_of(estimator, x, draft, ask))}


def tables_of(estimator: Any, x: Value, draft: Draft, ask: Ask) -> dict[str, Any]:
    """Return the tables of an `encode` op.

    :param ask: from a column and a value to the code.
    :raises ConversionRefused: a category is neither a string nor a number.
    """
    tables: dict[str, Any] = {key: [] for key in ("categories", "codes", "unseen", "missing")}
    for position, fitted in enumerate(estimator.categories_):
        known = known_of(fitted, x.names[position], type(estimator).__name__, draft)
        tables["categories"].append(known)
        tables["codes"].append([ask(position, category) for category in known])
        tables["unseen"].append(_or_refuse(ask, position, unseen(known)))
        tables["missing"].append(_or_refuse(ask, position, x.columns[position].marker))
        draft.note_categories(x, position, known)
    return {**tables, "names": x.names}


def known_of(fitted: Any, name: str, cls: str, draft: Draft) -> list[Any]:
    """Return the categories that a plan's table holds: those that are not missing.

    :param fitted: the categories that an encoder knows of the column `name`.
    :param cls: the name of the encoder's class.
    :raises ConversionRefused: a category is neither a string nor a number.
    """
    known = [plain(category) for category in fitted if not is_missing(category)]
    if any(not isinstance(category, (str, int, float)) for category in known):
        helps = f"categories of {name!r} are neither strings nor numbers; turn them into strings"
        raise ConversionRefused(draft.path, cls, helps)
    return known


def unseen(known: list[Any]) -> Any:
    """Return a category that is not among the known ones."""
    if any(isinstance(category, str) for category in known) or not known:
        return max(map(str, known), key=len, default="") + "?"
    return max(known) + 1


def _or_refuse(ask: Ask, column: int, value: Any) -> Any:
    """Return the code of a value, or the word for a refusal."""
    try:
        return ask(column, value)
    except ValueError:  # handle_unknown="error"
        return REFUSE


def transformed(estimator: Any, column: int, value: Any) -> Any:
    """Return the encoder's answer to one row, with `value` in this column and a known category in every other."""
    import pandas as pd

    row = [next((c for c in fitted if not is_missing(c)), fitted[0]) for fitted in estimator.categories_]
    row[column] = value
    names = getattr(estimator, "feature_names_in_", range(len(row)))
    cells = zip(names, row, estimator.categories_, strict=True)
    frame = pd.DataFrame({name: _series(cell, fitted) for name, cell, fitted in cells})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unknown categories warn, and they are asked on purpose
        answer = estimator.transform(frame if hasattr(estimator, "feature_names_in_") else frame.to_numpy(dtype=object))
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    return answer[0]


def _series(value: Any, fitted: Any) -> Any:
    """Return a column of one value, of the type of the fitted categories."""
    import pandas as pd

    numeric = np.asarray(fitted).dtype.kind in "iufb" and not isinstance(value, str)
    return pd.Series([value], dtype=float if numeric else object)
