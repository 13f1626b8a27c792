"""Events come from the senders that the settings name: their tokens are Google's, for this function, and valid now."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.errors import Forbidden, ModelUnavailable
from tests.serving.test_service import GENTOO
from tests.targets.gcp.test_infra_script import dry_run, flags, script
from tests.targets.paths import on_path

flask = pytest.importorskip("flask")
pytest.importorskip("cryptography")
from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: E402
from cryptography.hazmat.primitives.hashes import SHA256  # noqa: E402

OURS, OTHERS = "trigger@project.iam.gserviceaccount.com", "stranger@project.iam.gserviceaccount.com"
HOST = "penguins.example.org"
KEY, FOREIGN_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(2))
folder = on_path("gcp")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public(key: Any, name: str) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    parts = {"n": numbers.n, "e": numbers.e}
    return {"kid": name, **{part: encoded(value.to_bytes(256).lstrip(b"\0")) for part, value in parts.items()}}


def token(key: Any = KEY, kid: Any = "k1", alg: str = "RS256", **claims: Any) -> str:
    now = int(time.time())
    usual = {"iss": "https://accounts.google.com", "aud": f"https://{HOST}", "email": OURS, "email_verified": True}
    whole = {**usual, "iat": now, "exp": now + 3600, **claims}
    signed = f"{encoded(json.dumps({'alg': alg, 'kid': kid}).encode())}.{encoded(json.dumps(whole).encode())}"
    return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def stripped(text: str) -> str:
    """What Cloud Run passes on of a token that it has checked."""
    return f"{text.rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"


Check = Callable[..., None]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, folder: None) -> Iterator[Check]:
    """Check a request with headers and settings; Google's keys are those of the test."""
    import gcp_senders
    from gcp_message import opened

    monkeypatch.setattr(gcp_senders, "fetch_keys", lambda: [public(KEY, "k1")])
    monkeypatch.setattr(gcp_senders, "KEYS", gcp_senders.Keys())

    def checked(authorization: str | None, senders: str = OURS, audience: str = "", path: str = "/", **headers: str) -> None:
        monkeypatch.setenv("FLYWEIGHT_EVENT_SENDERS", senders)
        monkeypatch.setenv("FLYWEIGHT_EVENT_AUDIENCE", audience)
        sent = {**({} if authorization is None else {"authorization": authorization}), **headers}
        with flask.Flask("f").test_request_context(path, method="POST", headers=sent, base_url=f"http://{HOST}"):
            gcp_senders.check(opened(flask.request))

    yield checked


def test_a_sender_with_googles_token_for_this_function_is_accepted(check: Check) -> None:
    check(f"Bearer {token()}")
    check(f"bearer {token(aud=f'https://{HOST}/')}")
    check(f"Bearer {token(aud=f'https://{HOST}/events?key=1')}", path="/events?key=1")
    check(f"Bearer {token(aud='penguins')}", audience="https://other penguins")
    check(f"Bearer {token(iss='accounts.google.com')}", senders=f"{OTHERS},{OURS}")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic abc",
        "Bearer",
        "Bearer a.b",
        "Bearer ..",
        "Bearer é.b.c",
        "Bearer bnVsbA.bnVsbA.c",
        f"Bearer {token(key=FOREIGN_KEY)}",
        f"Bearer {token(kid='unknown')}",
        f"Bearer {token(kid=[1])}",
        f"Bearer {token(alg='none')}",
        f"Bearer {token(alg='HS256')}",
        f"Bearer {token(email=OTHERS)}",
        f"Bearer {token(email_verified=False)}",
        f"Bearer {token(email=[OURS])}",
        f"Bearer {token(aud='https://other.example.org')}",
        f"Bearer {token(aud=[f'https://{HOST}'])}",
        f"Bearer {token(iss='https://issuer.example.org')}",
        f"Bearer {token(exp=1)}",
        f"Bearer {token(exp=None)}",
        f"Bearer {token(iat=int(time.time()) + 86_400)}",
        f"Bearer {stripped(token())}",
        f"Bearer {token()[:-6]}AAAAAA",
        f"Bearer {token()}" + "A" * 20_000,
    ],
)
def test_any_other_caller_is_refused(authorization: str | None, check: Check) -> None:
    with pytest.raises(Forbidden):
        check(authorization)


def test_without_senders_in_the_settings_nobody_may_send_events(check: Check) -> None:
    with pytest.raises(Forbidden, match="FLYWEIGHT_EVENT_SENDERS"):
        check(f"Bearer {token()}", senders="")


