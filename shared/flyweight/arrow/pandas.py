"""Score DataFrames of pandas, whole or by chunk."""

# imports late: pandas, pyarrow

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
    """Score a DataFrame, with the answers of a `Scorer`.

    :param frame: columns are found by their names; one without rows has an answer without rows.
    :param model: as for `Scorer`, and so are `keep`, `outputs` and `on_error`.
    :returns: a DataFrame with the same index: the kept columns, then one column an answer.
    :raises FlyweightError: as `Scorer`, and as a scorer does when it is called.
    """
    return answered(frame, Scorer(model, keep=keep, outputs=outputs, on_error=on_error))


def answered(frame: "Any", scorer: Scorer) -> "Any":
    """Score a DataFrame by a scorer; what is kept does not pass through Arrow, so that it has the same type after it.

    :raises WrongScorer: it is no DataFrame, or a column that is to be kept is not there.
    """
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise WrongScorer(f"expected a DataFrame of pandas, got {named(frame)}")
    scorer.check_kept(frame.columns)
    features = [feature.name for feature in scorer.model.signature.features]
    given = pa.Table.from_pandas(frame[[name for name in features if name in frame.columns]], preserve_index=False)
    found = scorer.answers(given).to_pandas(types_mapper=_type_of)
    found.index = frame.index
    return pd.concat([frame[[*scorer.keep]], found], axis=1)


def _type_of(kind: "Any") -> "Any":
    """Choose the type of a column: one of NumPy or pandas if it can hold null, else Arrow's own, in every part of a table."""
    import pandas as pd
    import pyarrow as pa

    return None if pa.types.is_floating(kind) or pa.types.is_string(kind) else pd.ArrowDtype(kind)
