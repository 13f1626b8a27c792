"""Convert feature_engine's imputers and encoders: each is a table of what it learned, a column."""

from __future__ import annotations

from typing import Any

from flyweight.ops.encode import REFUSE
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value, is_missing, plain
from flyweight.toolkit.convert.elementwise import flags
from flyweight.toolkit.convert.frames import Frame


@converts(
    "feature_engine.MeanMedianImputer",
    "feature_engine.ArbitraryNumberImputer",
    "feature_engine.EndTailImputer",
    "feature_engine.CategoricalImputer",
)
def imputer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the columns with their missing values filled."""
    frame = Frame(estimator, x, draft)
    fills = {name: plain(value) for name, value in estimator.imputer_dict_.items() if not is_missing(value)}
    if fills:
        value = frame.of([*fills])
        for position, fill in enumerate(fills.values()):
            if isinstance(fill, str):
                draft.note_categories(value, position, [fill])
        parameters: dict[str, Any] = {"nulls": [True] * len(fills), "missing": [None]}
        frame.put([*fills], draft.add("impute.fill", value, columns=value.columns, fill=[*fills.values()], **parameters))
    return frame.outputs()


@converts("feature_engine.AddMissingIndicator")
def indicator(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the columns, and behind them one flag for each that may be missing."""
    frame = Frame(estimator, x, draft)
    if estimator.variables_:
        value = frame.of(estimator.variables_)
        names = [f"{name}_na" for name in estimator.variables_]
        frame.put(names, flags(value, list(range(len(names))), draft))
    return frame.outputs()


@converts("feature_engine.RandomSampleImputer")
def random_imputer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Refuse: the answers are drawn at random.

    :raises ConversionRefused: always.
    """
    Frame(estimator, x, draft).refuse("it fills with values drawn at random; use MeanMedianImputer or CategoricalImputer")


@converts("feature_engine.DropMissingData", "feature_engine.OutlierTrimmer")
def dropper(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Refuse: rows are dropped.

    :raises ConversionRefused: always.
    """
    helps = "it drops rows, and a model answers each row; leave it out of the pipeline, and drop rows before training"
    Frame(estimator, x, draft).refuse(helps)


