"""The entry of a container on Azure ML: our own HTTP server, with the model that a deployment has mounted."""

import os
import sys

from azure_ml_message import decode, encode
from azure_ml_model import mounted
from server_start import FORK_FIRST, run

from flyweight.handler import bind
from flyweight.serving import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.service import Service

services: "list[Service]" = []
answer = bind(
    decode,
    encode,
    folder=os.path.dirname(os.path.abspath(__file__)),
    model=mounted(),
    logs={"": lambda: logs.line({})},
    after_fork=FORK_FIRST in sys.argv,
    hooks=services.append,
)


def main() -> None:
    """Answer requests until SIGTERM."""
    run(answer, services[0])
