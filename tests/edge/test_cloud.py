"""The cloud is asked for what the edge is unsure of; offline the edge's own answer stays, and says so."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from edge_cloud import HEADER, Cloud
from server_http import Message

from flyweight.errors import StoreFailed
from flyweight.values import Response
from tests.services.web import Handler, HttpServer

CLASSES = ["a", "b"]


class Elsewhere:
    """An endpoint with a larger model, which is sure of `b`."""

    def __init__(self) -> None:
        self.asked: list[list[Any]] = []
        self.tokens: list[str] = []
        self.status, self.classes = 200, CLASSES

    def answer(self, body: bytes) -> bytes:
        instances = json.loads(body)["instances"]
        self.asked.append(instances)
        rows = [[0.01, 0.99]] * len(instances)
        document = {"predictions": ["b"] * len(instances), "probabilities": rows, "classes": self.classes}
        return json.dumps({**document, "model": {"name": "large", "version": "2"}}).encode()


@pytest.fixture
def elsewhere() -> Iterator[tuple[Elsewhere, str, HttpServer]]:
    there = Elsewhere()

    class Answering(Handler):
        def do_POST(self) -> None:
            body = self.read_body()
            there.tokens.append(self.headers.get("authorization", ""))
            data = there.answer(body)
            self.send_response_only(there.status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = HttpServer(Answering)
    yield there, f"{server.url}/predict", server
    server.close()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def cloud(elsewhere: tuple[Elsewhere, str, HttpServer], now: list[float]) -> Cloud:
    return Cloud(elsewhere[1], 0.8, 5.0, "secret", lambda: now[0])


def improved(cloud: Cloud, rows: list[list[float]], **more: Any) -> tuple[dict[str, Any], Response]:
    message = Message("POST", "/predict", {"content-type": "application/json"})
    message.body = json.dumps({"instances": [[place] for place in range(len(rows))]}).encode()
    labels = [CLASSES[row.index(max(row))] for row in rows]
    document = {"predictions": labels, "probabilities": rows, "classes": CLASSES, **more}
    headers = {"content-type": "application/json", "x-flyweight-model": "small/1"}
    answer = cloud.improve(message, Response(200, headers, json.dumps(document).encode()))
    return json.loads(answer.body), answer


def test_only_unsure_instances_are_asked_for(cloud: Cloud, elsewhere: tuple[Elsewhere, str, HttpServer]) -> None:
    document, answer = improved(cloud, [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.51, 0.49]])
    assert elsewhere[0].asked == [[[1], [3]]] and elsewhere[0].tokens == ["Bearer secret"]
    assert document["predictions"] == ["a", "b", "b", "b"]
    assert document["probabilities"] == [[0.9, 0.1], [0.01, 0.99], [0.2, 0.8], [0.01, 0.99]]
    assert document["answered_by"] == ["edge", "cloud", "edge", "cloud"]
    assert document["cloud_model"] == {"name": "large", "version": "2"}
    assert answer.headers[HEADER] == "edge, cloud" and answer.headers["content-length"] == str(len(answer.body))
    assert (cloud.asked, cloud.answered) == (2, 2)


def test_a_sure_answer_is_not_touched(cloud: Cloud, elsewhere: tuple[Elsewhere, str, HttpServer]) -> None:
    document, answer = improved(cloud, [[0.9, 0.1]])
    assert elsewhere[0].asked == [] and "answered_by" not in document and HEADER not in answer.headers


def test_offline_the_edges_own_answer_stays_and_says_so_and_the_cloud_is_left_alone(
    cloud: Cloud, elsewhere: tuple[Elsewhere, str, HttpServer], now: list[float]
) -> None:
    elsewhere[2].close()
    document, answer = improved(cloud, [[0.6, 0.4]])
    assert document["predictions"] == ["a"] and document["answered_by"] == ["edge"]
    assert answer.headers[HEADER] == "edge; unsure" and "can't be reached" in cloud.trouble
    assert cloud.asked == 1
    improved(cloud, [[0.6, 0.4]])
    assert cloud.asked == 1, "no request waits for a cloud that has just been silent"
    now[0] += 2.0
    improved(cloud, [[0.6, 0.4]])
    assert cloud.asked == 2


@pytest.mark.parametrize(("status", "classes"), [(500, CLASSES), (200, ["b", "a"])])
def test_what_does_not_fit_is_not_taken(
    status: int, classes: list[str], cloud: Cloud, elsewhere: tuple[Elsewhere, str, HttpServer]
) -> None:
    elsewhere[0].status, elsewhere[0].classes = status, classes
    document, _ = improved(cloud, [[0.6, 0.4]])
    assert document["predictions"] == ["a"] and document["answered_by"] == ["edge"]


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/csv", b"predictions\na\n"),
        (422, "application/problem+json", b"{}"),
        (200, "application/json", b'{"predictions": [1.5]}'),
        (200, "application/json", b'{"predictions": [["a"]], "probabilities": [[[0.6, 0.4]]]}'),
    ],
)
def test_answers_of_another_form_are_left_alone(status: int, kind: str, body: bytes, cloud: Cloud) -> None:
    message = Message("POST", "/predict", {})
    message.body = b"[[1]]"
    answer = Response(status, {"content-type": kind}, body)
    assert cloud.improve(message, answer) is answer


@pytest.mark.parametrize(
    ("label", "row"),
    [("b", None), ("b", []), ("b", [0.1]), ("b", [0.1, None]), ("b", [0.1, "0.9"]), ("c", [0.1, 0.9]), (["b"], [0.1, 0.9])],
)
def test_a_part_of_another_form_is_not_taken(
    label: Any, row: Any, cloud: Cloud, elsewhere: tuple[Elsewhere, str, HttpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {"predictions": [label], "probabilities": [row], "classes": CLASSES}
    monkeypatch.setattr(elsewhere[0], "answer", lambda body: json.dumps(odd).encode())
    document, _ = improved(cloud, [[0.6, 0.4]])
    assert document["predictions"] == ["a"] and document["answered_by"] == ["edge"]


def test_probabilities_that_are_no_numbers_are_unsure(cloud: Cloud) -> None:
    message = Message("POST", "/predict", {})
    message.body = b"[[1]]"
    answer = b'{"predictions":["a"],"probabilities":[[null,0.99]],"classes":["a","b"]}'
    document = json.loads(cloud.improve(message, Response(200, {"content-type": "application/json"}, answer)).body)
    assert document["predictions"] == ["b"] and document["answered_by"] == ["cloud"]


def test_a_cloud_that_sends_a_byte_now_and_then_is_not_waited_for(now: list[float]) -> None:
    class Dripping(Handler):
        def do_POST(self) -> None:
            self.read_body()
            self.send_response_only(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            for _ in range(30):
                self.wfile.write(b" ")
                time.sleep(0.1)

    server = HttpServer(Dripping)
    try:
        began = time.monotonic()
        document, _ = improved(Cloud(f"{server.url}/predict", 0.8, 0.4, "", lambda: now[0]), [[0.6, 0.4]])
        waited = time.monotonic() - began
    finally:
        server.close()
    assert document["answered_by"] == ["edge"] and waited < 2.0


def test_plain_http_to_another_machine_is_refused(now: list[float]) -> None:
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    with pytest.raises(StoreFailed, match="https"):
        Cloud("http://models.example.com/predict", 0.8, 1.0, "", clock)
