"""The entry of containers, machines and Cloud Run: `python server_main.py` answers HTTP on the port of the variable PORT."""

import os
import sys

from server_request import decode, encode
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
    logs={"": lambda: logs.line({"level": "severity", "timestamp": "time"})},
    after_fork=FORK_FIRST in sys.argv,
    hooks=services.append,
)

if __name__ == "__main__":
    run(answer, services[0])
