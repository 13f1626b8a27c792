"""Azure's triggers: each word of a setting becomes a function, events name blobs, outputs are held until the end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flyweight.errors import MalformedRequest
from flyweight.records import Record
from flyweight.settings import Settings
from tests.targets.paths import on_path

func = pytest.importorskip("azure.functions")
CREATED = "Microsoft.Storage.BlobCreated"


folder = on_path("azure")


def functions(*triggers: str, results: str = "", dead_letters: str = "") -> dict[str, list[dict[str, Any]]]:
    from azure_bindings import register

    app = func.FunctionApp()
    register(app, lambda *event: None, Settings("m", triggers=triggers, results=results, dead_letters=dead_letters))
    return {f.get_function_name(): [*map(json.loads, f.get_raw_bindings())] for f in app.get_functions()}


def test_each_word_is_a_function_with_its_trigger_and_connection() -> None:
    made = functions("queue:orders@Storage", "servicebus:t/s@Bus", "servicebus:q", "eventhub:h/g", "eventgrid", "timer:%WHEN%")
    assert [*made] == ["queue_orders", "servicebus_t_s", "servicebus_q", "eventhub_h_g", "eventgrid", "timer"]
    triggers = {name: bindings[-1] for name, bindings in made.items()}
    assert triggers["queue_orders"]["connection"] == "Storage" and triggers["queue_orders"]["queueName"] == "orders"
    topic = triggers["servicebus_t_s"]
    assert (topic["topicName"], topic["subscriptionName"], topic["cardinality"].upper()) == ("t", "s", "MANY")
    assert triggers["servicebus_q"]["connection"] == "AzureWebJobsServiceBus"
    assert (triggers["eventhub_h_g"]["eventHubName"], triggers["eventhub_h_g"]["consumerGroup"]) == ("h", "g")
    assert triggers["timer"]["schedule"] == "%WHEN%"
    assert functions("timer:0_*/5_*_*_*_*")["timer"][0]["schedule"] == "0 */5 * * * *"


def test_a_container_of_documents_is_a_function_that_is_tried_again_without_end() -> None:
    (binding,) = functions("cosmos:zoo/penguins@Cosmos")["cosmos_zoo_penguins"]
    assert (binding["type"], binding["databaseName"], binding["containerName"]) == ("cosmosDBTrigger", "zoo", "penguins")
    assert (binding["connection"], binding["leaseContainerName"]) == ("Cosmos", "penguins-leases")


def test_a_changed_document_is_a_record_without_the_fields_that_the_database_adds() -> None:
    from azure.functions.cosmosdb import CosmosDBTriggerConverter
    from azure.functions.meta import Datum
    from azure_records import documents

    system = {"_rid": "r", "_self": "s", "_etag": "e", "_ts": 1795341600, "_lsn": 7, "_attachments": "a"}
    sent = [{"id": "p1", "island": "Biscoe", **system}, {"island": [1]}, {"id": {"odd": 1}}]
    trigger = documents("zoo/penguins")
    listed = CosmosDBTriggerConverter.decode(Datum(json.dumps(sent), "json"), trigger_metadata={})
    records = trigger.records(listed, None, trigger)
    assert [json.loads(record.body) for record in records] == [{"island": "Biscoe"}, {"island": [1]}, {}]
    assert (records[0].id, records[0].origin["source"]) == ("p1#7", "zoo/penguins")


@pytest.mark.parametrize("kind", ["Microsoft.Storage.BlobDeleted", "Microsoft.Storage.BlobTierChanged"])
def test_a_blob_that_was_not_created_is_skipped_and_other_events_of_azure_are_refused_by_name(kind: str) -> None:
    from azure_envelopes import message_records

    event = {"id": "1", "topic": "t", "eventType": kind, "eventTime": "w", "data": {}}
    assert message_records(Record("m", json.dumps(event).encode())) == []
    event["eventType"] = "Microsoft.Resources.ResourceWriteSuccess"
    (record,) = message_records(Record("m", json.dumps([event]).encode()))
    assert "Microsoft.Resources.ResourceWriteSuccess" in str(record.fault)
    assert isinstance(record.fault, MalformedRequest), "a failure would hold up the other messages of the call"


def test_events_in_a_message_are_records_of_their_data_and_one_bad_event_fails_alone() -> None:
    from azure_envelopes import message_records

    cloud = {"specversion": "1.0", "id": "1", "source": "s", "type": "measured", "data": {"year": 2007}}
    own = {"id": "2", "topic": "s", "eventType": "measured", "eventTime": "w", "data": {"year": 2008}}
    broken = {**cloud, "id": "3", "data_base64": 5}
    message = Record("m", json.dumps([cloud, own, broken]).encode(), "", {"source": "q"}, "session")
    first, second, third = message_records(message)
    assert [json.loads(record.body) for record in (first, second)] == [{"year": 2007}, {"year": 2008}]
    assert [record.id for record in (first, second)] == ["m/1", "m/2"] and third.fault is not None
    assert {record.sequence for record in (first, second, third)} == {"session"} and first.origin["message"] == "m"


@pytest.mark.parametrize(("path", "address"), [("a%2520b.csv", "a%20b.csv"), ("/a.csv", "/a.csv"), ("a%09b.csv", "a\tb.csv")])
def test_a_blobs_name_is_decoded_once_and_the_mark_of_a_folder_is_skipped(path: str, address: str) -> None:
    from azure_files import blob_records

    url = "https://a.blob.core.windows.net/in"
    (record,) = blob_records({"url": f"{url}/{path}"}, {})
    assert record.origin["address"] == f"az://in/{address}"
    assert blob_records({"url": f"{url}/folder/"}, {}) == []
    for odd in ({}, {"url": 5}, {"url": "https://[x"}, None):
        with pytest.raises(MalformedRequest):
            blob_records(odd, {})


def test_outputs_are_bindings_of_each_function_and_one_where_both_go_to_one_place() -> None:
    two = functions("queue:a", results="queue:r@S", dead_letters="servicebus:d")["queue_a"]
    assert {(binding["name"], binding["type"]) for binding in two if binding["direction"] == "OUT"} == {
        ("results", "queue"),
        ("dead_letters", "serviceBus"),
    }
    one = functions("queue:a", results="queue:r", dead_letters="queue:r")["queue_a"]
    assert [binding["name"] for binding in one if binding["direction"] == "OUT"] == ["results"]
    stored = functions("queue:a", results="az://c/p")["queue_a"]
    assert not [binding for binding in stored if binding["direction"] == "OUT"]


@pytest.mark.parametrize("word", ["topic:x", "queue", "queue:", "timer", "nonsense"])
def test_an_unknown_trigger_is_refused_and_the_known_ones_are_listed(word: str) -> None:
    with pytest.raises(ValueError, match="servicebus:TOPIC/SUBSCRIPTION"):
        functions(word)


@pytest.mark.parametrize("kind", ["eventType", "type"])
def test_a_blob_is_named_by_the_event_in_a_message(kind: str) -> None:
    from azure_envelopes import message_records

    event = {kind: CREATED, "data": {"url": "https://a.blob.core.windows.net/in/a%20b.csv", "eTag": "0x1"}}
    (record,) = message_records(Record("m1", json.dumps(event).encode(), "", {"source": "q"}))
    assert (record.id, record.origin["address"], record.origin["message"]) == ("in/a b.csv#0x1", "az://in/a b.csv", "m1")


@pytest.mark.parametrize(("account", "refused"), [("penguins", False), ("Penguins", False), ("others", True), ("", False)])
def test_a_blob_of_another_account_is_refused_and_not_looked_for_in_ours(
    account: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azure_files import blob_records

    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", account)
    (record,) = blob_records({"url": "https://penguins.blob.core.windows.net/in/a.csv", "eTag": "0x1"}, {})
    assert (record.fault is not None) == refused
    if refused:
        assert "'penguins'" in str(record.fault) and "'others'" in str(record.fault)


@pytest.mark.parametrize("cloud", [False, True], ids=["Event Grid's schema", "CloudEvents"])
def test_the_sdk_gives_a_created_blob_as_one_in_both_schemas(cloud: bool) -> None:
    """The SDK's converter makes the event of what the host sends."""
    from azure.functions.eventgrid import EventGridEventInConverter
    from azure.functions.meta import Datum
    from azure_records import event_grid

    about = {"id": "e1", "subject": "/blobServices/default/containers/in/blobs/a.csv"}
    data = {"url": "https://a.blob.core.windows.net/in/a.csv", "eTag": "0x1"}
    own = {**about, "eventType": CREATED, "topic": "t", "eventTime": "2026-02-26T19:13:55Z", "data": data}
    theirs = {**about, "specversion": "1.0", "type": CREATED, "source": "t", "time": "2026-02-26T19:13:55Z", "data": data}
    sent = EventGridEventInConverter.decode(Datum(json.dumps(theirs if cloud else own), "json"), trigger_metadata=None)
    trigger = event_grid()
    (record,) = trigger.records(sent, None, trigger)
    assert record.origin["address"] == "az://in/a.csv"


def test_a_message_that_only_mentions_blobs_is_an_ordinary_record() -> None:
    from azure_envelopes import message_records

    for body in (b'"Microsoft.Storage.BlobCreated"', b'{"note": "Microsoft.Storage.BlobCreated"}', b"[{"):
        record = Record("m1", body)
        assert message_records(record) == [record]


def test_a_document_too_large_for_a_message_is_not_taken_and_the_others_are() -> None:
    from azure_sinks import open_sink, take_held

    sink = open_sink("queue:r")
    left = sink.send([("k1", {"n": 1}), ("k2", {"text": "x" * 50_000})])
    assert [*left] == ["k2"] and take_held() == {"queue:r": ['{"n":1}']} and take_held() == {}
