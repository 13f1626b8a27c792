"""What a fitted estimator tells about each column: the kind of its values, its categories, or that nothing reads it.

A column is followed through the steps that only hand it on (pipelines, column transformers, imputers) to the step that reads it.
An encoder's categories say whether it holds strings or numbers; a scaler, a tree or a linear model reads numbers. A step that is
not known here tells nothing, and a column that only such a step reads has no kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from flyweight.ops.catboost import HASH_FACTOR, MASK
from flyweight.ops.hashes import city_hash
from flyweight.toolkit.convert.draft import is_missing
from flyweight.toolkit.convert.impute import is_dropped
from flyweight.toolkit.packing import frame_evidence

# attributes that hold the estimators inside an estimator, which read the same columns
MEMBERS = ("best_estimator_", "estimator_", "regressor_", "classifier_", "estimators_", "calibrated_classifiers_", "estimator")
# their members read other columns, or none
WHOLE = ("sklearn.tree", "sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._iforest")
FAMILIES = ("sklearn.", "imblearn.", "lightgbm.", "xgboost.", "catboost.", "statsmodels.")
ANYTHING = ("MissingIndicator", "DummyClassifier", "DummyRegressor", "FeatureHasher", "DictVectorizer", "FunctionTransformer")

Sources = list["int | None"]  # for each column of a value its position in the table; None if it is computed


@dataclass
class Told:
    """What an estimator tells about one column.

    :param kinds: the kinds by what tells them: "categories" (of an encoder), "hashes" (of CatBoost: strings or whole numbers),
        "text", "datetimes", or "numbers" (a step that reads numbers, or booleans as numbers).
    :param step: the class of the step that told it, for messages.
    :param categories: those that an encoder knows.
    :param framed: whether the step takes the column only as pandas' category of these.
    :param read: whether anything reads the column.
    :param marker: what the estimator met where a value was missing: None, NaN or pandas' NA.
    :param objects: whether the step was fitted on numbers that a column of objects held, and takes no column of floats.
    :param knows: tells whether a text is a category, where only their hashes are known.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    step: str = ""
    categories: dict[Any, None] = field(default_factory=dict)
    framed: bool = False
    read: bool = False
    marker: Any = np.nan
    objects: bool = False
    knows: Callable[[str], bool] | None = None

    @property
    def kind(self) -> str | None:
        """The kind that is certain: "number", "boolean", "string", "datetime" or "unread"; None if nothing tells it."""
        if not self.read:
            return "unread"
        return next((self.kinds[by] for by in ("categories", "text", "datetimes", "numbers") if by in self.kinds), None)

    @property
    def only_reads_numbers(self) -> bool:
        """Whether the kind is number since a step computes with it, so that booleans would do as well."""
        return "numbers" in self.kinds and not {"categories", "text", "datetimes"} & {*self.kinds}

    def is_category(self, text: str) -> bool:
        """Check whether a text is a category that the estimator knows."""
        return text in self.categories or (self.knows is not None and self.knows(text))


def told_by(estimator: Any, names: Sequence[str]) -> list[Told]:
    """Ask a fitted estimator about each column of its table.

    :param names: the names of the columns.
    """
    told = [Told() for _ in names]
    handed_on = Walker(told).through(estimator, [*range(len(names))])
    for source in handed_on or []:  # a transformer's own answer holds them
        if source is not None:
            told[source].read = True
    return told


