"""A browser that opens `/graphql` of `flyweight serve` gets a page; programs get GraphQL, and deployments have no page."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest

from flyweight.toolkit.running import graphql_page
from flyweight.toolkit.running.server import Server
from tests.services.web import exchange

(FIRST,) = re.findall(r'id="query".*?>(.*?)</textarea>', graphql_page.PAGE.read_text(), re.DOTALL)
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_a_page_and_a_program_gets_answers(penguins: Path) -> None:
    with Server(penguins, "127.0.0.1", 0) as server:
        port = int(server.url.rpartition(":")[2])
        status, headers, body = exchange(port, "GET", "/graphql", headers=BROWSER)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8") and b"<textarea" in body
        query = "/graphql?query=" + quote(FIRST)
        status, _, body = exchange(port, "GET", query, headers={"accept": "application/json"})
        assert status == 200 and json.loads(body)["data"]["models"] == [{"name": "penguins", "version": "1.0.0"}]
        assert exchange(port, "GET", "/graphql", headers={"accept": "application/json"})[0] == 400
        assert exchange(port, "GET", "/health", headers=BROWSER)[2] == b'{"status":"ok"}'


def test_the_page_runs_its_own_script_alone() -> None:
    text = graphql_page.PAGE.read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in graphql_page.policy(text) and "http" not in text


@pytest.mark.parametrize("place", ["handlers", "shared/flyweight/protocols", "shared/flyweight/serving"])
def test_no_deployment_has_the_page(place: str) -> None:
    from tests.conftest import ROOT

    assert not [path for path in (ROOT / place).rglob("*.py") if "graphql_page" in path.read_text()]
