"""Score the DataFrames of Dask."""

from flyweight.arrow.pandas import answered
from flyweight.arrow.scorer import RAISE, Scorer

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
    """Score a DataFrame, partition by partition and in its order, with the answers of a `Scorer`.

    A partition is scored some thousand rows at a time.

    :param frame: `dask.dataframe.DataFrame`; columns are found by their names.
    :param model: as for `Scorer`, and so are `keep`, `outputs` and `on_error`; a path must be there on every machine.
    :returns: a DataFrame with the same index and partitions: the kept columns, then one column an answer.
    :raises FlyweightError: as `Scorer`, and a column is missing. A worker's error reaches the caller as it was raised.
    """
    scorer = Scorer(model, keep=keep, outputs=outputs, on_error=on_error)
    empty = frame._meta  # of no rows: what Dask knows about the columns
    return frame.map_partitions(answered, scorer, meta=answered(empty, scorer))
