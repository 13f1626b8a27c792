"""Score the data sets of Ray."""

from flyweight.arrow.scorer import RAISE, Scorer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from flyweight.predictor import Predictor

BATCH = 8192  # rows


def score(
    dataset: "Any",
    model: "str | Path | bytes | Predictor",
    *,
    keep: "Sequence[str]" = (),
    outputs: "Sequence[str] | None" = None,
    on_error: str = RAISE,
    batch_size: int = BATCH,
    **options: "Any",
) -> "Any":
    """Score a data set, in its order, with the answers of a `Scorer`.

    Batches are scored by Ray's tasks. A process that runs some of them loads the model once, as an actor would; and no actor
    holds a processor that the reading of the data waits for.

    :param dataset: `ray.data.Dataset`; its order is kept from here on.
    :param model: as for `Scorer`, and so are `keep`, `outputs` and `on_error`; a path must be there on every machine.
    :param batch_size: rows of a batch.
    :param options: further ones of `Dataset.map_batches`, such as `num_cpus` or `concurrency`.
    :raises FlyweightError: as `Scorer`. What happens in a task is raised as Ray's error, which has its text.
    """
    scorer = Scorer(model, keep=keep, outputs=outputs, on_error=on_error)
    dataset.context.execution_options.preserve_order = True  # or rows come in the order in which tasks end
    return dataset.map_batches(
        scorer.__call__,
        batch_format="pyarrow",
        batch_size=batch_size,
        zero_copy_batch=True,
        udf_modifying_row_count=False,
        **options,
    )
