"""What a mobile application sends beside an event, as attributes of a handler's context. Imported by the first such event only.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from aws_client_context import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Fields:
    """A value with a few named fields."""

    __slots__: "tuple[str, ...]" = ()

    def __init__(self, fields: "Any") -> None:
        """Set each field from a dict, None if it is not in there."""
        for name in self.__slots__:
            setattr(self, name, fields.get(name))

    def __repr__(self) -> str:
        return shown(self, [*self.__slots__])


class Client(_Fields):
    """The mobile application that called."""

    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")  # noqa: RUF023


class ClientContext(_Fields):
    """What a mobile application sent beside the event."""

    __slots__ = ("custom", "env", "client")  # noqa: RUF023


def client_context_of(fields: "Any") -> ClientContext:
    """Make the client context of the header's fields.

    :raises AttributeError: they, or those of the client, are not an object.
    """
    context = ClientContext(fields)
    if context.client is not None:  # type: ignore[attr-defined]
        context.client = Client(context.client)  # type: ignore[attr-defined]
    return context
