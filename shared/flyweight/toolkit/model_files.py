"""Load a model file; an error names the file."""

from flyweight import predictor
from flyweight.errors import ModelRefused
from flyweight.predictor import UNLIMITED, Predictor
from flyweight.settings import Limits


def load(path: str, limits: Limits = UNLIMITED) -> Predictor:
    """Load the model file at `path` and check it.

    :raises ModelRefused: the file fails a check; the message begins with its path.
    :raises OSError: the file can't be read.
    """
    try:
        return predictor.load(path, limits)
    except ModelRefused as error:
        error.args = (f"{path}: {error}",)
        raise
