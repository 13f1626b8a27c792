"""The frozen values that cross the wall between handlers and core."""

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    def frozen(cls: type[T]) -> type[T]:
        """Make a class of annotated fields a frozen value."""
else:

    def frozen(cls):
        """Make a class of annotated fields a frozen value.

        A named tuple, because `dataclasses` and `typing` would each cost a cold start more than a prediction does.
        """
        fields = [*cls.__annotations__]
        defaults = [vars(cls)[field] for field in fields if field in vars(cls)]
        base = namedtuple(cls.__name__, fields, defaults=defaults)
        kept = {k: v for k, v in vars(cls).items() if k not in fields and k not in ("__dict__", "__weakref__")}
        return type(cls.__name__, (base,), {**kept, "__slots__": ()})


@frozen
class Request:
    """What a caller asks, whatever carried it."""

    method: str
    path: str
    headers: "Mapping[str, str]"  # names in lower case
    body: bytes
    request_id: str = ""  # the provider's own; the core makes one where it is empty


@frozen
class Response:
    """What the caller gets; every adapter knows how to say it in its provider's words."""

    status: int
    headers: "Mapping[str, str]"
    body: bytes


@frozen
class Prediction:
    """A model's answers, one entry an instance.

    `predictions`: labels, numbers, or lists of them where the model has several outputs.
    `probabilities`: per instance one list in the order of `classes` (a list of such lists for several outputs).
    `scores`: decision values, for classifiers that have no probabilities.
    """

    predictions: "list[Any]"
    probabilities: "list[Any] | None" = None
    scores: "list[Any] | None" = None
    classes: "list[Any] | None" = None
