"""The agent listens on its own device alone, whatever its settings say."""

from __future__ import annotations

import pytest

from flyweight import settings
from flyweight.errors import InvalidSetting
from flyweight.settings.edge import Edge, edge


def test_each_field_is_a_variable() -> None:
    given = {
        "FLYWEIGHT_EDGE_MODEL": "s3://b/m@prod",
        "FLYWEIGHT_EDGE_DEVICE": "pi-4",
        "FLYWEIGHT_EDGE_CONFIDENCE": "0.9",
        "FLYWEIGHT_EDGE_STORE_BYTES": "1000000",
        "FLYWEIGHT_EDGE_WINDOW": "01:00-05:00",
        "STATE_DIRECTORY": "/var/lib/flyweight-edge/m",
    }
    assert edge(given) == Edge()._replace(
        edge_model="s3://b/m@prod",
        edge_device="pi-4",
        edge_confidence=0.9,
        edge_store_bytes=1_000_000,
        edge_window="01:00-05:00",
        edge_state="/var/lib/flyweight-edge/m",
    )
    assert settings.misspelt(given) == []
    assert "FLYWEIGHT_EDGE_WINDOW" in settings.misspelt({"FLYWEIGHT_EDGE_WINDOWS": ""})[0]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HOST", "0.0.0.0", "this device only"),
        ("HOST", "192.168.0.7", "this device only"),
        ("HOST", "::", "this device only"),
        ("GRPC_PORT", "9000", "other machines"),
        ("MODEL", "s3://b/m@prod", "FLYWEIGHT_EDGE_MODEL"),
        ("EDGE_WHEN_FULL", "forget", "answer or refuse"),
        ("EDGE_CONFIDENCE", "1.5", "at most 1"),
        ("EDGE_DEVICE", "a/b", "letters"),
        ("EDGE_WINDOW", "1-5", "01:00-05:00"),
        ("EDGE_WINDOW", "25:00-05:00", "01:00-05:00"),
        ("EDGE_BATCH", "0", "above zero"),
    ],
)
def test_a_value_with_no_meaning_is_refused_in_words(name: str, value: str, told: str) -> None:
    with pytest.raises(InvalidSetting, match=told):
        edge({f"FLYWEIGHT_{name}": value})


@pytest.mark.parametrize("host", ["", "127.0.0.1", "::1", "localhost"])
def test_the_devices_own_addresses_are_taken(host: str) -> None:
    assert edge({"FLYWEIGHT_HOST": host} if host else {})
