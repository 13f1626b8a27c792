"""The entry of a Cloud Run service: our own HTTP server, with the triggers of Cloud Run functions, which come by HTTP as well."""

import os
import sys

from cloudrun_request import decode, encode
from gcp_triggers import find
from server_start import FORK_FIRST, run

from flyweight.handler import bind
from flyweight.serving import logs
from flyweight.values import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from server_http import Message

    from flyweight.serving.service import Service

services: "list[Service]" = []
reply = bind(
    decode,
    encode,
    folder=os.path.dirname(os.path.abspath(__file__)),
    logs={"": lambda: logs.line({"level": "severity", "timestamp": "time"})},
    after_fork=FORK_FIRST in sys.argv,
    hooks=services.append,
    triggers=find,
    sinks="gcp_sinks",
)


def answer(message: "Message") -> Response:
    """Answer a request, or reply to an event."""
    replied = reply(message)
    return replied if isinstance(replied, Response) else encode(Response(replied[1], replied[2], replied[0]), message)


if __name__ == "__main__":
    run(answer, services[0])
