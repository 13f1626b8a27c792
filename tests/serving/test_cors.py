"""Scripts of other origins may call where the settings say so; the rules are a browser's own, and a browser judges them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight import settings
from flyweight.errors import InvalidSetting, MalformedRequest
from flyweight.serving.service import Service
from flyweight.settings import Cors, Settings
from flyweight.toolkit.running.server import Server
from flyweight.values import Request
from tests.services.web import HttpServer

SHOP = "https://shop.example"
ASKS = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


def headers(method: str, path: str, cors: Cors | None, body: bytes = b"", **sent: str) -> Any:
    service = Service(Settings("/nowhere", cors=cors), lambda entry: None)
    return service.answer(Request(method, path, {name.replace("_", "-"): value for name, value in sent.items()}, body)).headers


def allowed(origin: str, *origins: str) -> str | None:
    value: str | None = headers("GET", "/health", Cors(origins), origin=origin).get("access-control-allow-origin")
    return value


@pytest.mark.parametrize("origin", [SHOP, "https://a.lab.example", "https://a.b.lab.example"])
def test_origins_are_allowed_by_name_or_below_a_domain(origin: str) -> None:
    assert allowed(origin, SHOP, "https://*.lab.example") == origin
    assert allowed(origin, "*") == "*"


@pytest.mark.parametrize(
    "origin",
    [
        *("http://shop.example", "https://shop.example:8443", "https://shop.example.evil.example", "https://lab.example"),
        *("https://.lab.example", "https://evil.example/.lab.example", "https://evil.example?.lab.example", "null", "", "*"),
        *("https://evil.example#.lab.example", "https://evil:80.lab.example", "https://a@evil.example\\.lab.example"),
        *("https://*.lab.example", "http://a.lab.example", "https://a.lab.example:80", "https://alab.example"),
    ],
)
def test_other_origins_are_not(origin: str) -> None:
    assert allowed(origin, SHOP, "https://*.lab.example") is None


@given(st.text(max_size=30).map("https://{}.lab.example".format) | st.text(max_size=30))
def test_no_text_passes_for_a_subdomain_unless_it_is_one(origin: str) -> None:
    if allowed(origin, "https://*.lab.example"):
        assert re.fullmatch(r"https://[\w.-]+\.lab\.example", origin)


def test_any_header_is_allowed_by_its_name_if_the_setting_is_a_star() -> None:
    named = headers("OPTIONS", "/predict", Cors((SHOP,), ("*",)), origin=SHOP, **ASKS)
    assert named["access-control-allow-headers"] == "authorization,content-type"
    assert named["vary"] == "origin, access-control-request-headers"
    hostile = {**ASKS, "access-control-request-headers": "a\r\nset-cookie: b"}
    assert headers("OPTIONS", "/predict", Cors((SHOP,), ("*",)), origin=SHOP, **hostile)["access-control-allow-headers"] == ""


def test_credentials_and_age_are_settings() -> None:
    answered = headers("OPTIONS", "/predict", Cors((SHOP,), ("content-type",), True, 5), origin=SHOP, **ASKS)
    assert answered["access-control-allow-credentials"] == "true"
    assert answered["access-control-max-age"] == "5"
    assert answered["access-control-allow-headers"] == "content-type"


def test_every_kind_of_answer_has_the_headers() -> None:
    for asked in ("GET /health", "GET /nowhere", "DELETE /predict", "POST /predict", "HEAD /health"):
        method, path = asked.split()
        assert headers(method, path, Cors((SHOP,)), origin=SHOP)["access-control-allow-origin"] == SHOP


def test_an_event_that_can_not_be_decoded_is_answered_with_the_headers() -> None:
    def refuse(event: Any) -> Request:
        error = MalformedRequest("not base64")
        error.request_headers = {"origin": SHOP}
        raise error

    service = Service(Settings("/nowhere", cors=Cors((SHOP,))), lambda entry: None)
    assert service.respond(refuse, ({},)).headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"FLYWEIGHT_CORS_ORIGINS": "shop.example"}, "should hold origins, as https://shop.example"),
        ({"FLYWEIGHT_CORS_ORIGINS": "https://shop.example/"}, "should hold origins"),
        ({"FLYWEIGHT_CORS_ORIGINS": "https://sh*p.example"}, "should hold origins"),
        ({"FLYWEIGHT_CORS_ORIGINS": "://shop.example"}, "should hold origins"),
        ({"FLYWEIGHT_CORS_ORIGINS": "*", "FLYWEIGHT_CORS_CREDENTIALS": "true"}, "should name the origins"),
        ({"FLYWEIGHT_CORS_ORIGINS": SHOP, "FLYWEIGHT_CORS_CREDENTIALS": "yes"}, "should be true or false"),
        ({"FLYWEIGHT_CORS_ORIGINS": SHOP, "FLYWEIGHT_CORS_MAX_AGE": "soon"}, "FLYWEIGHT_CORS_MAX_AGE should be a whole number"),
    ],
)
def test_a_setting_with_no_meaning_is_refused(variables: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        settings.read("/nowhere", variables)


def test_the_settings_are_read_and_off_by_default() -> None:
    assert settings.read("/nowhere", {}).cors is None
    variables = {"FLYWEIGHT_CORS_ORIGINS": f"{SHOP}, *", "FLYWEIGHT_CORS_HEADERS": "X-Key", "FLYWEIGHT_CORS_MAX_AGE": "5"}
    assert settings.read("/nowhere", variables).cors == Cors((SHOP, "*"), ("x-key",), False, 5)


PAGE = """<!doctype html><title>asking</title><pre id="told"></pre><script>
const row = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007];
async function ask(body) {
  try {
    const answer = await fetch("ENDPOINT/predict", {method: "POST", headers: {"content-type": "application/json"}, body});
    const document = await answer.json();
    return [answer.status, document.predictions || document.title, Boolean(answer.headers.get("x-request-id"))];
  } catch (error) { return error.name; }
}
(async () => {
  const told = {good: await ask(JSON.stringify([row])), many: (await ask(JSON.stringify(Array(500).fill(row))))[1].length,
                bad: await ask("{")};
  document.getElementById("told").textContent = JSON.stringify(told);
  document.title = "done";
})();
</script>"""


class Page(BaseHTTPRequestHandler):
    """The server of a page, which is of another origin than the endpoint because its port is another."""

    endpoint = ""
    server: HttpServer

    def do_GET(self) -> None:
        self.server.begin(self.connection)
        body = PAGE.replace("ENDPOINT", self.endpoint).encode()
        self.send_response(200)
        for name, value in {"content-type": "text/html", "content-length": str(len(body)), "connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.server.finish(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def told(url: str, profile: Path) -> Any:
    """Open a page in a browser, and read what its script has written."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--virtual-time-budget=20000"]
    done = subprocess.run(["chromium", *options, "--dump-dom", url], capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout)
    assert found, done.stderr[-2000:]
    return json.loads(found[1].replace("&quot;", '"') or "{}")


@pytest.fixture
def page() -> Iterator[HttpServer]:
    with HttpServer(Page) as server:  # type: ignore[arg-type]
        yield server


@pytest.mark.slow
@pytest.mark.needs("chromium")
@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_page_in_a_browser_gets_answers_and_errors_of_another_origin(
    is_allowed: bool, page: HttpServer, penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWEIGHT_CORS_ORIGINS", page.url if is_allowed else SHOP)
    with Server(penguins, "127.0.0.1", 0) as server:
        monkeypatch.setattr(Page, "endpoint", server.url)
        answers = told(page.url, tmp_path)
    if is_allowed:
        assert answers == {"good": [200, ["Gentoo"], True], "many": 500, "bad": [400, "malformed request", True]}
    else:
        assert answers["good"] == answers["bad"] == "TypeError", "the browser keeps the answer from the script"