class Walker:
    """A walk through the steps of an estimator; what they tell is collected in `told`, by the position of the column."""

    def __init__(self, told: list[Told]) -> None:
        self.told = told

    def through(self, step: Any, x: Sources | None) -> Sources | None:
        """Walk through one step.

        :param x: the columns that the step reads; None if they are all computed.
        :returns: the columns that it gives, None if they are all computed.
        """
        if step is None or (isinstance(step, str) and step == "passthrough"):
            return x
        if x is None or (isinstance(step, str) and step == "drop"):
            return None
        walk = next((walk for is_such, walk in STEPS if is_such(step)), None)
        if walk is not None:
            return walk(self, step, x)
        self.note(step, x, "numbers" if _reads_numbers(step) else "")
        return None  # what a step that is not known here gives is computed, as far as is known

    def note(self, step: Any, x: Sources, by: str, kind: str = "number") -> None:
        """Note that a step reads columns, and the kind that it tells of them; by "" none."""
        for source in x:
            if source is not None:
                told = self.told[source]
                told.read = True
                if by and by not in told.kinds:
                    told.kinds[by], told.step = kind, told.step or type(step).__name__

    def note_categories(self, step: Any, source: int | None, categories: Sequence[Any], *, framed: bool = False) -> None:
        """Note the categories that a step knows of a column; `framed` if it takes them as pandas' category only."""
        if source is None:
            return
        told = self.told[source]
        told.read, told.framed = True, told.framed or framed
        kind = kind_of_values(categories)
        if kind is not None and "categories" not in told.kinds:
            told.kinds["categories"], told.step = kind, type(step).__name__
        told.marker = next((value for value in categories if is_missing(value)), told.marker)
        told.categories |= dict.fromkeys(value for value in categories if not is_missing(value))

    def steps(self, pipeline: Any, x: Sources | None) -> Sources | None:
        """Walk through a pipeline; samplers change rows in training only."""
        for _, step in pipeline.steps:
            x = x if hasattr(step, "fit_resample") else self.through(step, x)
        return x

    def columns(self, transformer: Any, x: Sources) -> Sources | None:
        """Walk through each part of a column transformer over its own columns."""
        given: Sources = [None] * max([one.stop for one in transformer.output_indices_.values()], default=0)
        for name, part, _ in transformer.transformers_:
            positions = transformer._transformer_to_input_indices[name]
            own = self.through(part, [x[position] if position < len(x) else None for position in positions])
            place = transformer.output_indices_.get(name)
            if own is not None and place is not None:
                for position, source in zip(range(place.start, place.stop), own, strict=False):
                    given[position] = source
        return given

    def union(self, union: Any, x: Sources) -> Sources | None:
        """Walk through each part of a union over all columns; those that it hands on can't be told apart by position."""
        given = [self.through(part, x) for _, part in union.transformer_list]
        kept: Sources = [source for own in given for source in own or [] if source is not None]
        self.note(union, kept, "")
        return kept or None

    def encoder(self, encoder: Any, x: Sources) -> None:
        """Note the categories of each column of an encoder."""
        for source, categories in zip(x, encoder.categories_, strict=False):
            self.note(encoder, [source], "")
            known = np.asarray(categories)
            self.note_categories(encoder, source, known.tolist())
            if source is not None and known.dtype == object and self.told[source].kinds.get("categories") == "number":
                self.told[source].objects = True

    def mapped(self, encoder: Any, x: Sources) -> Sources | None:
        """Note the categories of an encoder that keeps one dictionary a variable, and hands on the other columns."""
        names = [str(name) for name in getattr(encoder, "feature_names_in_", [])]
        by_name = dict(zip(names, x, strict=False))
        encoded = {str(name): values for name, values in encoder.encoder_dict_.items()}
        for name, values in encoded.items():
            self.note(encoder, [by_name.get(name)], "")
            self.note_categories(encoder, by_name.get(name), list(values))
        return [None if name in encoded else source for name, source in by_name.items()]

    def imputer(self, imputer: Any, x: Sources) -> Sources | None:
        """Walk through an imputer of constants, which hands on the columns that it does not drop."""
        statistics = np.asarray(imputer.statistics_, dtype=object).tolist()
        for source, value in zip(x, statistics, strict=False):
            self.note(imputer, [source], "numbers" if imputer.strategy in ("mean", "median") else "")
            if source is not None and is_missing(imputer.missing_values):
                self.told[source].marker = imputer.missing_values
            if isinstance(value, str):
                self.note(imputer, [source], "text", "string")
        dropped = [is_dropped(imputer, value) for value in statistics]
        return [source for source, gone in zip(x, dropped, strict=False) if not gone] + [None] * len(x)

    def texts(self, vectorizer: Any, x: Sources) -> None:
        """Note that a vectorizer reads a text."""
        self.note(vectorizer, x, "text", "string")

    def histogram(self, booster: Any, x: Sources) -> None:
        """Walk through the preprocessor of histogram gradient boosting, which encodes its categories."""
        self.note(booster, x, "")
        if getattr(booster, "_preprocessor", None) is None:  # before scikit-learn 1.4 there was none
            return self.note(booster, x, "numbers")
        for name, part, _ in booster._preprocessor.transformers_:
            own = [x[position] for position in booster._preprocessor._transformer_to_input_indices[name]]
            self.encoder(part, own) if hasattr(part, "categories_") else self.note(booster, own, "numbers")

    def lightgbm(self, model: Any, x: Sources) -> None:
        """Note pandas' categories of a LightGBM model; it reads numbers otherwise."""
        from flyweight.toolkit.convert.lightgbm_text import Saved

        booster = getattr(model, "booster_", model)
        known = booster.pandas_categorical or []
        declared = Saved.of(booster.model_to_string(num_iteration=1)).declared if known else []
        if len(known) == len(declared):
            for feature, categories in zip(declared, known, strict=True):
                self.note_categories(model, x[feature], categories, framed=True)
        self.note(model, [source for place, source in enumerate(x) if place not in {*declared}], "numbers")

    def xgboost(self, model: Any, x: Sources) -> None:
        """Note pandas' categories of an XGBoost model; it reads numbers otherwise."""
        import json

        from flyweight.toolkit.convert.xgboost_json import Saved

        booster = model.get_booster()
        framed = "c" in (booster.feature_types or [])
        known = Saved(json.loads(bytes(booster.save_raw("json"))), None).categories if framed else {}
        for feature, categories in known.items():
            self.note_categories(model, x[feature], categories, framed=True)
        self.note(model, [source for position, source in enumerate(x) if position not in known], "numbers")

    def catboost(self, model: Any, x: Sources) -> None:
        """Note the categorical features of a CatBoost model, which keeps hashes of their texts; it reads numbers otherwise."""
        inner = getattr(model, "booster_", model)
        hashed = [int(place) for place in inner.get_cat_feature_indices()]
        self.note(model, [source for position, source in enumerate(x) if position not in hashed], "numbers")
        known = _known_hashes(inner) if hashed else {}
        for place, feature in enumerate(hashed):
            self.note(model, [x[feature]], "hashes", "string")
            source = x[feature]
            if source is not None:
                self.told[source].knows = _looks_up(known.get(place, set()))

    def members(self, estimator: Any, x: Sources) -> Sources | None:
        """Walk through the estimators inside an estimator, each over the same columns or over its own."""
        inside = next(getattr(estimator, name) for name in MEMBERS if _is_fitted(getattr(estimator, name, None)))
        parts = np.asarray(inside, dtype=object).ravel().tolist() if isinstance(inside, (list, np.ndarray)) else [inside]
        own = getattr(estimator, "estimators_features_", None)
        self.note(estimator, x if own is not None else [], "")
        for number, part in enumerate(parts):
            taken = x if own is None else [x[position] for position in own[number]]
            self.through(part, taken + [None])  # a chain's members read the answers of others as well
        if getattr(estimator, "passthrough", False):
            self.through(getattr(estimator, "final_estimator_", None), [None, *x])
        return None


