"""What the transformers of category_encoders and skrub tell about the columns of their tables, which they know by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyweight.toolkit.convert.category_encoders import categories_of

if TYPE_CHECKING:
    from flyweight.toolkit.packing.evidence import Sources, Walk, Walker

UNTABLED = ("HashingEncoder", "MultiHotEncoder")  # encoders of category_encoders that keep no table of categories
# transformers of skrub that give their columns back, as numbers, strings or categories
SAME = ("CheckInputDataFrame", "PassThrough", "ToCategorical", "CleanCategories", "DropUninformative", "ToStr")


def encoder(walk: Walker, step: Any, x: Sources) -> Sources:
    """Note the categories of each column that an encoder of category_encoders encodes, and hand on the others."""
    by_name = dict(zip(step.feature_names_in_, x, strict=False))
    for name in step.cols:
        walk.note(step, [by_name.get(name)], "")
        walk.note_categories(step, by_name.get(name), _known(step, name) or [])
    encoded = {name for name in step.cols if _known(step, name) is not None}
    outputs = step.get_feature_names_out()
    return [by_name.get(name) if name not in encoded else None for name in outputs]


def _known(step: Any, name: Any) -> list[Any] | None:
    """List the categories of a column; an empty list for an encoder that keeps no table of them."""
    return [] if type(step).__name__ in UNTABLED else categories_of(step, name)


def vectorizer(walk: Walker, step: Any, x: Sources) -> Sources | None:
    """Walk through the pipeline as which a vectorizer of tables was fitted."""
    return walk.through(step._pipeline, x)


def columns(walk: Walker, step: Any, x: Sources) -> Sources | None:
    """Walk through what a transformer of columns became when it was fitted."""
    return walk.through(step._wrapped_transformer, x)


def each(walk: Walker, step: Any, x: Sources) -> Sources:
    """Walk through the transformer of each column, whose outputs stand in its place."""
    given: Sources = []
    for name, source in zip(step.feature_names_in_, x, strict=False):
        transformer = step.transformers_.get(name)
        if transformer is None or step.keep_original:
            given.append(source)
        if transformer is not None:
            own, width = walk.through(transformer, [source]), len(step.input_to_outputs_[name])
            given += own if own is not None and len(own) == width else [None] * width
    return given


def together(walk: Walker, step: Any, x: Sources) -> Sources:
    """Walk through a transformer of some columns, whose outputs stand behind the others."""
    names = [*step.feature_names_in_]
    kept = [source for name, source in zip(names, x, strict=False) if step.keep_original or name not in step._columns]
    walk.through(step.transformer_, [source for name, source in zip(names, x, strict=False) if name in step._columns])
    return [*kept, *[None] * (len(step.all_outputs_) - len(kept))]


def floats(walk: Walker, step: Any, x: Sources) -> Sources:
    """Note that columns are read as numbers, and hand them on."""
    walk.note(step, x, "numbers")
    return x


def strings(walk: Walker, step: Any, x: Sources) -> Sources:
    """Note that columns are strings, since this step takes no others, and hand them on."""
    walk.note(step, x, "text", "string")
    return x


def datetimes(walk: Walker, step: Any, x: Sources) -> Sources:
    """Note that columns are datetimes, or strings that are read as such, and hand them on."""
    walk.note(step, x, "datetimes", "datetime")
    return x


def _is_skrub(*names: str) -> Any:
    return lambda step: type(step).__module__.startswith("skrub.") and type(step).__name__ in names


STEPS: tuple[tuple[Any, Walk], ...] = (
    (lambda step: type(step).__module__.startswith("category_encoders") and hasattr(step, "cols"), encoder),
    (_is_skrub("TableVectorizer", "Cleaner"), vectorizer),
    (_is_skrub("ApplyToCols"), columns),
    (_is_skrub("ApplyToEachCol"), each),
    (_is_skrub("ApplyToSubFrame"), together),
    (_is_skrub(*SAME), lambda walk, step, x: x),
    (_is_skrub("ToFloat"), floats),
    (_is_skrub("CleanNullStrings"), strings),
    (_is_skrub("ToDatetime"), datetimes),
)
