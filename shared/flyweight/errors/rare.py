"""Errors that few functions meet; `flyweight.errors` imports this module when one of them is asked for."""

from flyweight.errors.usual import NO_HEADERS, FlyweightError, InvalidInput, MalformedRequest, ModelUnavailable, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class UnsupportedMediaType(FlyweightError):
    """A content type, charset or content encoding that is not supported."""

    code, status = "unsupported_media_type", 415

    def __init__(self, message: str, headers: "Mapping[str, str]" = NO_HEADERS) -> None:
        super().__init__(message)
        self.headers = headers


class NotAcceptable(FlyweightError):
    """The caller accepts none of the supported media types."""

    code, status = "not_acceptable", 406


class Forbidden(FlyweightError):
    """The caller may not send this; the message names the setting that says who may."""

    code, status = "forbidden", 403


class NotServed(FlyweightError):
    """An event whose kind is known and not served; it is refused by name, so that its sender keeps it."""

    code, status = "not_served", 422


class MethodNotAllowed(FlyweightError):
    """The path exists under other methods: `allow` lists them, as the header Allow does."""

    code, status = "method_not_allowed", 405

    def __init__(self, message: str, allow: str) -> None:
        super().__init__(message)
        self.allow = allow
        self.headers = {"allow": allow}


class NoSuchOutput(FlyweightError, AttributeError):
    """A method that this model does not have; the message names those that it has."""


class NotDone(FlyweightError):
    """A record is sound, but its work is not done, or not yet: it must be delivered again."""

    code, status = "not_done", 503


class StoreFailed(ModelUnavailable):
    """A store can't be reached, refuses access, is too slow or misbehaves; `transient`: a later attempt may succeed.

    The message names the key and never holds a credential or a signed URL.
    """

    def __init__(self, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class ObjectNotFound(StoreFailed):
    """The store answers, and no object has that key."""


class PreconditionFailed(StoreFailed):
    """The object changed since it was read, and nothing was written. Read it again before retrying."""


# The caller's own faults: the same request, record or row fails again, so that no retry helps.
INPUT_ERRORS = (MalformedRequest, InvalidInput, TooLarge, UnsupportedMediaType)
