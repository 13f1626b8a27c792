"""The entry of a custom handler: the Functions host starts it in place of Azure's Python worker, and passes HTTP requests on.

It is in each folder for Azure, and runs if the app's settings name `custom_handler.py`: docs/azure-custom-handler.md.
"""

import os
import sys

from azure_custom_request import INVOCATION, decode, encode
from server_sockets import listen
from server_start import serve

from flyweight import settings
from flyweight.errors import NO_CONTENT, InvalidSetting
from flyweight.handler import bind
from flyweight.serving import logs
from flyweight.values import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from server_http import Message

    from flyweight.serving.service import Service

PORT = "FUNCTIONS_CUSTOMHANDLER_PORT"  # https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers
FOLDER = os.path.dirname(os.path.abspath(__file__))
services: "list[Service]" = []
sys.path.append(os.path.join(FOLDER, ".python_packages", "lib", "site-packages"))  # which the worker adds for its functions
predict = bind(decode, encode, folder=FOLDER, logs={"": lambda: logs.line({})}, hooks=services.append)


def answer(message: "Message") -> Response:
    """Answer a request, or without an invocation's id the host itself, which asks for / until it gets any answer."""
    asked = message.error is not None or any([name in message.headers for name in INVOCATION])
    return predict(message) if asked else Response(NO_CONTENT, {}, b"")


def main() -> None:
    """Answer what the host passes on, until SIGTERM; the host checks keys, so nobody else can connect.

    :raises InvalidSetting: the host gives no port, or a trigger is set.
    """
    port, triggers = settings.variable(PORT), services[0].settings.triggers
    if not port.isdecimal():
        raise InvalidSetting(f"{PORT} should be the port that the Functions host passes requests to, got {port!r}")
    if triggers:
        raise InvalidSetting(
            f"FLYWEIGHT_TRIGGERS names {triggers[0]!r}; a custom handler answers HTTP alone: set client=platform"
        )
    bounds = settings.serving()._replace(host="127.0.0.1", port=int(port), workers=1)
    sys.exit(serve(listen(bounds.host, bounds.port), answer, services[0], bounds))
