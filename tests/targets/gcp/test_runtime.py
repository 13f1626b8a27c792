"""What is special about functions-framework on this machine."""

from __future__ import annotations

import time

from flyweight.toolkit.running import runtime
from tests.conftest import ROOT


def test_a_connection_that_the_server_let_go_of_while_it_was_idle_is_made_anew() -> None:
    """The server, gunicorn, closes one after two seconds."""
    with runtime("gcp")(ROOT / "tests" / "targets" / "gcp" / "empty") as process:
        event = {"method": "GET", "path": "/"}
        assert process.invoke(event).status == 200
        time.sleep(3)
        assert process.invoke(event).status == 200
