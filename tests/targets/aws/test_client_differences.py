"""Where AWS's own client crashes, hangs or loses its environment, ours answers: each row of docs/lambda-client.md."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flyweight.toolkit.targets.aws import payloads
from tests.targets.aws.runtime_api import OWN, PLATFORM, Session, event, reply
from tests.targets.aws.test_client import SITUATIONS


@pytest.fixture(scope="module")
def own() -> Iterator[Session]:
    """One process for all the tests that it survives."""
    with Session(OWN, SITUATIONS) as session:
        yield session


def error_of(session: Session, answer: bytes) -> tuple[str, str]:
    """Type and message of the error that is posted for an event; the process goes on."""
    (posted,) = session.ask(answer)
    assert posted.path.endswith("/error")
    assert session.waits()
    document = json.loads(posted.body)
    return document["errorType"], document["errorMessage"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before 3.12 both clients escape what is not ASCII")
def test_half_a_character_is_an_error_and_ends_the_platforms_client(own: Session) -> None:
    kind, message = error_of(own, event({"run": "result = ['\\ud800']"}))
    assert (kind, "surrogates not allowed" in message) == ("Runtime.MarshalError", True)
    with Session(PLATFORM, SITUATIONS) as session:
        assert session.ask(event({"run": "result = ['\\ud800']"})) == []
        assert session.end().status == 1


def test_half_a_character_in_a_message_is_escaped(own: Session) -> None:
    assert error_of(own, event({"run": "raise ValueError('\\ud800')"})) == ("ValueError", "\ud800")


def test_an_error_without_a_text_of_its_own_is_posted(own: Session) -> None:
    kind, message = error_of(own, event({"run": "class E(Exception):\n def __str__(self): return 1\nraise E"}))
    assert (kind, message) == ("E", "<the message of this E can't be made: TypeError>")


def test_an_odd_deadline_has_passed(own: Session) -> None:
    (posted,) = own.ask(event({"run": "result = context.get_remaining_time_in_millis()"}, Deadline_Ms="soon"))
    assert posted.body == b"0"


def test_an_event_without_a_type_of_content_is_bytes(own: Session) -> None:
    (posted,) = own.ask(event(b'{"a": 1}', Content_Type=None))
    assert posted.body == b'{"a": 1}'
    assert posted.headers["content-type"] == "application/unknown"


def test_an_answer_that_is_too_large_is_an_error_and_not_posted(own: Session) -> None:
    kind, message = error_of(own, event({"run": f"result = 'x' * {payloads.ANSWER - 1}"}))
    assert kind == "Function.ResponseSizeTooLarge"
    assert f"({payloads.ANSWER + 1} bytes) exceeded maximum allowed payload size ({payloads.ANSWER} bytes)" in message
    (posted,) = own.ask(event({"run": f"result = 'x' * {payloads.ANSWER - 2}"}))
    assert len(posted.body) == payloads.ANSWER


@pytest.mark.parametrize("status", [413, 400, 500])
def test_a_refused_answer_is_told_and_the_process_goes_on(status: int) -> None:
    with Session(OWN, SITUATIONS, refusals={"/response": reply(b"no", status)}) as session:
        first, second = session.ask(event({"return": 1}))
        assert (first.path[-9:], second.path[-6:]) == ("/response", "/error")
        assert json.loads(second.body)["errorType"] == "Runtime.ResponseRefused"
        session.refusals.clear()
        (third,) = session.ask(event({"return": 2}))
        assert third.body == b"2"
        assert (
            f"LAMBDA_RUNTIME Failed to post handler success response. Http response code: {status}. no".encode()
            in session.end().stderr
        )
    with Session(PLATFORM, SITUATIONS, refusals={"/response": reply(b"no", status)}) as session:
        session.ask(event({"return": 1}))
        assert session.end().status == 1


def test_a_refused_error_is_told_and_the_process_goes_on() -> None:
    with Session(OWN, SITUATIONS, refusals={"/error": reply(b"", 500)}) as session:
        session.ask(event({"run": "raise ValueError"}))
        (posted,) = session.ask(event({"return": 1}))
    assert posted.body == b"1"


NEXTS = {
    "an error without a type of content": (reply(b"", 500), "Http Response code: 500"),
    "a refusal": (reply(b"{}", 403, Content_Type="application/json"), "Http Response code: 403"),
    "no request id": (event({}, Aws_Request_Id=None), "Failed to find header lambda-runtime-aws-request-id"),
}
CUTS = {
    "nothing": b"",
    "a cut head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a cut body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    "a cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    "a chunk of no length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "an odd length": b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n{}",
}


@pytest.mark.parametrize("case", NEXTS)
def test_without_a_next_event_the_process_says_why_and_ends(case: str) -> None:
    answer, words = NEXTS[case]
    with Session(OWN, SITUATIONS) as session:
        assert session.ask(answer) == []
        ended = session.end()
    assert ended.status == 1
    assert words.encode() in ended.stderr
    assert ended.stderr.count(b"\n") == 1


@pytest.mark.parametrize("case", CUTS)
def test_a_cut_answer_is_a_line_of_the_log_and_ends_the_process(case: str) -> None:
    with Session(OWN, SITUATIONS) as session:
        assert session.waits()
        for _ in range(2):  # a connection that was kept may have ended for its age: `next` is asked once more
            session.drop(CUTS[case])
            if not session.waits():
                break
        ended = session.end()
    assert ended.status == 1
    assert b"Failed to get next invocation. No Response from endpoint" in ended.stderr


FORMS = {
    "in chunks": b"Transfer-Encoding: chunked\r\n\r\n4;x=y\r\n[1, \r\n2\r\n2]\r\n0\r\nTrailer: x\r\n\r\n",
    "to the end of the connection": b"\r\n[1, 2]",
    "with the end of the connection told": b"Connection: close\r\nContent-Length: 6\r\n\r\n[1, 2]",
}


@pytest.mark.parametrize("case", FORMS)
def test_an_event_comes_in_any_form_of_http(case: str) -> None:
    head, _, _ = event([1, 2]).partition(b"Content-Length")
    with Session(OWN, SITUATIONS) as session:
        assert session.waits()
        if case == "in chunks":
            (posted,) = session.ask(head + FORMS[case])
        else:
            session.drop((head if "told" in case else head.replace(b"HTTP/1.1", b"HTTP/1.0")) + FORMS[case])
            assert session.waits()
            (posted,) = session.requests
    assert posted.body == b"[1, 2]"


@pytest.mark.parametrize("text", ["caf\\xe9", "\\u6f22"])
def test_an_error_at_import_is_posted_in_any_script(text: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"raise ValueError('{text}')")
    with Session(OWN, tmp_path) as session:
        assert not session.waits()
        (posted,) = session.requests
    assert json.loads(posted.body)["errorMessage"] == text.encode().decode("unicode_escape")


def test_a_signal_while_idle_ends_a_function_that_exits_at_it(tmp_path: Path) -> None:
    """AWS's client prints and then waits for its polling thread for ever."""
    leave = "signal.signal(signal.SIGTERM, lambda *_: (print('ended'), sys.exit(0)))"
    (tmp_path / "app.py").write_text(f"import signal, sys\n{leave}\ndef handler(event, context): pass")
    with Session(OWN, tmp_path) as session:
        session.ask(event({}))
        session.signal(signal.SIGTERM)
        session.drop()
        assert not session.waits()
        ended = session.end()
    assert (ended.status, ended.stdout) == (0, b"ended\n")


def test_without_standard_streams_answers_go_on() -> None:
    code = 'exec >&- 2>&-; exec "$@"'
    with Session(OWN, SITUATIONS) as session:
        command, variables = session._command(), session._variables()
        session._process.kill()
        session._process.wait()
        session._process = subprocess.Popen(
            ["sh", "-c", code, "sh", *command], cwd=SITUATIONS, env=variables, stdin=subprocess.DEVNULL, start_new_session=True
        )
        (posted,) = session.ask(event({"run": "print('lost')\nresult = 3"}))
        assert posted.body == b"3"


ENDS = {"raise SystemExit(3)": 3, "import os; os._exit(7)": 7, "raise KeyboardInterrupt": -2}


@pytest.mark.parametrize(("code", "status"), ENDS.items())
def test_a_function_that_ends_its_process_ends_it_alike(code: str, status: int) -> None:
    for client in (PLATFORM, OWN):
        with Session(client, SITUATIONS) as session:
            assert session.ask(event({"run": code})) == []
            assert session.end().status == status


def test_the_process_of_the_shell_is_the_functions(own: Session) -> None:
    (posted,) = own.ask(event({"run": "import os; result = os.getpid()"}))
    assert int(posted.body) == own.pid != os.getpid()
