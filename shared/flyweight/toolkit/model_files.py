"""Load a model file; an error names the file."""

from collections.abc import Iterator
from contextlib import contextmanager

from flyweight import predictor
from flyweight.errors import ModelRefused
from flyweight.models import file
from flyweight.predictor import UNLIMITED, Predictor
from flyweight.settings import Limits


def load(path: str, limits: Limits = UNLIMITED) -> Predictor:
    """Load the model file at `path` and check it.

    :raises ModelRefused: the file fails a check; the message begins with its path.
    :raises OSError: the file can't be read.
    """
    with named(path):
        return predictor.load(path, limits)


def read(path: str) -> file.ModelFile:
    """Read the model file at `path` and check it, but for its plan.

    :raises ModelRefused: the file fails a check; the message begins with its path.
    :raises OSError: the file can't be read.
    """
    with named(path):
        return file.read(path)


@contextmanager
def named(place: str) -> Iterator[None]:
    """Name a model's path or address in the refusals of a block."""
    try:
        yield
    except ModelRefused as error:
        error.args = (f"{place}: {error}",)
        raise
