"""`GET /metrics`: what the reader of Prometheus' own client makes of it, from one process and from several."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from prometheus_client.openmetrics import parser as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_families
from server_metrics import BOUNDS, OTHER, SERIES, SLOT, WORD, Counters, _written, series

from flyweight import settings
from flyweight.errors import InvalidSetting
from tests.server import test_start
from tests.server.test_grpc import Client
from tests.server.test_start import BODY, Start
from tests.services.web import GENEROUS, exchange, free_port, wait_until

start = test_start.start  # the fixture
JSON = {"content-type": "application/json"}
SCRAPER = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;q=0.2"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(port: int, accept: str = "") -> tuple[str, str]:
    """The content type and the text of a scrape."""
    status, headers, body = exchange(port, "GET", "/metrics", b"", {"accept": accept} if accept else {})
    assert status == 200, body
    return headers["content-type"], body.decode()


def samples(text: str, openly: bool = False) -> Samples:
    """What Prometheus' own parser reads, by name and labels."""
    families: Any = open_metrics.text_string_to_metric_families(text) if openly else plain_families(text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def total(found: Samples, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels."""
    return sum(value for (own, pairs), value in found.items() if own == name and labels.items() <= dict(pairs).items())


def ask(port: int, count: int) -> None:
    """Ask for a usual request's answer so many times, and three times for what is an error."""
    for _ in range(count):
        assert exchange(port, "POST", "/predict", BODY, JSON)[0] == 200
    assert exchange(port, "GET", "/nothing")[0] == 404
    assert exchange(port, "POST", "/predict", b"{", JSON)[0] == 400
    assert exchange(port, "POST", "/predict", b'[["Biscoe"]]', JSON)[0] == 422


@pytest.mark.parametrize(("accept", "openly"), [("", False), ("*/*", False), ("text/plain", False), (SCRAPER, True)])
def test_prometheus_reads_the_counts_in_both_formats(start: Start, accept: str, openly: bool) -> None:
    process = start(FLYWEIGHT_METRICS="true")
    ask(process.port, 30)  # the last ones by the way of usual requests
    kind, text = scraped(process.port, accept)
    assert kind == ("application/openmetrics-text; version=1.0.0" if openly else "text/plain; version=0.0.4") + "; charset=utf-8"
    found = samples(text, openly)
    model = {"model": "penguins", "version": "1.0.0"}
    assert total(found, "flyweight_requests_total", operation="predict", status="200", **model) == 30
    assert total(found, "flyweight_requests_total", operation="predict", status="400") == 1
    assert total(found, "flyweight_requests_total", operation="predict", status="422") == 1
    assert total(found, "flyweight_requests_total", operation="none", status="404") == 1
    assert total(found, "flyweight_instances_total", operation="predict", **model) >= 30
    assert total(found, "flyweight_request_duration_seconds_count", operation="predict") == 32
    assert total(found, "flyweight_request_duration_seconds_bucket", operation="predict", le="+Inf") == 32
    assert 0 < total(found, "flyweight_request_duration_seconds_sum", operation="predict") < GENEROUS
    assert total(found, "flyweight_model_info", **model) == 1
    assert total(found, "flyweight_requests_in_flight") == 0
    assert total(found, "process_start_time_seconds") > 1e9
    assert "metrics" not in {dict(pairs).get("operation") for _, pairs in found}  # a scrape does not count itself


def test_several_processes_answer_with_their_sum_and_one_that_is_killed_takes_nothing_with_it(start: Start) -> None:
    process = start(FLYWEIGHT_METRICS="true", FLYWEIGHT_WORKERS="3")
    ask(process.port, 40)
    before = samples(scraped(process.port)[1])
    assert total(before, "flyweight_requests_total", operation="predict", status="200") == 40
    assert total(before, "flyweight_workers") == 3
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)

    def answers() -> bool:
        try:
            return exchange(process.port, "GET", "/health")[0] == 200
        except OSError:
            return False

    wait_until(answers, "other processes answer")
    ask(process.port, 40)
    for _ in range(6):  # whichever answers
        after = samples(scraped(process.port)[1])
        assert total(after, "flyweight_requests_total", operation="predict", status="200") == 80


def test_calls_over_grpc_are_counted_too(built: Callable[[str], Path]) -> None:
    ports = [free_port() for _ in range(2)]
    own = {"PORT": str(ports[0]), "FLYWEIGHT_GRPC_PORT": str(ports[1]), "FLYWEIGHT_HOST": "127.0.0.1"}
    environ = {**os.environ, **own, "FLYWEIGHT_METRICS": "true"}
    command, folder = [sys.executable, "server_main.py"], built("kubernetes")
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL) as process:
        try:
            assert MessageToDict(Client(ports[1])("ModelReady", name="penguins")) == {"flag": True}
            found = samples(scraped(ports[0])[1])
        finally:
            process.kill()
    assert total(found, "flyweight_requests_total", model="penguins", status="200") == 1


def test_head_has_the_length_and_no_body_and_other_methods_find_nothing(start: Start) -> None:
    process = start(FLYWEIGHT_METRICS="true")
    status, headers, body = exchange(process.port, "HEAD", "/metrics")
    assert (status, body) == (200, b"") and int(headers["content-length"]) > 100
    assert exchange(process.port, "POST", "/metrics", b"{}", JSON)[0] == 404


def test_without_the_setting_there_are_no_metrics_and_nothing_is_imported_for_them(start: Start) -> None:
    process = start(PYTHONPROFILEIMPORTTIME="1")
    assert exchange(process.port, "GET", "/metrics")[0] == 404
    process.terminate()
    assert "server_metrics" not in process.communicate(timeout=GENEROUS)[1]


def test_the_log_says_the_same_with_metrics(start: Start) -> None:
    process = start(FLYWEIGHT_METRICS="true")
    for _ in range(25):
        exchange(process.port, "POST", "/predict", BODY, JSON)
    process.terminate()
    lines = [json.loads(line) for line in process.communicate(timeout=GENEROUS)[0].splitlines()]
    assert len([line for line in lines if line.get("operation") == "predict" and line["status"] == 200]) == 25


def test_the_setting_is_true_or_false() -> None:
    assert settings.serving({"FLYWEIGHT_METRICS": "true"}).metrics and not settings.serving({}).metrics
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_METRICS should be true or false, got 'yes'"):
        settings.serving({"FLYWEIGHT_METRICS": "yes"})
    assert settings.misspelt({"FLYWEIGHT_METRICS": "true"}) == []


def test_more_series_than_there_is_room_for_are_counted_together() -> None:
    memory = memoryview(bytearray(SLOT * WORD))
    counters = Counters(memory, 0)
    for number in range(SERIES + 50):
        counters.count(("predict", "200", "model", str(number)), 0.001, 2)
    counters.count(("predict", "200", "m" * 1000, "1"), 0.001, 2)  # labels that are too long
    listed = dict(series(memory))
    assert len(listed) == SERIES and OTHER in listed
    whole = memory.cast("q")
    assert sum(whole[listed[OTHER] : listed[OTHER] + len(BOUNDS) + 1]) == 52
    again = Counters(memory, 0)  # as the process does that takes this one's place
    again.count(("predict", "200", "model", "0"), 0.001, 2)
    row = listed["predict", "200", "model", "0"]
    assert sum(whole[row : row + len(BOUNDS) + 1]) == 2


def test_labels_are_escaped() -> None:
    model = 'a"b\\c\nd'
    text = "# TYPE x gauge\nx" + _written({"model": model, "version": ""}) + " 1\n"
    assert list(samples(text)) == [("x", (("model", model),))]
