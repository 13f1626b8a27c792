"""Log lines: UTF-8 whatever the platform's encoding is, and a line that can't be written raises."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flyweight.serving import logs

WRITE = "from flyweight.serving import logs; logs.line({'level': 'severity'})({'level': 'INFO', 'message': 'Zoë ☃'})"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "utf-16"])
def test_a_line_is_utf_8_whatever_encoding_python_has_for_texts(encoding: str) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", WRITE], env=environ, capture_output=True, check=True)
    line = json.loads(done.stdout.decode())
    assert (line["severity"], line["message"]) == ("INFO", "Zoë ☃") and done.stdout.endswith(b"}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_line_that_can_not_be_written_raises() -> None:
    write = f"try:\n {WRITE}\nexcept OSError:\n import os; os._exit(7)"
    with open("/dev/full", "wb") as full:
        assert subprocess.run([sys.executable, "-c", write], stdout=full).returncode == 7


def test_a_line_follows_what_was_printed_before(capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), write_through=False)
    with contextlib.redirect_stdout(stream):
        print("first", end="\n")
        logs.line({})({"message": "second"})
    first, second = stream.buffer.getvalue().splitlines()  # type: ignore[attr-defined]
    assert first == b"first" and b"second" in second


def test_a_stream_of_texts_alone_is_written_to_as_well() -> None:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        logs.line({})({"message": "Zoë"})
    assert json.loads(stream.getvalue())["message"] == "Zoë"
