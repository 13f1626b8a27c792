"""Find credentials for S3 in the environment, or, where a function has SnapStart, at the service of its own machine.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
"""

from flyweight.errors import StoreFailed
from flyweight.settings import variable
from flyweight.stores import is_local
from flyweight.stores.connection import Connection, Place, Timer
from flyweight.stores.s3_signing import Credentials

FULL_URI, TOKEN = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
MOST = 1 << 16  # bytes of a service's answer


def are_near() -> bool:
    """Tell whether there are credentials in the environment, or an address of this machine that has them."""
    if all([variable(name) for name in KEYS]):
        return True
    scheme, _, rest = variable(FULL_URI).partition("://")
    return scheme == "http" and is_local(rest.partition("/")[0]) and not variable(f"{TOKEN}_FILE")


def find(timer: Timer) -> Credentials:
    """Find the credentials of this deployment.

    :raises OSError: the service can't be reached.
    :raises StoreFailed: it has none, or they have characters that no credentials have.
    """
    key, secret = [variable(name) for name in KEYS]
    found = Credentials(key, secret, variable("AWS_SESSION_TOKEN")) if key and secret else _served(timer)
    if not all([text.isascii() and text.isprintable() and " " not in text for text in found]):
        raise StoreFailed("the credentials in the environment have blanks, line breaks or letters that no credentials have")
    return found


def _served(timer: Timer) -> Credentials:
    """Ask the service of this machine.

    :raises OSError: it can't be reached.
    :raises StoreFailed: it answers with something else than credentials.
    """
    from flyweight.strict_json import parse

    try:
        place = Place(variable(FULL_URI).partition("?")[0])
        token = variable(TOKEN)
        headers = {"host": place.authority, "connection": "close", **({"authorization": token} if token else {})}
        connection = Connection(place, timer)
        try:
            status, answered = connection.ask("GET", place.path or "/", headers, timer)
            length = answered.get("content-length", "")
            body = connection.body(int(length) if length.isdecimal() and int(length) <= MOST else MOST, timer)
        finally:
            connection.close()
        document = parse(body)
        found = Credentials(*[document[name] for name in ("AccessKeyId", "SecretAccessKey", "Token")])
    except (ValueError, KeyError, TypeError):
        raise StoreFailed("the service of credentials answers with something else than credentials", transient=True) from None
    if status != "200" or not all([isinstance(text, str) for text in found]):
        raise StoreFailed(f"the service of credentials answers {status}", transient=True)
    return found
