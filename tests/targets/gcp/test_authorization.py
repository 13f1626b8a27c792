"""An identity token comes from gcloud, or from the metadata server of Google's own machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyweight.toolkit.deploying.authorization import chosen
from tests.services.web import Handler, HttpServer


def test_a_machine_of_googles_asks_its_metadata_server(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    seen: list[tuple[str, str]] = []

    class Metadata(Handler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers["Metadata-Flavor"]))
            self.reply(200, b"a-token")

    with HttpServer(Metadata) as server:
        monkeypatch.setenv("PATH", str(here))
        monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.server_port}")
        headers = chosen("google", "https://birds.run.app/")("POST", "https://birds.run.app/predict", b"")
    assert headers == {"authorization": "Bearer a-token"}
    assert seen == [
        ("/computeMetadata/v1/instance/service-accounts/default/identity?audience=https%3A%2F%2Fbirds.run.app", "Google")
    ]
