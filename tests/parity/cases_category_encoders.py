"""The encoders of category_encoders, before a model and alone, over strings, numbers and truth values, some missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import category_encoders
import numpy as np
import pandas as pd
from category_encoders.glmm import GLMMEncoder
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from tests.parity.cases import Case, of
from tests.parity.tables import Table, words


def between() -> Table:
    """Categories between numbers, which stay where they are; some of both are missing."""
    frame, y = words()
    rng = np.random.default_rng(8)
    color = frame["color"].fillna(np.nan)
    frame = frame.assign(color=color, x=rng.normal(size=len(frame)), z=rng.normal(size=len(frame)))
    frame.loc[::11, "z"] = np.nan
    return frame[["x", "color", "size", "z", "kind", "flag"]], y


def complete() -> Table:
    frame, y = between()
    return frame.fillna({"color": "none", "z": 0.0}), y


def two() -> Table:
    frame, y = between()
    return frame, (y > 3).astype(int)


def sorts() -> Table:
    frame, y = between()
    return frame, np.digitize(y, [2.0, 4.0])


def array() -> Table:
    frame, y = between()
    return frame.to_numpy(dtype=object), y


def nones() -> Table:
    frame, y = between()
    return frame.assign(color=frame["color"].where(frame["color"].notna(), None)), y


def nullable() -> Table:
    frame, y = between()
    return frame.astype({"color": "string", "kind": "string"}), y


def sized() -> Table:
    """The sizes as pandas' category with an order, and one that no row has."""
    frame, y = between()
    return frame.assign(size=frame["size"].astype(pd.CategoricalDtype([10, 3, 2, 1, 0], ordered=True))), y


STRICT: dict[str, Any] = {"handle_unknown": "error", "handle_missing": "error"}
NAN: dict[str, Any] = {"handle_unknown": "return_nan", "handle_missing": "return_nan"}
SHOWN: dict[str, Any] = {"handle_unknown": "indicator", "handle_missing": "indicator"}
BOTH: dict[str, Any] = {"cols": ["color", "size", "flag"]}


def made(name: str, table: Callable[[], Table] = between, **options: Any) -> Callable[[], Case]:
    encoder = GLMMEncoder if name == "GLMM" else getattr(category_encoders, f"{name}Encoder")
    return of(encoder(**options), table)


ONE_COLUMN = ("CatBoost", "Count", "GLMM", "JamesStein", "LeaveOneOut", "MEstimate", "Ordinal", "Quantile", "Target")
BLOCKS = ("BackwardDifference", "BaseN", "Binary", "Gray", "Helmert", "OneHot", "Polynomial", "RankHot", "Sum", "Summary")

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "category-encoders": {
        **{f"{name}": made(name) for name in (*ONE_COLUMN, *BLOCKS)},
        **{f"{name}-strict": made(name, complete, **STRICT, **BOTH) for name in ("Count", "Gray", "OneHot", "Target")},
        **{f"{name}-nan": made(name, **NAN) for name in ("Count", "LeaveOneOut", "OneHot", "RankHot", "Summary", "Target")},
        **{f"{name}-indicator": made(name, **SHOWN) for name in ("Binary", "OneHot", "Sum")},
        **{f"{name}-array": made(name, array) for name in ("Count", "OneHot")},
        **{f"{name}-nullable": made(name, nullable) for name in ("LeaveOneOut", "Ordinal")},
        **{f"{name}-ordered": made(name, sized) for name in ("CatBoost", "RankHot")},
        **{f"{name}-none": made(name, nones, **NAN) for name in ("Count", "OneHot", "Ordinal")},
        "WOE": made("WOE", two, **BOTH),
        "WOE-nan": made("WOE", two, **NAN),
        "CountTarget": made("CountTarget", two),
        "CountTarget-three": made("CountTarget", sorts, **BOTH),
        "BaseN-5": made("BaseN", base=5, **BOTH),
        "BaseN-1": made("BaseN", base=1),
        "OneHot-names": made("OneHot", use_cat_names=True, drop_invariant=True, return_df=False),
        "Target-groups": made("Target", min_group_size=30, min_group_name="few"),
        "Target-hierarchy": made("Target", cols=["kind"], hierarchy={"kind": {"all": ("a", "b")}}),
        "Count-groups": made("Count", min_group_size=70, combine_min_nan_groups="force"),
        "Count-shares": made("Count", normalize=True, handle_unknown={"color": 4}, min_group_size={"color": 30}),
        "Ordinal-own": made("Ordinal", mapping=[{"col": "color", "mapping": {"red": 3, "green": 5, None: 7}}]),
        "Ordinal-numbers": made("Ordinal", handle_unknown=77, handle_missing=88, **BOTH),
        "no-column": made("Target", cols=[]),
        "pipeline": of(
            make_pipeline(category_encoders.TargetEncoder(), SimpleImputer(), RandomForestRegressor(4, random_state=0)), between
        ),
        "pipeline-after": of(
            make_pipeline(
                make_column_transformer((SimpleImputer(strategy="most_frequent"), ["color", "kind"])),
                category_encoders.HelmertEncoder(),
                Ridge(),
            ),
            between,
        ),
        "columns": of(
            make_column_transformer((category_encoders.BinaryEncoder(), ["kind", "color"]), remainder="passthrough"), between
        ),
    }
}
