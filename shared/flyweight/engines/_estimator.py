"""What the engines that run the estimator itself share: its input as it was fitted on it, and its answers by method."""

import warnings

import numpy as np

from flyweight import settings
from flyweight.engines import _foreign
from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile

    Array = np.ndarray[Any, Any]

# output -> the estimator's method that gives it, the first that it has
METHODS = {
    "index": ("predict",),
    "values": ("predict", "transform"),
    "probabilities": ("predict_proba",),
    "scores": ("decision_function",),
    "score_samples": ("score_samples",),
    "transformed": ("transform",),
}
FORMS = ("table", "texts", "dicts", "pairs")


class Engine(_foreign.Engine):
    """Asks an estimator. The document's `estimator`: its `input` (see `Input`), and the width of each of its `outputs`."""

    KEY = "estimator"
    REFUSALS = (ValueError, TypeError, KeyError, IndexError, OverflowError)

    def __init__(self, file: "ModelFile", estimator: "Any") -> None:
        super().__init__(file)
        self._check_version()
        self._input = Input(self.spec.get("input"), self.signature.features)
        self._methods = {name: _method(estimator, name) for name in self.widths}
        if {*self.widths} & {"index", "values"} != {"values" if self.signature.classes is None else "index"}:
            raise ModelRefused("the estimator's outputs are not what the signature promises")
        one_job(estimator, set())
        from threadpoolctl import ThreadpoolController  # scikit-learn brings it

        self._threads, self._pools = settings.permissions().threads, ThreadpoolController()
        self.try_out(file)

    def answers(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "dict[str, Any]":
        """What the estimator's methods give."""
        X = self._input.of(rows)
        with warnings.catch_warnings(), np.errstate(all="ignore"), self._pools.limit(limits=self._threads):
            warnings.simplefilter("ignore")
            given = {name: self._methods[name](X) for name in names}
        if "probabilities" in given:  # of several labels a row there is one probability each
            outputs, width = self.signature.outputs, self.widths["probabilities"]
            given["probabilities"] = _foreign.with_complement(given["probabilities"], outputs, width)
        return given

    def _check_version(self) -> None:
        """Another release may answer otherwise, and nothing was proved of it; bug fixes (1.9.0, 1.9.1) are let through.

        :raises ModelRefused: another release than the one that made the file.
        """
        import sklearn

        made = self.spec.get("scikit-learn")
        if not isinstance(made, str) or made.split(".")[:2] != sklearn.__version__.split(".")[:2]:
            raise ModelRefused(
                f"the estimator is of scikit-learn {preview(made)}, here is {sklearn.__version__}; install that, or pack again"
            )


class Input:
    """Rows as the estimator wants them: a DataFrame of typed columns (`framed`), an array, or a list of texts or dictionaries.

    The document's `input`: `form`; `framed`; per feature a `type` (pandas' name, or `{"categories": [...], "ordered": ...}`) and
    what stands for a missing value, its `marker`: "none", "nan" or "na".
    """

    def __init__(self, told: "Any", features: "Any") -> None:
        told = told if isinstance(told, dict) else {}
        self.form, self.framed = told.get("form"), told.get("framed")
        types, markers = told.get("types"), told.get("markers")
        self.names, self.kinds = [feature.name for feature in features], [feature.kind for feature in features]
        listed = isinstance(types, list) and isinstance(markers, list) and len(types) == len(markers) == len(features)
        if (
            self.form not in FORMS
            or type(self.framed) is not bool
            or not listed
            or any(m not in ("none", "nan", "na") for m in markers)
        ):
            raise ModelRefused("the file does not say how the estimator wants its input")
        if self.form == "texts" and self.kinds != ["string"]:
            raise ModelRefused("an estimator of texts takes one string")
        self.types = [_sound_type(name) for name in types]
        self.markers = [_marker(marker) for marker in markers]

    def of(self, rows: "list[list[Any]]") -> "Any":
        """The estimator's input."""
        if self.form == "texts":
            return [self.markers[0] if text is None else text for (text,) in rows]
        if self.form != "table":
            return [self._entry(row) for row in rows]
        columns = list(zip(*rows, strict=True)) or [()] * len(self.names)
        if not self.framed:
            return self._array(columns)
        import pandas as pd

        cells = zip(columns, self.kinds, self.types, self.markers, strict=True)
        return pd.DataFrame(dict(zip(self.names, [_column(*cell) for cell in cells], strict=True)))

    def _entry(self, row: "list[Any]") -> "Any":
        """One dictionary, or list of pairs, of what is not missing."""
        given: dict[str, Any] = {"number": float, "boolean": bool, "string": str}
        cells = zip(self.names, row, self.kinds, strict=True)
        pairs = [(name, given[kind](value)) for name, value, kind in cells if value is not None and value == value]
        return pairs if self.form == "pairs" else dict(pairs)

    def _array(self, columns: "list[tuple[Any, ...]]") -> "Array":
        if "string" not in self.kinds:
            # in C's order, as people's arrays are: brute-force neighbours take another road through Fortran's
            return np.ascontiguousarray(np.array(columns, dtype=float).T)
        array = np.empty((len(columns[0]), len(columns)), dtype=object)
        for position, (values, marker) in enumerate(zip(columns, self.markers, strict=True)):
            array[:, position] = [marker if value is None else value for value in values]
        return array


def one_job(part: "Any", seen: "set[int]") -> None:
    """Every `n_jobs` of an estimator and of what was fitted inside it becomes 1: processes cost more than they gain here."""
    if id(part) in seen or isinstance(part, (str, bytes, int, float, np.generic)):
        return
    seen.add(id(part))
    if isinstance(part, np.ndarray):
        part = part.ravel().tolist() if part.dtype == object else ()
    if isinstance(part, dict):
        part = [*part.values()]
    if isinstance(part, (list, tuple)):
        for one in part:
            one_job(one, seen)
    elif getattr(part, "__dict__", None) and hasattr(part, "get_params"):
        if part.__dict__.get("n_jobs"):
            part.n_jobs = 1
        for one in [*vars(part).values()]:
            one_job(one, seen)


def _method(estimator: "Any", output: str) -> "Any":
    for name in METHODS[output]:
        method = getattr(estimator, name, None)
        if callable(method):
            return method
    raise ModelRefused(f"the estimator has no {' or '.join(METHODS[output])}, by which it would give {output}")


def _sound_type(told: "Any") -> "Any":
    if isinstance(told, dict):
        import pandas as pd

        categories = told.get("categories")
        if not isinstance(categories, list) or any(isinstance(category, (list, dict)) for category in categories):
            raise ModelRefused("a feature's categories are no list of values")
        try:
            return pd.CategoricalDtype(categories, ordered=bool(told.get("ordered")))
        except ValueError as error:
            raise ModelRefused(f"a feature's categories are none: {preview(str(error))}") from None
    if told not in ("float", "int", "bool", "object", "str", "string"):
        raise ModelRefused(f"a feature is of type {preview(told)}, which is not known here")
    return told


def _marker(name: str) -> "Any":
    if name == "na":
        import pandas as pd

        return pd.NA
    return None if name == "none" else np.nan


def _column(values: "Any", kind: str, dtype: "Any", marker: "Any") -> "Any":
    """One feature as a column of the type that the estimator was fitted on, as far as these values allow it."""
    import pandas as pd

    if kind == "string":
        values = [marker if value is None else value for value in values]
    if isinstance(dtype, pd.CategoricalDtype):
        wide = [*dict.fromkeys([*dtype.categories.tolist(), *[value for value in values if not pd.isna(value)]])]
        return pd.Series(pd.Categorical(values, categories=wide, ordered=dtype.ordered))
    if kind == "string":
        return pd.Series(values, dtype=dtype)
    whole = all(value == value and float(value).is_integer() and abs(value) < 2**53 for value in values)
    column = pd.Series(values, dtype=float)
    if whole and kind == "boolean":
        return column.astype("bool")
    return column.astype("int64") if whole and dtype == "int" else column
