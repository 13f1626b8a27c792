"""Score the files of a batch endpoint: each process calls `init` once, and `run` with the paths of each mini-batch.

https://learn.microsoft.com/azure/machine-learning/how-to-batch-scoring-script
"""

import os

from azure_ml_model import mounted

from flyweight import settings
from flyweight.errors import FlyweightError
from flyweight.files.local import scored_lines
from flyweight.serving.sources import ModelSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.predictor import Predictor

predictors: "list[Predictor]" = []


def init() -> None:
    """Load the model.

    :raises FlyweightError: it can't be loaded, or is refused.
    """
    deployment = settings.read(os.path.dirname(os.path.abspath(__file__)), model=mounted())
    predictors.append(ModelSource(deployment).load(deployment.model, {}).predictor)


def run(mini_batch: "list[str]") -> "list[str]":
    """Score files in CSV, JSON lines or Parquet.

    :param mini_batch: paths of files.
    :returns: one JSON object a row, with the file's name and the row's line; a rejected row has a `problem`.
    :raises FlyweightError: a file is not what its name says, or its columns are not the model's; the platform tries the
        mini-batch again, and counts the failure for `error_threshold`.
    """
    lines: list[str] = []
    for path in mini_batch:
        try:
            lines += scored_lines(predictors[0], str(path))
        except FlyweightError as error:
            error.add_note(f"in the file {path}")
            raise
    return lines
