"""A served model answers as a deployed one does, by the server that containers run."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from flyweight.errors import ModelRefused, ModelUnavailable
from flyweight.toolkit.running.server import Server
from tests.services.web import GENEROUS, exchange


def test_a_served_model_answers_until_it_is_closed(penguins: Path) -> None:
    with Server(penguins, "127.0.0.1", 0) as server:
        port = int(server.url.rpartition(":")[2])
        with closing(HTTPConnection("127.0.0.1", port, timeout=GENEROUS)) as connection:
            for _ in range(2):
                connection.request("GET", "/ready")
                assert connection.getresponse().read() == b'{"status":"ready"}'
    with pytest.raises(ConnectionRefusedError):
        exchange(port, "GET", "/ready")


def test_a_server_that_never_ran_frees_its_port(penguins: Path) -> None:
    server = Server(penguins, "127.0.0.1", 0)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        exchange(int(server.url.rpartition(":")[2]), "GET", "/ready")


def test_a_bad_model_is_refused_before_anything_listens(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    with pytest.raises(ModelRefused):
        Server(tmp_path / "bad.safetensors", "127.0.0.1", 0)
    with pytest.raises(ModelUnavailable):
        Server(tmp_path / "none.safetensors", "127.0.0.1", 0)
