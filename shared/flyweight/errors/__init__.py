"""Every error that flyweight raises on purpose, each with its code and its HTTP status, and the problem document of one.

Those that few functions meet are in `rare`, which is imported when one of them is asked for: to make a class takes as long as to
import a small module.

FlyweightError
|-- MalformedRequest       the bytes can't be read as their content type says
|-- InvalidInput           the instances do not fit the model's signature
|-- TooLarge               more bytes or instances than this deployment takes
|-- UnsupportedMediaType   a content type, charset or encoding that is not supported
|-- NotAcceptable          the caller accepts none of the supported media types
|-- NotFound, MethodNotAllowed
|-- Forbidden              an event from a sender that may not send it
|-- NotServed              an event of a known kind that flyweight does not serve
|-- ModelRefused           a model file that fails a check
|-- NoSuchOutput           a method whose output the model does not have, such as predict_proba of a regression
|-- InvalidSetting         an environment variable or an argument with no meaning
|-- NotDone                a record whose work is left for a later delivery
`-- ModelUnavailable       no model can answer now
    `-- StoreFailed        an operation on a store failed
        |-- ObjectNotFound      no object has that key
        `-- PreconditionFailed  the object changed meanwhile
"""

from flyweight.errors.usual import (
    MAX_FAULTS,
    NO_CONTENT,
    NO_HEADERS,
    OK,
    Fault,
    FlyweightError,
    InvalidInput,
    InvalidSetting,
    MalformedRequest,
    ModelRefused,
    ModelUnavailable,
    NotFound,
    TooLarge,
    error_fields,
    listing,
    log_level,
    preview,
    problem,
    status_of,
    with_next_step,
    without_secrets,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.errors.rare import (
        INPUT_ERRORS,
        Forbidden,
        MethodNotAllowed,
        NoSuchOutput,
        NotAcceptable,
        NotDone,
        NotServed,
        ObjectNotFound,
        PreconditionFailed,
        StoreFailed,
        UnsupportedMediaType,
    )

__all__ = [
    "INPUT_ERRORS",
    "MAX_FAULTS",
    "NO_CONTENT",
    "NO_HEADERS",
    "OK",
    "Fault",
    "FlyweightError",
    "Forbidden",
    "InvalidInput",
    "InvalidSetting",
    "MalformedRequest",
    "MethodNotAllowed",
    "ModelRefused",
    "ModelUnavailable",
    "NoSuchOutput",
    "NotAcceptable",
    "NotDone",
    "NotFound",
    "NotServed",
    "ObjectNotFound",
    "PreconditionFailed",
    "StoreFailed",
    "TooLarge",
    "UnsupportedMediaType",
    "error_fields",
    "listing",
    "log_level",
    "preview",
    "problem",
    "status_of",
    "with_next_step",
    "without_secrets",
]


def __getattr__(name: str) -> object:
    """Get one of the rare errors, whose module is then imported."""
    if name not in __all__:
        raise AttributeError(f"module 'flyweight.errors' has no attribute {name!r}")
    import flyweight.errors.rare as rare

    return getattr(rare, name)
