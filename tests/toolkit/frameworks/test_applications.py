"""A model as an ASGI and as a WSGI application, judged by the specifications' own rules."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import flyweight
from flyweight.toolkit.events import samples
from flyweight.toolkit.frameworks import mounting
from tests.services.asgi import ask, live

JSON = {"content-type": "application/json"}
BODY = json.dumps(samples.requests()["predict"]["body"]).encode()
ROWS = 20_000


@pytest.fixture(scope="module")
def asgi(penguins: Path) -> Any:
    return flyweight.asgi(penguins)


@pytest.fixture(scope="module")
def wsgi(penguins: Path) -> Any:
    return validator(flyweight.wsgi(penguins))


def call(application: Any, method: str, path: str, headers: dict[str, str], body: bytes = b"", base: str = "") -> Any:
    """Ask a WSGI application; return its status, its headers and the parts of its body."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": base, "PATH_INFO": path}
    environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), "QUERY_STRING": ""}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items() if name != "content-type"}
    if "content-type" in headers:
        environ["CONTENT_TYPE"] = headers["content-type"]
    setup_testing_defaults(environ)
    began: list[Any] = []

    def start(status: str, found: list[tuple[str, str]], failure: Any = None) -> Any:
        began.extend([int(status[:3]), dict(found)])
        return began.append

    answer = application(environ, start)
    parts = [*answer]
    answer.close()
    return began[0], began[1], parts


def test_both_answer_alike(asgi: Any, wsgi: Any) -> None:
    talk = ask(asgi, "POST", "/predict", JSON.items(), [BODY])
    status, _, parts = call(wsgi, "POST", "/predict", JSON, BODY)
    assert talk.status == status == 200
    assert b"".join(talk.parts) == b"".join(parts)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_body_in_chunks_is_put_together(asgi: Any, size: int) -> None:
    parts = [BODY[start : start + size] for start in range(0, len(BODY), size)]
    assert ask(asgi, "POST", "/predict", JSON.items(), parts).status == 200


def test_a_caller_who_goes_before_the_body_is_whole_gets_nothing(asgi: Any) -> None:
    assert ask(asgi, "POST", "/predict", JSON.items(), [BODY[:10]], gone=True).parts == []


def test_a_lifespan_begins_and_ends(asgi: Any) -> None:
    assert live(asgi) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_web_socket_is_refused(asgi: Any) -> None:
    with pytest.raises(ValueError, match="websocket is not served"):
        asyncio.run(asgi({"type": "websocket"}, None, None))


@pytest.mark.parametrize("path", ["/ml/health", "/health"], ids=["as the specification says", "as older servers do"])
def test_a_root_path_is_not_part_of_the_path(asgi: Any, path: str) -> None:
    assert ask(asgi, "GET", path, root_path="/ml").parts == [b'{"status":"ok"}']


def test_a_path_that_only_begins_like_the_root_path_is_kept(asgi: Any) -> None:
    assert ask(asgi, "GET", "/healthy", root_path="/health").status == 404
    assert ask(asgi, "GET", "/health", root_path="/heal").status == 200


def servers(document: bytes) -> list[str]:
    return [server["url"] for server in json.loads(document).get("servers", [])]


@pytest.mark.parametrize(
    ("base", "proxy", "expected"),
    [
        ("", "", []),
        ("", "/api", ["/api"]),
        ("/ml", "", ["/ml"]),
        ("/ml", "/api", ["/api/ml"]),
        ("/api/ml", "/api", ["/api/ml"]),  # the framework took the proxy's part into its own
        ("/models", "", ["/models"]),  # which is also how paths of the protocol begin
        ("/ml", "/mlops", ["/mlops/ml"]),
    ],
)
def test_the_openapi_document_says_where_it_is_mounted(asgi: Any, wsgi: Any, base: str, proxy: str, expected: list[str]) -> None:
    headers = {"x-forwarded-prefix": proxy} if proxy else {}
    talk = ask(asgi, "GET", f"{base}/openapi.json", headers.items(), root_path=base)
    assert servers(b"".join(talk.parts)) == expected
    assert servers(b"".join(call(wsgi, "GET", "/openapi.json", headers, base=base)[2])) == expected


def test_large_answers_are_sent_while_they_are_made(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_MAX_INSTANCES", str(ROWS))
    row = "Torgersen,39.1,18.7,181,3750,male,2007\n"
    headers = {"content-type": "text/csv; header=absent", "accept": "text/csv"}
    body = (row * ROWS).encode()
    talk = ask(flyweight.asgi(penguins), "POST", "/predict", headers.items(), [body])
    status, found, parts = call(validator(flyweight.wsgi(penguins)), "POST", "/predict", headers, body)
    assert talk.status == status == 200
    assert len([*filter(None, talk.parts)]) > 1 and len(parts) > 1
    assert "content-length" not in {*found, *[name.decode() for name, _ in talk.headers]}
    answer = b"".join(parts)
    assert b"".join(talk.parts) == answer
    first, *lines = answer.splitlines()
    assert len(lines) == ROWS and first.startswith(b"prediction") and {line.partition(b",")[0] for line in lines} == {b"Adelie"}


def test_protocols_can_be_chosen(penguins: Path, asgi: Any) -> None:
    assert ask(asgi, "GET", "/v2").status == 200
    assert ask(flyweight.asgi(penguins, protocols=["native"]), "GET", "/v2").status == 404


def test_settings_are_environment_variables(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_MAX_BODY_BYTES", "10")
    assert ask(flyweight.asgi(penguins), "POST", "/predict", JSON.items(), [BODY]).status == 413


def test_log_entries_go_to_the_logger_flyweight(penguins: Path, caplog: pytest.LogCaptureFixture) -> None:
    application = flyweight.asgi(penguins)
    ask(application, "GET", "/health")
    assert not caplog.records, "answers are of the level INFO"
    with caplog.at_level(logging.INFO, "flyweight"):
        ask(application, "GET", "/health")
    (record,) = caplog.records
    assert json.loads(record.message)["operation"] == "health" and record.name == "flyweight"


def test_or_to_a_log_of_ones_own(penguins: Path) -> None:
    entries: list[Any] = []
    ask(flyweight.asgi(penguins, log=entries.append), "GET", "/health")
    assert [entry["status"] for entry in entries] == [200]


@pytest.mark.parametrize("make", [flyweight.asgi, flyweight.wsgi, flyweight.router, flyweight.blueprint])
def test_a_model_that_is_refused_is_an_error_at_once(make: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    with pytest.raises(flyweight.ModelRefused):
        make(tmp_path / "bad.safetensors")
    with pytest.raises(flyweight.ModelUnavailable):
        make(tmp_path / "none.safetensors")


def test_a_module_of_ones_own_may_be_called_wsgi(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wsgi", ModuleType("wsgi"))
    mounting.carrier.cache_clear()
    assert call(validator(flyweight.wsgi(penguins)), "GET", "/health", {})[0] == 200


def test_a_path_that_begins_like_the_mount_loses_the_mount_alone(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_MODELS", f"other={penguins}")
    talk = ask(flyweight.asgi(penguins), "GET", "/models/models/other/openapi.json", root_path="/models")
    assert talk.status == 200 and servers(b"".join(talk.parts)) == ["/models"]
