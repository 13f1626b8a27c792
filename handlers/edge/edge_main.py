"""The entry of the agent at the edge.

python3 edge_main.py            answers HTTP on this device alone, and pulls, keeps and forwards
python3 edge_main.py --stdin    answers a line of JSON with a line of JSON
python3 edge_main.py --sync     pulls, forwards and reports once, and ends with 1 if something failed
python3 edge_main.py --status   prints the device's state
"""

import os
import sys

from edge_program import Program, agent_of, refuse
from server_request import decode, encode

from flyweight.errors import InvalidSetting
from flyweight.handler import bind
from flyweight.serving import logs
from flyweight.settings.edge import edge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.service import Service

FOLDER = os.path.dirname(os.path.abspath(__file__))
mode = sys.argv[1] if len(sys.argv) > 1 and __name__ == "__main__" else ""
out = sys.stdout.buffer
if mode:
    sys.stdout = sys.stderr  # where the log goes then: standard output is for the answers
services: "list[Service]" = []
try:
    agent = agent_of(edge(), FOLDER)
    reply = bind(
        decode,
        encode,
        folder=FOLDER,
        model=agent.models.newest() or f"{FOLDER}/model.safetensors",
        logs={"": lambda: logs.line({"level": "severity", "timestamp": "time"})},
        hooks=services.append,
    )
    program = Program(agent, reply, services[0], out)
    if __name__ == "__main__":
        program.run(mode)
except InvalidSetting as error:
    if __name__ == "__main__":
        refuse(error)
    raise
