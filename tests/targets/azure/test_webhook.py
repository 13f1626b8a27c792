"""Events that Event Grid posts by HTTP: the handshake of both schemas, and a status that says whether all is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flyweight.handler import bind
from tests.serving.test_service import GENTOO
from tests.targets.paths import on_path

func = pytest.importorskip("azure.functions")
folder = on_path("azure")
Post = Callable[..., Any]
EVENT = {"id": "1", "eventType": "penguin.measured", "topic": "t", "eventTime": "w", "data": GENTOO}


@pytest.fixture(scope="module")
def post(penguins: Path, folder: None) -> Iterator[Post]:
    from azure_request import decode, encode
    from azure_triggers import find

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLYWEIGHT_MODEL", penguins.name)
        logs = {"": lambda: lambda entry: None}
        answer = bind(decode, encode, folder=str(penguins.parent), logs=logs, triggers=find, sinks="azure_sinks")

    def posted(body: Any, kind: str = "Notification", method: str = "POST", **headers: str) -> Any:
        sent = {"aeg-event-type": kind, **headers} if kind else headers
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = func.HttpRequest(
            method=method, url="https://app/predict", headers=sent, route_params={"path": "predict"}, body=raw
        )
        return answer(request, SimpleNamespace(invocation_id="i"))

    yield posted


def test_the_handshake_of_event_grids_schema_returns_the_code(post: Post) -> None:
    event = {**EVENT, "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d"}}
    reply = post([event], "SubscriptionValidation")
    assert (reply.status_code, json.loads(reply.get_body())) == (200, {"validationResponse": "512d"})
    for odd in (b"{", [], [5], [{**event, "data": None}], [{**event, "data": {"validationCode": [1]}}]):
        assert json.loads(post(odd, "SubscriptionValidation").get_body()) == {"validationResponse": ""}


def test_the_handshake_of_cloudevents_names_the_origin(post: Post) -> None:
    reply = post(b"", "", "OPTIONS", **{"webhook-request-origin": "eventgrid.azure.net"})
    assert (reply.status_code, reply.headers["webhook-allowed-origin"]) == (200, "eventgrid.azure.net")


@pytest.mark.parametrize(
    ("body", "status", "states"),
    [
        ([EVENT], 200, [None]),
        ([EVENT, 5, {**EVENT, "id": "3"}], 200, [None, 400, None]),
        ({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": GENTOO}, 200, [None]),
        ([{**EVENT, "data": [[1]]}], 200, [422]),
        (b"{", 200, [400]),
        ([{**EVENT, "eventType": "Microsoft.Storage.BlobDeleted"}], 200, []),
        ([{**EVENT, "eventType": "Microsoft.Storage.BlobCreated", "data": {"url": "https://a/in/b.csv"}}], 422, [422]),
        ([EVENT, {**EVENT, "eventType": "Microsoft.Resources.ResourceWriteSuccess"}], 422, [None, 422]),
    ],
)
def test_events_are_scored_and_the_status_says_whether_all_is_done(body: Any, status: int, states: Any, post: Post) -> None:
    reply = post(body)
    assert reply.status_code == status
    assert [answer.get("status") for answer in json.loads(reply.get_body())] == states


def test_a_request_without_the_senders_header_is_a_request(post: Post) -> None:
    assert json.loads(post([GENTOO], "").get_body())["predictions"] == ["Gentoo"]