def _is_fitted(inside: Any) -> bool:
    """Check that an attribute holds estimators, and not the parameter of one that was never fitted."""
    first = np.asarray(inside, dtype=object).ravel()[:1].tolist() if isinstance(inside, (list, np.ndarray)) else [inside]
    return bool(first) and first[0] is not None and (hasattr(first[0], "get_params") or hasattr(first[0], "estimator"))


def _is_meta(step: Any) -> bool:
    module = type(step).__module__
    return not module.startswith(WHOLE) and any(_is_fitted(getattr(step, name, None)) for name in MEMBERS)


def _reads_numbers(step: Any) -> bool:
    """Check whether a step computes with the numbers of its columns: a class of a known library, or a function of arrays."""
    if isinstance(getattr(step, "func", None), np.ufunc):
        return True
    module, name = type(step).__module__, type(step).__name__
    return f"{module}.".startswith(FAMILIES) and name not in ANYTHING


def kind_of_values(values: Sequence[Any]) -> str | None:
    """Find the kind of categories, or of a column's values; "other" if they are of several kinds, None if all are missing."""
    kinds = {kind_of_value(value) for value in values if not is_missing(value)}
    return kinds.pop() if len(kinds) == 1 else "other" if kinds else None


def kind_of_value(value: Any) -> str:
    """Find the kind of one value."""
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float, np.number, Decimal, Fraction)) and not isinstance(value, np.timedelta64):
        return "number"
    return "datetime" if isinstance(value, (date, np.datetime64)) else "other"


def _known_hashes(model: Any) -> dict[int, set[int]]:
    """Collect the keys of the categories that a CatBoost model knows, by the number of the categorical feature."""
    from flyweight.toolkit.convert.catboost_json import Saved

    saved, known = Saved.of(model), dict[int, set[int]]()
    for place, feature in enumerate(saved.features("categorical_features")):
        known[place] = {_key(int(value)) for value in feature.get("values") or []}
    for statistic in saved.features("ctrs"):
        elements = statistic["elements"]
        if len(elements) == 1 and elements[0]["combination_element"] == "cat_feature_value":
            halves = saved.tables(statistic)[0].tolist()
            keys = {(high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF for high, low in halves}
            known.setdefault(elements[0]["cat_feature_index"], set()).update(keys)
    return known


def _key(hashed: int) -> int:
    """Compute the key under which a CatBoost model keeps the statistics of one category."""
    return HASH_FACTOR * (HASH_FACTOR * (hashed & MASK)) & MASK


def _looks_up(keys: set[int]) -> Callable[[str], bool]:
    return lambda text: _key(city_hash(text)) in keys


Walk = Callable[[Walker, Any, Sources], "Sources | None"]
# how each kind of step is walked through; the first that fits
STEPS: tuple[tuple[Callable[[Any], bool], Walk], ...] = (
    (lambda step: hasattr(step, "steps"), Walker.steps),
    (lambda step: hasattr(step, "transformers_") and hasattr(step, "output_indices_"), Walker.columns),
    (lambda step: hasattr(step, "transformer_list"), Walker.union),
    (lambda step: hasattr(step, "build_analyzer"), Walker.texts),
    (lambda step: hasattr(step, "categories_"), Walker.encoder),
    (lambda step: isinstance(getattr(step, "encoder_dict_", None), dict), Walker.mapped),
    (lambda step: type(step).__name__ == "SimpleImputer" and hasattr(step, "statistics_"), Walker.imputer),
    (lambda step: hasattr(step, "_bin_mapper"), Walker.histogram),
    (lambda step: type(step).__module__.startswith("lightgbm"), Walker.lightgbm),
    (lambda step: type(step).__module__.startswith("xgboost"), Walker.xgboost),
    (lambda step: type(step).__module__.startswith("catboost"), Walker.catboost),
    (lambda step: type(step).__name__ == "FunctionTransformer" and step.func is None, lambda walk, step, x: x),
    *frame_evidence.STEPS,
    (_is_meta, Walker.members),
)
