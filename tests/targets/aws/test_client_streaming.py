"""Our client sends answers while they are made, where the deployment and the sender of the event take streams."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from flyweight.toolkit.building import build
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.running import runtime
from flyweight.toolkit.targets.aws import events
from tests.conftest import PYTHON
from tests.targets.aws.runtime_api import OWN, PLATFORM, Request, Session, event

pytestmark = pytest.mark.slow
SEPARATOR = bytes(8)
LONG = 300.0  # seconds: large answers take long on a busy machine
ON = {"FLYWEIGHT_STREAMING": "true"}
CSV = {"content-type": "text/csv; header=absent", "accept": "text/csv"}
HANDLER = """
import sys
def handler(event, context):
    streaming = sys.modules["aws_client_streaming"]
    def blocks():
        for number in range(event["blocks"]):
            yield b"%d," % number * event.get("times", 1)
        if "error" in event:
            raise ValueError(event["error"])
    return streaming.Streamed(200, {"content-type": "text/plain"}, b"first,", blocks())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(HANDLER)
    return tmp_path


def split(post: Request) -> tuple[dict[str, Any], bytes]:
    """The prelude and the body of an answer."""
    prelude, separator, body = post.body.partition(SEPARATOR)
    assert separator
    return json.loads(prelude), body


def test_an_answer_is_posted_in_chunks_as_other_clients_post_it(folder: Path) -> None:
    with Session(OWN, folder, environ=ON, timeout=LONG) as session:
        (post,) = session.ask(event({"blocks": 3}, Invocation_Id="of-the-invocation"))
        assert post.path.endswith("/invocation/request-1/response")
        assert post.headers["lambda-runtime-function-response-mode"] == "streaming"
        assert post.headers["transfer-encoding"] == "chunked" and "content-length" not in post.headers
        assert post.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
        assert post.headers["trailer"] == "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
        assert post.headers["lambda-runtime-invocation-id"] == "of-the-invocation"
        assert split(post) == ({"statusCode": 200, "headers": {"content-type": "text/plain"}}, b"first,0,1,2,")
        assert post.trailers == {}
        (again,) = session.ask(event({"blocks": 0}, number=2))
        assert split(again)[1] == b"first,"


def test_an_error_in_the_middle_is_told_by_trailers_and_logged_and_the_next_event_is_answered(folder: Path) -> None:
    with Session(OWN, folder, environ=ON, timeout=LONG) as session:
        (post,) = session.ask(event({"blocks": 2, "error": "bööm"}))
        assert split(post)[1] == b"first,0,1,"
        assert post.trailers["lambda-runtime-function-error-type"] == "ValueError"
        told = json.loads(base64.b64decode(post.trailers["lambda-runtime-function-error-body"]))
        assert (told["errorType"], told["errorMessage"], told["requestId"]) == ("ValueError", "bööm", "request-1")
        (again,) = session.ask(event({"blocks": 1}, number=2))
        assert split(again)[1] == b"first,0," and again.trailers == {}
        ended = session.end()
    assert "bööm" in ended.stdout.decode() + ended.stderr.decode()


def test_a_refused_stream_is_reported_and_the_next_event_is_answered(folder: Path) -> None:
    refusal = b"HTTP/1.1 413 Told\r\nContent-Length: 2\r\n\r\n{}"
    with Session(OWN, folder, environ=ON, refusals={"request-1/response": refusal}) as session:
        _, error = session.ask(event({"blocks": 1}))
        assert error.path.endswith("/request-1/error") and b"Runtime.ResponseRefused" in error.body
        (again,) = session.ask(event({"blocks": 1}, number=2))
        assert split(again)[1] == b"first,0,"


def test_memory_stays_bounded_while_100_megabytes_are_sent(folder: Path) -> None:
    with Session(OWN, folder, environ=ON, timeout=LONG) as session:
        session.ask(event({"blocks": 1}))
        before = peak(session.pid)
        (post,) = session.ask(event({"blocks": 100, "times": 350_000}, number=2))
        assert len(post.body) > 100_000_000
        assert peak(session.pid) - before < 20_000_000


def peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of many outputs: small requests get large answers."""
    place = tmp_path_factory.mktemp("wide")
    X = np.random.default_rng(0).normal(size=(200, 8))
    pack(PolynomialFeatures(5).fit(X), place / "m.safetensors", sample=X, name="wide")
    return build("aws", place / "m.safetensors", place / "built", python=PYTHON).folder


def rows(count: int) -> bytes:
    """The lines of a CSV body."""
    return "".join(f"{','.join(f'{n + k / 7:.3f}' for k in range(8))}\n" for n in range(count)).encode()


def asked(shape: str, body: bytes, **headers: str) -> Any:
    return events.wrap({"method": "POST", "path": "/predict", "headers": {**CSV, **headers}, "body": body.decode()}, shape)


@pytest.mark.parametrize("shape", ["url", "rest"])
def test_a_large_answer_of_a_built_function_is_streamed_in_bounded_memory(shape: str, wide: Path) -> None:
    with Session(OWN, wide, "app.lambda_handler", environ=ON, timeout=LONG) as session:
        (small,) = session.ask(event(asked(shape, rows(20))))
        before = peak(session.pid)
        (large,) = session.ask(event(asked(shape, rows(700)), number=2))
        grown = peak(session.pid) - before
    prelude, body = split(large)
    assert prelude["statusCode"] == 200 and prelude["headers"]["content-type"] == "text/csv"
    assert len(body) > 8_000_000 and grown < len(body) * 3 // 4
    assert body.count(b"\n") == 701
    assert body.startswith(split(small)[1]), "blocks are the lines of the whole answer"


def test_a_stream_is_compressed_for_callers_who_accept_gzip(wide: Path) -> None:
    with Session(OWN, wide, "app.lambda_handler", environ=ON, timeout=LONG) as session:
        (plain,) = session.ask(event(asked("url", rows(300))))
        (packed,) = session.ask(event(asked("url", rows(300), **{"accept-encoding": "gzip"}), number=2))
    headers = split(packed)[0]["headers"]
    assert headers["content-encoding"] == "gzip" and headers["vary"] == "accept-encoding"
    assert gzip.decompress(split(packed)[1]) == split(plain)[1]


def test_a_stream_has_the_lines_of_a_whole_answer(wide: Path) -> None:
    told = []
    for environ, shape in ((ON, "url"), ({}, "url"), (ON, "")):
        with Session(OWN, wide, "app.lambda_handler", environ=environ, timeout=LONG) as session:
            for accept in ("text/csv", "application/x-ndjson"):
                (post,) = session.ask(event(asked(shape, rows(100), accept=accept)))
                told.append(split(post)[1] if "transfer-encoding" in post.headers else json.loads(post.body)["body"].encode())
    assert told[:2] == told[2:4] == told[4:]


@pytest.mark.parametrize("shape", ["", "alb", "lattice", "direct", "http1"])
def test_other_senders_get_whole_answers(shape: str, wide: Path) -> None:
    body = {
        "method": "POST",
        "path": "/predict",
        "headers": {"content-type": "application/json"},
        "body": {"instances": [[1] * 8]},
    }
    with Session(OWN, wide, "app.lambda_handler", environ=ON, timeout=LONG) as session:
        (post,) = session.ask(event(events.wrap(body, shape)))
    assert "transfer-encoding" not in post.headers and json.loads(post.body)


@pytest.mark.parametrize(("client", "environ"), [(OWN, {}), (PLATFORM, ON)])
def test_without_the_setting_or_our_client_answers_are_whole(client: str, environ: dict[str, str], wide: Path) -> None:
    with Session(client, wide, "app.lambda_handler", environ=environ, timeout=LONG) as session:
        (small,) = session.ask(event(asked("url", rows(10))))
        (large,) = session.ask(event(asked("url", rows(700)), number=2))
    assert json.loads(small.body)["statusCode"] == 200
    assert json.loads(large.body)["statusCode"] == 413, "it is more than an invocation carries"


def test_problems_are_answered_in_the_same_form(wide: Path) -> None:
    with Session(OWN, wide, "app.lambda_handler", environ=ON, timeout=LONG) as session:
        (post,) = session.ask(event(asked("url", b"1,2\n")))
    prelude, body = split(post)
    assert prelude["statusCode"] == json.loads(body)["status"] == 422
    assert prelude["headers"]["content-type"] == "application/problem+json"


def test_invoke_shows_a_stream_as_its_caller_gets_it(wide: Path) -> None:
    environ = {**ON, **runtime("aws").client("own")}
    with runtime("aws")(wide, environ=environ) as process:
        answer = process.invoke(asked("url", rows(700)))
    assert answer.status == 200 and answer.headers["content-type"] == "text/csv"
    assert answer.body.count(b"\n") == 701
