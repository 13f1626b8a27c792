"""Ask another model server and ours the same, and write where their errors differ into the page.

.ci/install-peers kserve mlserver mlflow
python -m tests.clients.peers
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from typing import Any

import flyweight
from benchmarks.load import cores, serving
from benchmarks.models import Model, linear
from benchmarks.peer_servers import PEERS, Peer, serve
from flyweight.toolkit.running.server import Server
from tests.clients.peer_cases import MLFLOW, V1, V2, Case, Protocol, wrong
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "protocols" / "differences.md"
BEGIN = "<!-- python -m tests.clients.peers -->"
HEAD = "| request | theirs | ours | why |\n|---|---|---|---|\n"
SHOWN = 70  # characters of an answer
SPOKEN = {"kserve": (V1, V2), "mlserver": (V2,), "mlflow": (MLFLOW,)}


@dataclass(frozen=True)
class Reply:
    """The status and the text of an answer."""

    status: int
    text: str

    def shown(self) -> str:
        """Write it for a cell of a table."""
        traceback = self.text.startswith("Traceback")  # its lines name folders of this machine; the last one is the error
        text = self.text.strip().splitlines()[-1] if traceback else " ".join(self.text.split())
        text = text[:SHOWN].replace("|", "\\|").replace("`", "'").strip()
        return f"{self.status}{' a traceback that ends with' * traceback} `{text}`" if text else str(self.status)


def ask(port: int, protocol: Protocol, case: Case) -> Reply:
    """Send a request, and read the answer."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
        headers = {"content-type": case.content_type}
        connection.request(case.method, case.path or protocol.path, case.body, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.read().decode(errors="replace"))


def labels(reply: Reply) -> list[Any]:
    """Read the labels of an answer of any of the protocols."""
    assert reply.status == 200, reply
    document = json.loads(reply.text)
    if "outputs" in document:
        (output,) = (each for each in document["outputs"] if each["name"] != "probabilities")
        found: list[Any] = output["data"]
        return found
    predictions: list[Any] = document["predictions"]
    return predictions


@contextmanager
def both(name: str, place: Path) -> Iterator[tuple[Model, int, int]]:
    """Serve one model by another server and by ours; yield it, and both ports.

    :raises FileNotFoundError: the other server is not installed.
    """
    model = replace(linear(), name="model")
    way = serve(of_labels(next(peer for peer in PEERS if peer.name == name)), place / name, model)
    packed = flyweight.pack(model.estimator, place / "model.safetensors", sample=model.sample, name="model")
    assert packed.path is not None
    with (
        serving(way, (way.folder / "body.json").read_bytes(), cores()[0]) as (_, port, _),
        Server(packed.path, "127.0.0.1", 0) as server,
    ):
        yield model, port, int(server.url.rpartition(":")[2])


def of_labels(peer: Peer) -> Peer:
    """Let a server answer labels in the place of probabilities, as it does without our settings."""
    body = peer.body if not isinstance(peer.body, partial) else peer.body.func
    environ = {name: value for name, value in peer.environ.items() if name != "PREDICT_PROBA"}
    return replace(peer, body=body, environ=environ, prepare=None if peer.prepare is None else ())


def differences(name: str, model: Model, theirs: int, ours: int) -> Iterator[tuple[Protocol, Case, Reply, Reply]]:
    """Ask both servers all wrong requests.

    :param theirs: the port of the other server; `ours` is that of our server.
    """
    for protocol in SPOKEN[name]:
        for case in wrong(protocol, list(model.instance)):
            yield protocol, case, ask(theirs, protocol, case), ask(ours, protocol, case)


def table(name: str, model: Model, theirs: int, ours: int) -> str:
    """Write a server's part of the page: the requests whose statuses differ."""
    found = list(differences(name, model, theirs, ours))
    title = next(peer.title for peer in PEERS if peer.name == name)
    parts = []
    for protocol in SPOKEN[name]:
        asked = [row[1:] for row in found if row[0] is protocol]
        rows = [(case, their, our) for case, their, our in asked if their.status != our.status]
        lines = "".join(f"| {case.words} | {their.shown()} | {our.shown()} | {case.why} |\n" for case, their, our in rows)
        same = len(asked) - len(rows)
        parts.append(f"### {title}, {protocol.name}\n\n{same} of {len(asked)} requests have the same status.\n\n{HEAD}{lines}")
    return "\n".join(parts)


def main() -> None:
    """Ask each server, and write the page's tables."""
    parts = []
    for name in SPOKEN:
        with (
            redirect_stdout(StringIO()),  # our server's log
            tempfile.TemporaryDirectory() as place,
            both(name, Path(place)) as (model, theirs, ours),
        ):
            parts.append(table(name, model, theirs, ours))
    before = PAGE.read_text().partition(BEGIN)[0]
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(parts))


if __name__ == "__main__":
    main()
