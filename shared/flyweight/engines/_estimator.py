"""Run the estimator itself: build the input that it was fitted on, and call its methods."""

import warnings

import numpy as np

from flyweight import settings
from flyweight.engines import _foreign
from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile
    from flyweight.models.signature import Feature

    Array = np.ndarray[Any, Any]

# output -> the estimator's methods that give it; the first that it has is called
METHODS = {
    "index": ("predict",),
    "values": ("predict", "transform"),
    "probabilities": ("predict_proba",),
    "scores": ("decision_function",),
    "score_samples": ("score_samples",),
    "transformed": ("transform",),
}
FORMS = ("table", "texts", "dicts", "pairs")
UNITS = ("D", "h", "m", "s", "ms", "us", "ns")


class Engine(_foreign.Engine):
    """An engine that calls an estimator.

    The document's entry `estimator` has its `input` (see `Input`) and the width of each of its `outputs`.

    :raises ModelRefused: the entry is not valid, the estimator was fitted with another scikit-learn, or it fails its trial.
    """

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
        """Return the answers of the estimator's methods, by output."""
        X = self._input.of(rows)
        with warnings.catch_warnings(), np.errstate(all="ignore"), self._pools.limit(limits=self._threads):
            warnings.simplefilter("ignore")
            answers = {name: self._methods[name](X) for name in names}
        if "probabilities" in answers:  # where a row has several labels there is one probability a label
            outputs, width = self.signature.outputs, self.widths["probabilities"]
            answers["probabilities"] = _foreign.with_complement(answers["probabilities"], outputs, width)
        return answers

    def _check_version(self) -> None:
        """Check the release of scikit-learn: another one may answer differently; bug fixes (1.9.0, 1.9.1) are accepted.

        :raises ModelRefused: the installed release is not the one that made the file.
        """
        import sklearn

        made = self.spec.get("scikit-learn")
        if not isinstance(made, str) or made.split(".")[:2] != sklearn.__version__.split(".")[:2]:
            raise ModelRefused(
                f"the estimator is of scikit-learn {preview(made)}, and {sklearn.__version__} is installed; install the former, "
                "or pack the estimator again"
            )


class Input:
    """A builder of the estimator's input: a DataFrame of typed columns, an array, or a list of texts or dictionaries.

    :param spec: the document's entry `input`: `form`; `framed`, whether the input is a DataFrame; and for each feature one of
        `types` (pandas' name; "whole" for integers among objects; `{"categories": [...], "ordered": ...}`;
        `{"datetime": UNIT}`, with `"zone": NAME` for one other than UTC; or "any" for what nothing reads) and one of `markers`
        ("none", "nan" or "na"), which stands for a missing value.
    :param features: the features of the signature.
    :raises ModelRefused: the entry is not valid.
    """

    def __init__(self, spec: "Any", features: "Any") -> None:
        spec = spec if isinstance(spec, dict) else {}
        self.form, self.framed = spec.get("form"), spec.get("framed")
        types, markers = spec.get("types"), spec.get("markers")
        self.names, self.kinds = [feature.name for feature in features], [feature.kind for feature in features]
        listed = isinstance(types, list) and isinstance(markers, list) and len(types) == len(markers) == len(features)
        if (
            self.form not in FORMS
            or type(self.framed) is not bool
            or not listed
            or any(m not in ("none", "nan", "na") for m in markers)
        ):
            raise ModelRefused("the file does not say in which form the estimator takes its input")
        if self.form == "texts" and self.kinds != ["string"]:
            raise ModelRefused("an estimator of texts takes one string")
        self.types = [_checked_type(name, feature) for name, feature in zip(types, features, strict=True)]
        self.markers = [_marker(marker) for marker in markers]

    def of(self, rows: "list[list[Any]]") -> "Any":
        """Return the estimator's input for these rows."""
        if self.form == "texts":
            return [self.markers[0] if text is None else text for (text,) in rows]
        if self.form != "table":
            return [self._entry(row) for row in rows]
        columns = list(zip(*rows, strict=True)) or [()] * len(self.names)
        if not self.framed:
            return self._array(columns)
        import pandas as pd

        if {*self.kinds} == {"number"} and all(dtype == "float" for dtype in self.types):
            return pd.DataFrame(np.array(columns, dtype=float).T, columns=self.names)  # at once: a wide table takes seconds else
        cells = zip(columns, self.kinds, self.types, self.markers, strict=True)
        return pd.DataFrame(dict(zip(self.names, [_column(*cell) for cell in cells], strict=True)))

    def _entry(self, row: "list[Any]") -> "Any":
        """Return one dictionary, or list of pairs, of the values that are not missing."""
        read: dict[str, Any] = {"boolean": bool, "string": str}
        cells = zip(self.names, row, self.kinds, strict=True)
        pairs = [(name, read.get(kind, float)(value)) for name, value, kind in cells if value is not None and value == value]
        return pairs if self.form == "pairs" else dict(pairs)

    def _array(self, columns: "list[tuple[Any, ...]]") -> "Array":
        whole = [position for position, name in enumerate(self.types) if name == "whole"]
        if {*self.kinds} <= {"number", "boolean", "unread"} and not whole:
            # in C's order, as most arrays are: in Fortran's order brute-force neighbours are computed differently
            return np.ascontiguousarray(np.array(columns, dtype=float).T)
        dates = {p: _datetimes(columns[p], self.types[p]["datetime"]) for p, kind in enumerate(self.kinds) if kind == "datetime"}
        if len(dates) == len(columns):
            return np.ascontiguousarray(np.array([*dates.values()]).T)
        array = np.empty((len(columns[0]), len(columns)), dtype=object)
        for position, (values, marker) in enumerate(zip(columns, self.markers, strict=True)):
            texts = dates[position].astype("datetime64[us]").tolist() if position in dates else values
            array[:, position] = [marker if value is None else value for value in texts]
        for position in whole:
            array[:, position] = [int(value) if float(value).is_integer() else value for value in columns[position]]
        return array


