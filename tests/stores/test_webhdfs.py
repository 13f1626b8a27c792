"""What the store on HDFS does with faults and strange answers; tests/batch/test_hadoop_webhdfs.py has the contract."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import pytest

from flyweight.errors import InvalidSetting, StoreFailed
from flyweight.registry.addresses import parse
from flyweight.stores import Timeouts, open_store, webhdfs

STATUS = {"FileStatus": {"type": "FILE", "length": 4, "fileId": 7, "modificationTime": 1_700_000_000_000}}
QUICK = Timeouts(connect=5.0, seconds=4.0)


class NameNode(ThreadingHTTPServer):
    """A name node and a data node that answer as a test says: by operation a status and a body, or seconds of silence."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.paths: list[str] = []
        place = {"Location": f"http://127.0.0.1:{self.server_port}/webhdfs/v1/m?op=DATA&token=secret"}
        self.said: dict[str, list[tuple[int, object]]] = {
            "GETFILESTATUS": [(200, STATUS)],
            "OPEN": [(200, place)],
            "DATA": [(200, b"data")],
        }

    @property
    def root(self) -> str:
        return f"webhdfs://127.0.0.1:{self.server_port}/models"


class Answers(BaseHTTPRequestHandler):
    """One request."""

    server: NameNode

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        operation = self.path.partition("op=")[2].partition("&")[0]
        said = self.server.said[operation]
        status, body = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(body, float):
            return sleep(body)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *words: object) -> None:
        """Print nothing."""


@pytest.fixture
def node() -> Iterator[NameNode]:
    server = NameNode()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def remote(kind: str) -> dict[str, object]:
    return {"RemoteException": {"exception": kind, "message": "at /secret"}}


def test_a_file_is_read_from_the_data_node_that_is_named(node: NameNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(webhdfs.USER, "ada")
    data, meta = open_store(node.root, QUICK).get("m", 4)
    assert data == b"data" and (meta.tag, meta.size) == ("7-1700000000000-4", 4)
    assert node.paths[0] == "/webhdfs/v1/models/m?op=GETFILESTATUS&user.name=ada"
    assert "token=secret" in node.paths[2]


@pytest.mark.parametrize(
    ("operation", "status", "kind"), [("GETFILESTATUS", 503, ""), ("OPEN", 403, "StandbyException"), ("DATA", 500, "")]
)
def test_a_passing_fault_is_not_seen(node: NameNode, operation: str, status: int, kind: str) -> None:
    node.said[operation].insert(0, (status, remote(kind)))
    assert open_store(node.root, QUICK).get("m", 4)[0] == b"data"


FAULTS = [
    ("GETFILESTATUS", (403, remote("AccessControlException")), "is forbidden to this deployment", False),
    ("GETFILESTATUS", (200, b"<html>"), "the answer is not one of WebHDFS", True),
    ("OPEN", (200, {"Location": "https://127.0.0.1/webhdfs/v1/m"}), "by another scheme or path", False),
    ("OPEN", (200, {"Location": "http://127.0.0.1/elsewhere?token=secret"}), "by another scheme or path", False),
    ("DATA", (200, b"dat"), "m broke off after 3 of 4 bytes", True),
    ("DATA", (400, remote("IllegalArgumentException")), "answers 400 IllegalArgumentException", False),
]


@pytest.mark.parametrize(("operation", "said", "words", "transient"), FAULTS)
def test_a_lasting_fault_is_told_without_what_the_server_said(
    node: NameNode, operation: str, said: tuple[int, object], words: str, transient: bool
) -> None:
    node.said[operation] = [said]
    with pytest.raises(StoreFailed) as failed:
        open_store(node.root, QUICK).get("m", 4)
    assert words in str(failed.value) and "secret" not in str(failed.value) and failed.value.transient == transient


FILE = {"type": "FILE", "length": 4, "modificationTime": 1, "pathSuffix": "a.safetensors"}


@pytest.mark.parametrize(
    "answer",
    [{}, {"FileStatus": None}, {"FileStatus": [1]}, {"FileStatus": {"type": "FILE"}}, {"FileStatus": {**FILE, "length": "4"}}],
    ids=repr,
)
def test_an_answer_about_a_file_that_says_nothing_is_told_in_words(answer: object, node: NameNode) -> None:
    node.said["GETFILESTATUS"] = [(200, answer)]
    with pytest.raises(StoreFailed, match="m: the answer is not one of WebHDFS"):
        open_store(node.root, QUICK).head("m")


@pytest.mark.parametrize("name", ["a/../../b", "/etc/passwd", None, 5], ids=repr)
def test_a_list_does_not_lead_to_another_folder(name: object, node: NameNode) -> None:
    node.said["LISTSTATUS"] = [(200, {"FileStatuses": {"FileStatus": [FILE]}})]
    assert open_store(node.root, QUICK).keys("") == ["a.safetensors"]
    node.said["LISTSTATUS"] = [(200, {"FileStatuses": {"FileStatus": [FILE, {**FILE, "pathSuffix": name}]}})]
    with pytest.raises(StoreFailed, match="the list of keys: the answer is not one of WebHDFS"):
        open_store(node.root, QUICK).keys("")


@pytest.mark.parametrize("answer", [{}, {"FileStatuses": 1}, {"FileStatuses": {"FileStatus": {}}}], ids=repr)
def test_a_list_that_is_none_is_told_in_words(answer: object, node: NameNode) -> None:
    node.said["LISTSTATUS"] = [(200, answer)]
    with pytest.raises(StoreFailed, match="the list of keys: the answer is not one of WebHDFS"):
        open_store(node.root, QUICK).keys("")


def test_silence_ends_in_time(node: NameNode) -> None:
    node.said["DATA"] = [(200, 30.0)]
    began = monotonic()
    with pytest.raises(StoreFailed, match="can't be reached, or not read whole in time"):
        open_store(node.root, QUICK).get("m", 4)
    assert monotonic() - began < 25


def test_a_token_is_not_sent_in_plain_text(monkeypatch: pytest.MonkeyPatch, node: NameNode) -> None:
    monkeypatch.setenv(webhdfs.TOKEN, "secret")
    with pytest.raises(StoreFailed, match=r"in plain text: use swebhdfs://") as refused:
        open_store("webhdfs://namenode:9870/models", QUICK)
    assert "secret" not in str(refused.value)
    open_store("swebhdfs://namenode:9871/models", QUICK)
    open_store(node.root, QUICK).head("m")
    assert "delegation=secret" in node.paths[0]


def test_addresses_of_a_registry_may_be_there() -> None:
    assert parse("webhdfs://namenode:9870/models/penguins@prod").root == "webhdfs://namenode:9870/models"
    with pytest.raises(InvalidSetting):
        parse("webhdfs:///models/penguins@prod")
