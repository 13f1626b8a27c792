"""Score the elements of Beam's pipelines: handlers of a model for `RunInference`."""

from apache_beam.ml.inference.base import ModelHandler

from flyweight.arrow.scorer import COLUMN, Scorer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from flyweight.predictor import Predictor


class _Handler(ModelHandler):  # type: ignore[misc]
    """A model for `RunInference`. It crosses to the workers as its path or address, and each process loads it once.

    Rows that can't be answered have their reason in a column, unlike elsewhere: Beam runs a failed bundle again and again, and
    its `with_exception_handling` gives up the whole batch for one row.

    :param model: as for `Scorer`, and so are `keep` and `outputs`; a path must be there on every machine.
    :param on_error: as for `Scorer`, but "column" unless told otherwise.
    :param options: further ones of Beam's `ModelHandler`, such as `max_batch_size`.
    :raises FlyweightError: as `Scorer`.
    """

    def __init__(
        self,
        model: "str | Path | bytes | Predictor",
        *,
        keep: "Sequence[str]" = (),
        outputs: "Sequence[str] | None" = None,
        on_error: str = COLUMN,
        **options: "Any",
    ) -> None:
        super().__init__(**options)
        self._scorer = Scorer(model, keep=keep, outputs=outputs, on_error=on_error)

    def load_model(self) -> Scorer:
        """Load the model, if this process does not have it yet.

        :raises ModelRefused: the file is not the one that the pipeline was made with.
        """
        _ = self._scorer.model
        return self._scorer


class Batches(_Handler):
    """A model for elements that are record batches of Arrow, and so are the answers."""

    def __init__(self, model: "str | Path | bytes | Predictor", **options: "Any") -> None:
        super().__init__(model, **{"max_batch_size": 1, **options})  # an element is a batch already

    def run_inference(self, batch: "Sequence[Any]", model: Scorer, inference_args: "dict[str, Any] | None" = None) -> "list[Any]":
        """Score record batches.

        :raises InvalidInput: as a scorer does.
        """
        return [*map(model, batch)]

    def get_num_bytes(self, batch: "Sequence[Any]") -> int:
        """Count the bytes of record batches, for Beam's metrics."""
        return sum(part.nbytes for part in batch)


class Rows(_Handler):
    """A model for elements that are dicts by column, and so are the answers."""

    def run_inference(
        self, batch: "Sequence[dict[str, Any]]", model: Scorer, inference_args: "dict[str, Any] | None" = None
    ) -> "list[dict[str, Any]]":
        """Score rows.

        :raises InvalidInput: as a scorer does.
        """
        return model.rows(batch)
