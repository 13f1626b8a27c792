"""What the agent's command line asks for: a server of this device alone, lines of standard input, one step, or the state."""

import os
import sys
from _socket import AF_UNIX, SOCK_STREAM, socket

from edge_agent import KEPT, Agent
from server_http import Message
from server_sockets import BACKLOG, listen
from server_start import answer_on

from flyweight import settings, strict_json
from flyweight.errors import InvalidSetting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from flyweight.serving.service import Service
    from flyweight.settings.edge import Edge
    from flyweight.values import Response

MODES = ("", "--stdin", "--sync", "--status")
PARTS = {  # of the agent's work, each with the setting that it follows
    "agent": "FLYWEIGHT_EDGE_STATE",
    "pull": "FLYWEIGHT_EDGE_MODEL",
    "forward": "FLYWEIGHT_EDGE_FORWARD",
    "report": "FLYWEIGHT_EDGE_FORWARD",
}
ENDING = 2.0  # seconds for what the agent does at the moment


def agent_of(chosen: "Edge", folder: str) -> Agent:
    """Make the agent, which follows the address that was built into its folder unless a setting names another."""
    address = settings.read(folder).model
    return Agent(chosen._replace(edge_model=chosen.edge_model or (address if "://" in address else "")))


def refuse(error: InvalidSetting) -> None:
    """Say in a line of standard error which setting has no meaning, and exit with 2."""
    sys.stderr.write(f"error: {error}\n")
    sys.exit(2)


class Program:
    """The agent with what answers its requests.

    :param reply: a handler of messages.
    :param out: standard output, for the answers alone.
    """

    def __init__(self, agent: Agent, reply: "Callable[[Message], Response]", service: "Service", out: "BinaryIO") -> None:
        self._agent, self._reply, self._service, self._out = agent, reply, service, out
        agent.service = service

    def run(self, mode: str) -> None:
        """Do what the command line asks for, and exit."""
        if mode not in MODES:
            sys.exit(f"{mode} is no option; there are {', '.join(MODES[1:])}")
        if mode == "--status":
            self._out.write(strict_json.encode(self._agent.status()) + b"\n")
            sys.exit(0)
        status = {"": self.serve, "--stdin": self.answer_lines, "--sync": self.synchronise}[mode]()
        if not self._agent.has_ended(ENDING):
            os._exit(status)  # a thread within SQLite crashes Python's own end; what is kept and sent is safe at any moment
        sys.exit(status)

    def answer(self, message: Message) -> "Response":
        """Answer a request, and keep the answer."""
        return self._agent.answer(message, self._reply(message))

    def serve(self) -> int:
        """Answer HTTP until SIGTERM; return the exit status.

        :raises InvalidSetting: several processes are asked for.
        """
        bounds = settings.serving()
        if bounds.workers > 1:
            raise InvalidSetting("FLYWEIGHT_WORKERS should be 1 at the edge: one process has one agent")
        opened = self._listener()
        self._agent.start()
        return answer_on(opened, self.answer, self._service, bounds, self._agent.stop)

    def answer_lines(self) -> int:
        """Answer each line of standard input by a line, until its end; return the exit status."""
        self._agent.start()
        for line in self._lines():
            if not line.strip():
                continue
            message = Message("POST", "/predict", {"content-type": "application/json"})
            message.body = line.removesuffix(b"\n").removesuffix(b"\r")
            response = self.answer(message)
            body, sequence = response.body, response.headers.get(KEPT, "")
            if sequence.isdecimal():
                body = body[:-1] + b',"sequence":%s}' % sequence.encode()
            self._out.write(body + b"\n")
            self._out.flush()
        self._agent.stop()
        return 0

    def _lines(self) -> "Iterator[bytes]":
        """Read lines of standard input; of one that is longer than a body may be only a part, which is then refused."""
        most = self._service.settings.limits.max_body_bytes + 2  # the end of a line is not a part of the body
        while line := sys.stdin.buffer.readline(most):
            yield line
            while line and not line.endswith(b"\n"):
                line = sys.stdin.buffer.readline(most)

    def synchronise(self) -> int:
        """Do what is due once, and say on standard error what failed; return the exit status."""
        held = self._agent.alone()
        done = held is not None and self._agent.step()
        self._out.write(strict_json.encode(self._agent.status()) + b"\n")
        trouble = dict(self._agent.trouble)
        if held is None and not trouble:
            trouble["agent"] = f"another process does this for {self._agent.settings.edge_state} at the moment"
        told = {text: name for name, text in reversed(trouble.items())}  # a report fails as the answers before it did
        for text, name in reversed(told.items()):
            sys.stderr.write(f"error: {PARTS[name]}: {' '.join(text.split())}\n")
        if held is None and self._agent.trouble:
            return 2  # the folder of the state can't be made
        return 0 if done else 1

    def _listener(self) -> socket:
        """Open the socket of this device: a path, or an address that no other machine reaches.

        :raises OSError: the port is in use, or the path can't be written.
        """
        path, bounds = self._agent.settings.edge_socket, settings.serving()
        if not path:
            return listen(bounds.host or "127.0.0.1", bounds.port)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        opened = socket(AF_UNIX, SOCK_STREAM)
        opened.bind(path)
        os.chmod(path, 0o660)
        opened.listen(BACKLOG)
        return opened
