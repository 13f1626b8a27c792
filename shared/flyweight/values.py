"""The frozen values that cross the wall between handlers and core."""

from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    def frozen(cls: type[T]) -> type[T]:
        """Make a class of annotated fields a frozen value."""
else:

    class _Value(tuple):
        """A tuple whose items have names, as `collections.namedtuple` makes, without the code that it compiles for each class."""

        __slots__ = ()
        _make = classmethod(tuple.__new__)  # from all values in order, in a third of the time

        def __new__(cls, *values, **named):
            if len(values) == len(cls._fields) and not named:
                return tuple.__new__(cls, values)
            absent = cls._fields[len(values) :]
            values += tuple([named.pop(field, cls._defaults.get(field, cls)) for field in absent])
            if named or len(values) != len(cls._fields) or cls in values:
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            return tuple.__new__(cls, values)

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes):
            return type(self)(**{**self._asdict(), **changes})

    def frozen(cls):
        """Make a class of annotated fields a frozen value.

        Neither `dataclasses` nor `typing` nor `namedtuple`: each would cost a cold start more than a prediction does.
        """
        fields = tuple(cls.__annotations__)
        kept = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__", *fields)}
        readers = {field: property(itemgetter(position)) for position, field in enumerate(fields)}
        defaults = {field: vars(cls)[field] for field in fields if field in vars(cls)}
        return type(cls.__name__, (_Value,), {**kept, **readers, "__slots__": (), "_fields": fields, "_defaults": defaults})


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
    """A model's answers, one entry an instance; None for what was not asked or the model does not give.

    `predictions`: labels, numbers, or lists of them where the model has several outputs (`predict`, or `transform`).
    `probabilities`: per instance one list in the order of `classes`, a list of such lists for several outputs (`predict_proba`).
    `scores`: decision values (`decision_function`); `score_samples`: one number an instance.
    `transformed`: what a model that predicts gives by `transform`.
    """

    predictions: "list[Any] | None" = None
    probabilities: "list[Any] | None" = None
    scores: "list[Any] | None" = None
    score_samples: "list[Any] | None" = None
    transformed: "list[Any] | None" = None
    classes: "list[Any] | None" = None
