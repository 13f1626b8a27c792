"""Score the frames of polars, also lazy ones in its streaming engine."""

# imports late: polars

from flyweight.arrow.scorer import RAISE, Scorer, WrongScorer, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from flyweight.predictor import Predictor


def score(
    frame: "Any",
    model: "str | Path | bytes | Predictor",
    *,
    keep: "Sequence[str]" = (),
    outputs: "Sequence[str] | None" = None,
    on_error: str = RAISE,
) -> "Any":
    """Score a DataFrame or a LazyFrame, with the answers of a `Scorer`.

    :param frame: columns are found by their names. Of a lazy one only the features and the kept columns are read.
    :param model: as for `Scorer`, and so are `keep`, `outputs` and `on_error`.
    :returns: the same kind of frame: the kept columns, then one column an answer.
    :raises FlyweightError: as `Scorer`, and as a scorer does when it is called. polars raises its own error, which has this one's
        text, when it collects a lazy frame.
    """
    import polars as pl

    scorer = Scorer(model, keep=keep, outputs=outputs, on_error=on_error)
    if isinstance(frame, pl.DataFrame):
        scorer.check_kept(frame.columns)
        return _answered(frame, scorer)
    if not isinstance(frame, pl.LazyFrame):
        raise WrongScorer(f"expected a DataFrame or a LazyFrame of polars, got {named(frame)}")
    given = frame.collect_schema()
    scorer.check_kept(given)
    features = [feature.name for feature in scorer.model.signature.features if feature.name in given]
    chosen = frame.select([*dict.fromkeys([*scorer.keep, *features])])
    found = pl.DataFrame(scorer.fields().empty_table()).schema
    schema = pl.Schema({**{name: given[name] for name in scorer.keep}, **found})
    return chosen.map_batches(lambda part: _answered(part, scorer), schema=schema, streamable=True)


def _answered(frame: "Any", scorer: Scorer) -> "Any":
    """Score a DataFrame by a scorer."""
    import polars as pl

    return frame.select(scorer.keep).hstack(pl.DataFrame(scorer.answers(frame.to_arrow())))
