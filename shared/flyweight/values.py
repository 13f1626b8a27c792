"""Frozen values that pass between rooms: requests, responses, predictions, releases."""

from _operator import itemgetter  # of which `operator` is a wrapper that every cold start would read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, ClassVar, Self, dataclass_transform

    LogFields = dict[str, Any]  # the fields of the log line of a request or a batch
    Parsed = tuple[Any, Any]  # instances that are not validated yet, and the outputs that a body asks for or None

    @dataclass_transform(frozen_default=True)
    class Value:
        """The base of frozen values: a class of annotated fields becomes a tuple whose items have names."""

        _fields: ClassVar[tuple[str, ...]]

        def __iter__(self) -> Iterator[Any]: ...
        def _asdict(self) -> dict[str, Any]: ...
        def _replace(self, **changes: Any) -> Self: ...
        @classmethod
        def _make(cls, values: tuple[Any, ...]) -> Self: ...

else:

    class _Fields(type):
        """Turns the annotated fields of a class into the names of a tuple's items, and their values into defaults.

        `dataclasses`, `typing` and `namedtuple` are not used: importing one of them takes longer than a prediction.
        """

        def __new__(meta, name, bases, members):
            fields = members.get("__annotations__", ())
            if "__annotate_func__" in members:  # from Python 3.14 on a function makes the annotations (PEP 649)
                fields = members["__annotate_func__"](1)
            fields = tuple(fields)
            members["_fields"], members["__slots__"] = fields, ()
            members["_defaults"] = {field: members[field] for field in fields if field in members}
            for position, field in enumerate(fields):
                members[field] = property(itemgetter(position))
            return type.__new__(meta, name, bases, members)

    class Value(tuple, metaclass=_Fields):
        """A tuple whose items have names, like `collections.namedtuple` without the code that it compiles for each class."""

        _make = classmethod(tuple.__new__)  # from all values in order, in a third of the time

        def __new__(cls, *values, **named):  # noqa: D102
            if len(values) == len(cls._fields) and not named:
                return tuple.__new__(cls, values)
            absent = cls._fields[len(values) :]
            values += tuple([named.pop(field, cls._defaults.get(field, cls)) for field in absent])
            if named or len(values) != len(cls._fields) or cls in values:
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            return tuple.__new__(cls, values)

        def __getnewargs__(self):
            return tuple(self)  # for pickle and copy

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes):
            return type(self)(**{**self._asdict(), **changes})


class Request(Value):
    """A request, in the form into which every transport decodes its events."""

    method: str
    path: str
    headers: "Mapping[str, str]"  # names in lower case
    body: bytes
    request_id: str = ""  # the provider's own; if it is empty, the core makes one
    query: str = ""  # what follows the path after `?`, as it was sent


class Response(Value):
    """A response, which each transport encodes in its own form.

    `blocks`: the rest of the body, which is made while it is sent. Only a transport that carries streams gets it.
    """

    status: int
    headers: "Mapping[str, str]"
    body: bytes
    blocks: "Iterator[bytes] | None" = None


class Prediction(Value):
    """A model's answers, one entry for each instance; None for an output that was not requested or that the model lacks.

    `predictions`: labels, numbers, or lists of them if the model has several outputs (`predict`, or `transform`).
    `probabilities`: for each instance a list in the order of `classes`, or a list of such lists for several outputs
    (`predict_proba`). `scores`: decision values (`decision_function`). `score_samples`: one number for each instance.
    `transformed`: the result of `transform` of a model that predicts.
    """

    predictions: "list[Any] | None" = None
    probabilities: "list[Any] | None" = None
    scores: "list[Any] | None" = None
    score_samples: "list[Any] | None" = None
    transformed: "list[Any] | None" = None
    classes: "list[Any] | None" = None


class Release(Value):
    """The object that an address in a store names now, and what its bytes must be.

    `serial` orders the releases of an alias; else it is 0. For a plain object `name`, `version` and `sha256` are "" and `tag`
    is the object's own. For a registry's release `tag` and `modified` are those of the pointer or record.
    `digital_signature` has the items `key` (the id of the public key) and `value` (base64).
    """

    name: str
    version: str
    sha256: str
    size: int
    key: str
    tag: str
    serial: int
    digital_signature: "dict[str, str] | None"
    modified: float
