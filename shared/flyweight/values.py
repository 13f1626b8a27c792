"""Frozen values that pass between rooms: requests, responses, predictions, releases."""

from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

    T = TypeVar("T")
    LogFields = dict[str, Any]  # what the log line of a request or a batch will hold
    Parsed = tuple[Any, Any]  # instances that are not validated yet, and the outputs that a body asks for or None

    class Value:
        """The base of frozen values: a tuple whose items have names."""

        _fields: ClassVar[tuple[str, ...]]

        def __iter__(self) -> Iterator[Any]: ...
        def _asdict(self) -> dict[str, Any]: ...
        def _replace(self, **changes: Any) -> Self: ...
        @classmethod
        def _make(cls, values: tuple[Any, ...]) -> Self: ...

    @dataclass_transform(frozen_default=True)
    def frozen(cls: type[T]) -> type[T]:
        """Make a class of annotated fields a frozen value."""
else:

    class Value(tuple):
        """A tuple whose items have names, as `collections.namedtuple` makes, without the code that it compiles for each class."""

        __slots__ = ()
        _make = classmethod(tuple.__new__)  # from all values in order, in a third of the time

        def __new__(cls, *values, **named):  # noqa: D102
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
        return type(cls.__name__, (Value,), {**kept, **readers, "__slots__": (), "_fields": fields, "_defaults": defaults})


@frozen
class Request(Value):
    """A request as every transport decodes it."""

    method: str
    path: str
    headers: "Mapping[str, str]"  # names in lower case
    body: bytes
    request_id: str = ""  # the provider's own; the core makes one where it is empty


@frozen
class Response(Value):
    """A response that each transport encodes in its own form."""

    status: int
    headers: "Mapping[str, str]"
    body: bytes


@frozen
class Prediction(Value):
    """A model's answers, one entry an instance; None for an output that was not asked for or that the model lacks.

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


@frozen
class Release(Value):
    """What an address in a store means now: which object, and what its bytes must turn out to be.

    `serial` orders the releases of an alias, else 0. For a plain object `name`, `version` and `sha256` are "" and `tag` is
    its own; for a registry's release `tag` and `modified` are those of the pointer or record.
    """

    name: str
    version: str
    sha256: str
    size: int
    key: str
    tag: str
    serial: int
    signature: "dict[str, str] | None"
    modified: float