def one_job(part: "Any", seen: "set[int]") -> None:
    """Set every `n_jobs` of an estimator, and of the parts fitted inside it, to 1: processes cost more than they save here.

    :param part: the estimator, or a part of it.
    :param seen: the ids of the parts that were visited.
    """
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
    """Return the estimator's method for an output.

    :raises ModelRefused: it has none.
    """
    for name in METHODS[output]:
        method = getattr(estimator, name, None)
        if callable(method):
            return method
    raise ModelRefused(f"the estimator has no {' or '.join(METHODS[output])}, which would give {output}")


def _checked_type(spec: "Any", feature: "Feature") -> "Any":
    """Return a feature's type as pandas takes it; of a datetime the unit and the zone.

    :raises ModelRefused: it is unknown, or its categories are not valid.
    """
    if feature.kind == "datetime":
        return _checked_datetime(spec, feature)
    if isinstance(spec, dict):
        import pandas as pd

        categories = spec.get("categories")
        if not isinstance(categories, list) or any(isinstance(category, (list, dict)) for category in categories):
            raise ModelRefused("a feature's categories are not a list of values")
        try:
            return pd.CategoricalDtype(categories, ordered=bool(spec.get("ordered")))
        except ValueError as error:
            raise ModelRefused(f"a feature's categories are not valid: {preview(str(error))}") from None
    if spec not in ("float", "int", "whole", "bool", "object", "str", "string") and (spec, feature.kind) != ("any", "unread"):
        raise ModelRefused(f"a feature is of type {preview(spec)}, which is not known here")
    return spec


def _checked_datetime(spec: "Any", feature: "Feature") -> "dict[str, Any]":
    """Return the unit and the zone of a datetime; the zone is None for datetimes without one.

    :raises ModelRefused: one of them is not known.
    """
    unit, zone = (spec.get("datetime"), spec.get("zone", "UTC")) if isinstance(spec, dict) else (None, None)
    if unit not in UNITS or not isinstance(zone, str):
        raise ModelRefused(f"feature {preview(feature.name)} is of type {preview(spec)}, which is no datetime's")
    if feature.zone == "none":
        return {"datetime": unit, "zone": None}
    from zoneinfo import ZoneInfo

    try:
        return {"datetime": unit, "zone": ZoneInfo(zone)}
    except (KeyError, OSError, ValueError):
        raise ModelRefused(f"feature {preview(feature.name)} has the zone {preview(zone)}, which is not known here") from None


def _marker(name: str) -> "Any":
    """Return the value that stands for a missing one."""
    if name == "na":
        import pandas as pd

        return pd.NA
    return None if name == "none" else np.nan


def _column(values: "Any", kind: str, dtype: "Any", marker: "Any") -> "Any":
    """Return one feature's values as a column of the type that the estimator was fitted on, as far as they allow it."""
    import pandas as pd

    if kind == "datetime":
        column: Any = pd.Series(_datetimes(values, dtype["datetime"]))
        return column if dtype["zone"] is None else column.dt.tz_localize("UTC").dt.tz_convert(dtype["zone"])
    if kind == "unread":
        return pd.Series([marker] * len(values), dtype=object)
    if kind == "string":
        values = [marker if value is None else value for value in values]
    if isinstance(dtype, pd.CategoricalDtype):
        known = {category: category for category in dtype.categories.tolist()}
        values = [known.get(value, value) for value in values]  # pandas tells True from 1.0
        wide = [*dict.fromkeys([*known, *[value for value in values if not pd.isna(value)]])]
        return pd.Series(pd.Categorical(values, categories=wide, ordered=dtype.ordered))
    if kind == "string":
        return pd.Series(values, dtype=dtype)
    if kind == "boolean" and dtype == "object":
        return pd.Series([bool(value) if value in (0.0, 1.0) else marker for value in values], dtype=object)
    if dtype in ("object", "whole"):  # a step that was fitted on objects takes no column of floats
        return pd.Series([_as_object(value, dtype, marker) for value in values], dtype=object)
    whole = all(value == value and float(value).is_integer() and abs(value) < 2**53 for value in values)
    column = pd.Series(values, dtype=float)
    if whole and kind == "boolean":
        return column.astype("bool")
    return column.astype("int64") if whole and dtype == "int" else column


def _as_object(value: "Any", dtype: str, marker: "Any") -> "Any":
    """Return one number as a column of objects held it: an integer where all were, and the marker where it is missing."""
    if value is None or value != value:
        return marker
    return int(value) if dtype == "whole" and float(value).is_integer() else value


def _datetimes(values: "Any", unit: str) -> "Array":
    """Return microseconds since 1970-01-01T00:00:00, NaN for a missing one, as datetimes of a unit if they fit into it."""
    numbers = np.array(values, dtype=float)
    absent = np.isnan(numbers)
    fine = np.where(absent, 0, numbers).astype("int64").astype("datetime64[us]")
    fine[absent] = np.datetime64("NaT", "us")
    whole = fine.astype(f"datetime64[{unit}]")
    return whole if (whole.astype("datetime64[us]") == fine)[~absent].all() else fine