def test_where_cloud_run_has_checked_the_token_its_signature_is_not_needed(check: Check) -> None:
    check(None, senders="iam")
    check(f"Bearer {stripped(token())}", senders=f"iam {OURS}")
    check(f"Bearer {token()}", senders=f"iam {OURS}")
    check("Bearer theirs", senders=f"iam {OURS}", **{"x-serverless-authorization": f"Bearer {stripped(token())}"})
    for refused in (stripped(token(email=OTHERS)), token(key=FOREIGN_KEY), "a.b.SIGNATURE_REMOVED_BY_GOOGLE"):
        with pytest.raises(Forbidden):
            check(f"Bearer {refused}", senders=f"iam {OURS}")


def test_a_key_that_google_does_not_have_is_not_asked_for_again_at_once(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    import gcp_senders

    asked = []
    monkeypatch.setattr(gcp_senders, "fetch_keys", lambda: [asked.append(1), public(KEY, "k1")][1:])
    for _ in range(3):
        with pytest.raises(Forbidden):
            check(f"Bearer {token(kid='unknown')}")
    check(f"Bearer {token()}")
    assert len(asked) == 1


def test_while_google_can_not_be_asked_the_event_is_not_lost(monkeypatch: pytest.MonkeyPatch, folder: None) -> None:
    """An answer of 503 makes the sender post it again."""
    import gcp_senders
    from gcp_message import opened

    monkeypatch.setattr(gcp_senders, "KEYS_HOST", "127.0.0.1:9")
    monkeypatch.setattr(gcp_senders, "KEYS", gcp_senders.Keys())
    monkeypatch.setenv("FLYWEIGHT_EVENT_SENDERS", OURS)
    with (
        flask.Flask("f").test_request_context("/", headers={"authorization": f"Bearer {token()}"}, base_url=f"http://{HOST}"),
        pytest.raises(ModelUnavailable, match="not reached"),
    ):
        gcp_senders.check(opened(flask.request))


@pytest.mark.parametrize("headers", [{"ce-id": "1"}, {"x-cloudtasks-taskname": "t"}, {"x-goog-pubsub-message-id": "1"}, {}])
def test_without_settings_a_post_that_looks_like_an_event_is_refused_with_403_and_requests_are_answered(
    headers: dict[str, str], penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gcp_message import opened
    from gcp_request import decode, encode
    from gcp_triggers import find

    from flyweight.handler import bind

    monkeypatch.setenv("FLYWEIGHT_MODEL", penguins.name)
    logged: list[Any] = []
    function = bind(decode, encode, folder=str(penguins.parent), logs={"": lambda: logged.append}, triggers=find)
    push = {"message": {"messageId": "1", "data": ""}, "subscription": "s"}
    for body, sent, status in ((push, headers, 403), ([GENTOO], {}, 200)):
        with flask.Flask("f").test_request_context("/predict", method="POST", json=body, headers=sent):
            answer = function(opened(flask.request))
        assert answer[1] == status
    assert [line["level"] for line in logged] == ["WARNING", "INFO"] and "FLYWEIGHT_EVENT_SENDERS" in logged[0]["message"]


@pytest.mark.parametrize(
    ("given", "senders"),
    [
        ({"TRIGGER_TOPIC": "rows"}, "iam flyweight-trigger@p.iam.gserviceaccount.com"),
        ({"TRIGGER_TOPIC": "rows", "PUBLIC": "true"}, "flyweight-trigger@p.iam.gserviceaccount.com"),
        ({"TRIGGER_TOPIC": "rows", "INVOKERS": "user:ada@example.com,allUsers"}, "flyweight-trigger@p.iam.gserviceaccount.com"),
        ({"TRIGGER_TOPIC": "rows", "SETTINGS": "FLYWEIGHT_EVENT_SENDERS=a@b"}, "a@b"),
        ({"PUBLIC": "true"}, None),
    ],
)
def test_a_deployment_accepts_events_of_its_own_triggers(given: dict[str, str], senders: str | None) -> None:
    (deploy,) = [line for line in dry_run(PROJECT="p", **given).splitlines() if "run deploy" in line]
    settings = flags(deploy).get("--set-env-vars", "")
    assert dict(pair.split("=", 1) for pair in settings.split(",") if pair).get("FLYWEIGHT_EVENT_SENDERS") == senders


def test_a_public_deployment_with_triggers_needs_the_library_that_checks_their_tokens(tmp_path: Path) -> None:
    for name in ("main.py", "flyweight.json"):
        (tmp_path / name).write_text("")
    done = script(PROJECT="p", PUBLIC="true", TRIGGER_TOPIC="rows", SOURCE=str(tmp_path), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 2 and "cryptography" in done.stderr
