"""What is special about Azure's worker on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from flyweight.toolkit.running import runtime
from tests.serving.test_service import GENTOO
from tests.toolkit.running.functions import event, function


def test_an_async_azure_function_runs(tmp_path: Path) -> None:
    folder = function(tmp_path, "azure")
    file = folder / "function_app.py"
    file.write_text(file.read_text().replace("def predict", "async def predict"))
    with runtime("azure")(folder) as process:
        assert process.invoke(event("azure")).body == b"hi"


def test_documents_of_a_container_and_events_of_a_webhook_are_scored_in_the_workers_library(built: Callable[[str], Path]) -> None:
    system = {"_rid": "r", "_etag": "e", "_ts": 1795341600, "_lsn": 7}
    documents = [{"id": "p1", **GENTOO, **system}, {"id": "p2", **GENTOO, "year": "x", **system}]
    sent = [{"name": "sent", "data": {"json": json.dumps(documents)}}]
    changes = {"function": "cosmos_zoo_penguins", "inputData": sent, "triggerMetadata": {}}
    event = {"id": "e1", "topic": "t", "eventType": "measured", "eventTime": "w", "data": GENTOO}
    headers = {"aeg-event-type": "Notification", "content-type": "application/json"}
    posted = {"method": "POST", "url": "https://app.test/predict", "headers": headers, "body": json.dumps([event, None])}
    with runtime("azure")(built("azure"), environ={"FLYWEIGHT_TRIGGERS": "cosmos:zoo/penguins@Cosmos"}) as process:
        assert process.invoke(changes).status == 200, process.log()
        assert '"operation":"cosmos"' in process.log() and '"scored":1,"rejected":1' in process.log()
        answer = process.invoke(posted)
        assert answer.status == 200 and b'"id":"e1"' in answer.body, answer.body