@converts("feature_engine.LagFeatures", "feature_engine.WindowFeatures", "feature_engine.ExpandingWindowFeatures")
def of_other_rows(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Refuse: the answer to a row is made of rows before it.

    :raises ConversionRefused: always.
    """
    helps = (
        "it reads the rows before a row, and a request has no history; compute these columns where the history is, and send them"
    )
    Frame(estimator, x, draft).refuse(helps)


@converts(
    "feature_engine.OrdinalEncoder",
    "feature_engine.CountFrequencyEncoder",
    "feature_engine.MeanEncoder",
    "feature_engine.WoEEncoder",
    "feature_engine.DecisionTreeEncoder",
)
def encoder(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one number a category.

    :raises ConversionRefused: a category is neither a string nor a number.
    """
    frame = Frame(estimator, x, draft)
    way = getattr(estimator, "unseen", "raise")
    unseen = plain(estimator._unseen) if way == "encode" else "nan" if way == "ignore" else REFUSE
    missing = unseen if getattr(estimator, "missing_values", "raise") == "ignore" else REFUSE
    value = frame.of([*estimator.encoder_dict_])
    tables: list[dict[Any, Any]] = []
    for table in estimator.encoder_dict_.values():
        coded = {plain(category): plain(code) for category, code in table.items() if not is_missing(category)}
        tables.append({category: code for category, code in coded.items() if not is_missing(code)})
        if any(is_missing(code) for code in coded.values()) and unseen != "nan":
            frame.refuse("it gives some categories no number; fit it with unseen='ignore', or drop these categories")
    lists = _noted(frame, value, tables)
    codes = {"codes": [[*table.values()] for table in tables]}
    width = len(tables)
    ends: dict[str, Any] = {"unseen": [unseen] * width, "missing": [missing] * width, "names": value.names}
    frame.add("encode.ordinal", value, [*estimator.encoder_dict_], categories=lists, **codes, **ends)
    if "nan" in (unseen, missing):  # a reader may refuse it
        frame.put([*estimator.encoder_dict_], _accepted(frame.of([*estimator.encoder_dict_]), draft))
    return frame.outputs()


def _accepted(x: Value, draft: Draft) -> Value:
    """Add a check that the pipeline sets by what its next step accepts (`columns.pipeline`)."""
    return draft.add("elementwise.accept", x, columns=x.columns, takes="any", names=x.names)


@converts("feature_engine.OneHotEncoder")
def one_hot(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one flag a category, behind the columns that stay.

    :raises ConversionRefused: a category is neither a string nor a number.
    """
    frame = Frame(estimator, x, draft)
    variables = estimator.variables_
    value = frame.of(variables)
    lists = _noted(frame, value, [[plain(category) for category in estimator.encoder_dict_[name]] for name in variables])
    widths = [len(known) for known in lists]
    frame.drop(variables)
    frame.add(
        "encode.one_hot",
        value,
        [f"{name}_{category}" for name in variables for category in estimator.encoder_dict_[name]],
        categories=lists,
        codes=[[*range(width)] for width in widths],
        unseen=[-1] * len(widths),
        missing=[REFUSE] * len(widths),
        widths=widths,
        names=value.names,
    )
    return frame.outputs()


@converts("feature_engine.RareLabelEncoder", "feature_engine.MatchCategories")
def rare(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the categories that are kept, and one word, or nothing, for all others.

    :raises ConversionRefused: a column mixes strings and numbers.
    """
    frame = Frame(estimator, x, draft)
    learned, other = (
        (estimator.category_dict_, None)
        if hasattr(estimator, "category_dict_")
        else (estimator.encoder_dict_, estimator.replace_with)
    )
    known = {name: [plain(category) for category in categories] for name, categories in learned.items()}
    known = {name: [category for category in categories if not is_missing(category)] for name, categories in known.items()}
    words = [name for name, categories in known.items() if any(isinstance(category, str) for category in categories)]
    numbers = [name for name in known if name not in words]
    if words:
        value = frame.of(words)
        lists = _noted(frame, value, [known[name] for name in words])
        # pandas looks for NaN among the categories, which is not None
        nulls = [other is None or column.marker is not None for column in value.columns]
        frame.add("strings.keep", value, words, known=lists, other=[other] * len(words), nulls=nulls)
    if numbers:
        if isinstance(other, str):
            frame.refuse(f"it puts {other!r} among the numbers of {numbers[0]!r}; give replace_with a number")
        value = frame.of(numbers)
        lists = _noted(frame, value, [known[name] for name in numbers])
        width = len(numbers)
        ends: dict[str, Any] = {"unseen": ["nan" if other is None else other] * width, "missing": ["nan"] * width}
        frame.add("encode.ordinal", value, numbers, categories=lists, codes=lists, names=value.names, **ends)
    return frame.outputs()


@converts("feature_engine.StringSimilarityEncoder")
def similarity(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to how much each string resembles the known ones, behind the columns that stay."""
    frame = Frame(estimator, x, draft)
    variables = estimator.variables_
    value = frame.of(variables)
    lists = [[str(category) for category in estimator.encoder_dict_[name]] for name in variables]
    for position, known in enumerate(lists):
        draft.note_categories(value, position, [word for word in known if word])
    names = [f"{name}_{word}" for name, known in zip(variables, lists, strict=True) for word in known]
    frame.add("strings.similarity", value, names, known=lists, missing="empty" if estimator.missing_values == "impute" else "nan")
    frame.drop(variables)
    return frame.outputs()


def _noted(frame: Frame, value: Value, known: list[Any]) -> list[list[Any]]:
    """Note the categories of each column of a value, and return them as lists.

    :raises ConversionRefused: a category is neither a string nor a number.
    """
    for position, categories in enumerate(known):
        if any(not isinstance(category, (str, int, float)) for category in categories):
            frame.refuse(f"categories of {value.names[position]!r} are neither strings nor numbers; turn them into strings")
        frame.draft.note_categories(value, position, [*categories])
    return [[*categories] for categories in known]
