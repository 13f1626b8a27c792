"""A function that can't be loaded is the same error under our Runtime API client and under AWS's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.targets.aws.runtime_api import OWN, PLATFORM, Ended, Request, Session, event

SOURCES = {
    "an import of something missing": ("import nosuch", "app.handler"),
    "no such module": ("", "other.handler"),
    "no such name in a module": ("from os import nosuch", "app.handler"),
    "a syntax error": ("def handler(:\n", "app.handler"),
    "tabs and blanks": ("if True:\n\tx = 1\n        y = 2\n", "app.handler"),
    "no such function": ("", "app.handler"),
    "a name without a dot": ("", "nodot"),
    "an empty name": ("", ""),
    "a name that begins with a dot": ("", ".handler"),
    "a module of the interpreter": ("", "time.sleep"),
    "below a module of the interpreter": ("", "sys.x.handler"),
    "an error at import": ("x = 1\nraise ValueError('at import')", "app.handler"),
    "an error in a function at import": ("def f(): return {}['a']\nf()", "app.handler"),
    "an exit at import": ("import sys; print('leaving'); sys.exit(5)", "app.handler"),
}
LOGGED = [*[(case, False) for case in SOURCES], ("a syntax error", True), ("no such function", True)]
PYTHONS = re.compile("importlib|aws_client")  # frames of Python's own import, and of our client where an error has no other
RUNNING = {
    "in a folder": "d/app.handler",
    "in a package": "d.app.handler",
    "in the standard library": "json.dumps",
}


def started(client: str, folder: Path, handler: str, **environ: str) -> tuple[list[Request], Ended]:
    """What a client posts until it ends, and what it leaves."""
    with Session(client, folder, handler, environ=environ) as session:
        assert not session.waits()
        return session.requests, session.end()


def without_python(requests: list[Request]) -> list[tuple[str, str | None, dict[str, object]]]:
    """Posts without the frames of Python's own import, which AWS's client reports before the function's."""
    found = []
    for one in requests:
        document = json.loads(one.body)
        document["stackTrace"] = [line for line in document["stackTrace"] if not PYTHONS.search(line)]
        found.append((one.path, one.headers.get("lambda-runtime-function-error-type"), document))
    return found


def written(text: bytes) -> list[str]:
    """The lines of a log without times, and without the frames of Python's own import."""
    plain = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", b"TIME", text).decode()
    # a frame is two lines, of which one of Python's frozen modules has only the first
    return [line for line in re.split("[\r\n]+(?!\u00a0\u00a0\u00a0)", plain) if not PYTHONS.search(line)]


@pytest.mark.parametrize(("case", "json_logs"), LOGGED)
def test_the_error_is_posted_and_logged_alike(case: str, json_logs: bool, tmp_path: Path) -> None:
    source, handler = SOURCES[case]
    (tmp_path / "app.py").write_text(source)
    environ = {"AWS_LAMBDA_LOG_FORMAT": "JSON"} if json_logs else {}
    requests, platform = started(PLATFORM, tmp_path, handler, **environ)
    own_requests, own = started(OWN, tmp_path, handler, **environ)
    assert without_python(own_requests) == without_python(requests)
    assert own.status == platform.status != 0
    assert written(own.stdout) == written(platform.stdout)
    assert own.stderr == platform.stderr


@pytest.mark.parametrize("case", RUNNING)
def test_other_places_of_a_handler_work_alike(case: str, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "app.py").write_text("def handler(event, context): return __name__")
    found = []
    for client in (PLATFORM, OWN):
        with Session(client, tmp_path, RUNNING[case]) as session:
            (one,) = session.ask(event({}))
            found.append((one.path, json.loads(one.body).get("errorType") if one.path.endswith("/error") else one.body))
    assert found[0] == found[1]


@pytest.mark.parametrize("status", [b"403", b"500"])
def test_a_refused_error_still_ends_the_process(status: bytes, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise ValueError")
    refusals = {"/init/error": b"HTTP/1.1 " + status + b" No\r\nContent-Length: 2\r\n\r\nno"}
    with Session(OWN, tmp_path, refusals=refusals) as session:
        assert not session.waits()
        ended = session.end()
    assert ended.status == 1
    assert b"Failed to post init error. Http response code: " + status in ended.stderr
