"""A batch arrives once in a store and at an endpoint; a copy of a device's disk is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge_answers import Answers, Batch
from edge_forwarding import Copied, Endpoint, Objects, destination

from flyweight.errors import StoreFailed
from flyweight.stores import Timeouts, open_store
from tests.edge.world import Device, Faults, Store
from tests.services.fixtures import Bucket
from tests.services.web import Handler, HttpServer

BATCH = Batch("ab12", 7, 9, b'{"sequence":7}\n{"sequence":9}\n')


class Receiver(HttpServer):
    """An endpoint that remembers what it has by the name of a batch."""

    def __init__(self) -> None:
        self.has: dict[str, bytes] = {}
        self.statuses: list[int] = []
        self.reports: list[bytes] = []
        owner = self

        class Receiving(Handler):
            def do_POST(self) -> None:
                body, name = self.read_body(), self.headers.get("idempotency-key", "")
                status = owner.statuses.pop(0) if owner.statuses else 200
                if self.headers.get("x-flyweight-kind") == "status":
                    owner.reports.append(body)
                elif status == 200:
                    assert owner.has.setdefault(name, body) == body
                self.send_response_only(status)
                self.send_header("content-length", "0")
                self.end_headers()

        super().__init__(Receiving)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_a_batch_is_one_object_however_often_it_is_sent(s3: Bucket) -> None:
    place = destination(s3.root, "", 60.0)
    for _ in range(3):
        place.send("pi", BATCH)
    store = open_store(s3.root, Timeouts(seconds=60.0))
    assert store.keys("pi") == ["pi/ab12/00000000000000000007.jsonl"]
    assert store.get(store.keys("pi")[0], 1000)[0] == BATCH.body
    with pytest.raises(Copied, match="FLYWEIGHT_EDGE_DEVICE"):
        place.send("pi", BATCH._replace(body=b"other\n"))


def test_a_report_replaces_the_one_before(s3: Bucket) -> None:
    place = destination(s3.root, "", 60.0)
    for body in (b'{"n":1}', b'{"n":2}'):
        place.report("pi", body)
    assert open_store(s3.root, Timeouts(seconds=60.0)).get("pi/status.json", 100)[0] == b'{"n":2}'


@pytest.mark.parametrize("fault", ["refused", "reset", "lost", "403", "503"])
def test_a_store_that_fails_has_the_batch_once_when_it_is_back(fault: str, s3: Bucket) -> None:
    place = destination(s3.root, "", 10.0)
    s3.proxy.fail(fault)
    with pytest.raises(StoreFailed):
        place.send("pi", BATCH)
    s3.proxy.fail("")
    place.send("pi", BATCH)
    assert len(open_store(s3.root, Timeouts(seconds=60.0)).keys("pi")) == 1


def test_a_folder_is_a_store(tmp_path: Path) -> None:
    destination(f"file://{tmp_path}/there", "", 10.0).send("pi", BATCH)
    assert (tmp_path / "there" / "pi" / "ab12" / "00000000000000000007.jsonl").read_bytes() == BATCH.body


def test_an_endpoint_gets_the_name_of_the_batch(receiver: Receiver) -> None:
    place = Endpoint(f"{receiver.url}/in?x=1", "secret", 10.0)
    receiver.statuses = [503, 200, 409]
    with pytest.raises(StoreFailed, match="503"):
        place.send("pi", BATCH)
    place.send("pi", BATCH)
    place.send("pi", BATCH)  # 409: it has the batch
    assert receiver.has == {'"pi/ab12/00000000000000000007-9"': BATCH.body}
    place.report("pi", b"{}")
    assert receiver.reports == [b"{}"]


def test_plain_http_to_another_machine_is_refused() -> None:
    with pytest.raises(StoreFailed, match="https"):
        destination("http://example.com/in", "", 1.0)


def test_two_copies_of_one_disk_lose_nothing(tmp_path: Path, versions: dict[int, Path]) -> None:
    """A card that was copied before both devices ran: the second one notices, and goes on under another name."""
    store = Store()
    original = Answers(f"{tmp_path}/one/answers.db", 1 << 20)
    assert original.counts()["kept"] == 0
    original.close()
    (tmp_path / "one" / "answers.db").rename(tmp_path / "seed.db")
    for place in ("one", "two"):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / "answers.db").write_bytes((tmp_path / "seed.db").read_bytes())
        device = Device(tmp_path / place, versions[1], store, Faults(), edge_model="")
        assert device.ask(1 if place == "one" else 2) == 1
        for _ in range(3):
            device.steady += 1000.0
            device.agent.step()
        device.close()
    assert len({line["store"] for line in store.lines()}) == 2
    assert sorted(json.loads(line["request"]["body"])[0][0] for line in store.lines()) == [1, 2]
    assert Objects(store)  # type: ignore[arg-type]
