"""A sink of objects: every document lands once under its key, and keys that are not taken are returned with the reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flyweight.records.object_sink import WORKERS, Objects
from flyweight.stores import Timeouts, open_store
from tests.services.fixtures import PATIENT, Bucket

COUNT = 3 * WORKERS + 1
DOCUMENTS: list[tuple[str, dict[str, Any]]] = [(f"{n:064x}", {"key": f"{n:064x}", "n": n, "é": None}) for n in range(COUNT)]
ONCE_MORE = Timeouts(connect=20.0, seconds=60.0, retries=1)


def landed(root: str) -> dict[str, Any]:
    """Read all documents, by the keys of their objects."""
    store = open_store(root, PATIENT)
    return {key: json.loads(store.get(key, 1000)[0]) for key in store.keys("")}


def test_each_document_is_an_object_by_its_key(bucket: Bucket) -> None:
    assert Objects(f"{bucket.root}/", PATIENT).send(DOCUMENTS) == {}
    assert landed(bucket.root) == {f"{key}.json": document for key, document in DOCUMENTS}


@pytest.mark.parametrize("again", [DOCUMENTS[:1], DOCUMENTS])
def test_a_key_that_comes_again_is_taken_and_the_first_document_stays(s3: Bucket, again: list[Any]) -> None:
    sink = Objects(s3.root, PATIENT)
    sink.send(DOCUMENTS[:1])
    assert sink.send([(key, {"other": True}) for key, _ in again]) == {}
    there = landed(s3.root)
    assert len(there) == len(again) and there[f"{again[0][0]}.json"] == DOCUMENTS[0][1]


def test_in_a_folder_too_a_key_lands_once(tmp_path: Path) -> None:
    sink = Objects(f"file://{tmp_path}/deep/er", PATIENT)
    assert (sink.send(DOCUMENTS), sink.send([(DOCUMENTS[0][0], {})])) == ({}, {})
    assert landed(f"file://{tmp_path}/deep/er")[f"{DOCUMENTS[0][0]}.json"] == DOCUMENTS[0][1]


@pytest.mark.parametrize("fault", ["503", "403", "reset"])
def test_keys_that_are_not_taken_are_returned_and_the_others_land(bucket: Bucket, fault: str) -> None:
    bad = {DOCUMENTS[place][0] for place in (0, 7, COUNT - 1)}
    bucket.proxy.fail(fault, when=lambda seen: any(key in seen.path for key in bad))
    left = Objects(bucket.root, ONCE_MORE).send(DOCUMENTS)
    assert {*left} == bad and all(bucket.root.partition("://")[0] in why for why in left.values())
    bucket.proxy.fail("")
    assert {*landed(bucket.root)} == {f"{key}.json" for key, _ in DOCUMENTS if key not in bad}
    assert Objects(bucket.root, PATIENT).send([entry for entry in DOCUMENTS if entry[0] in bad]) == {}
    assert len(landed(bucket.root)) == COUNT


def test_a_lost_answer_is_no_failure_and_nothing_is_written_twice(s3: Bucket) -> None:
    """The store has it, and the client asks again on its own."""
    s3.proxy.fail("lost", times=3, when=lambda seen: seen.method == "PUT")
    assert Objects(s3.root, PATIENT).send(DOCUMENTS) == {}
    assert len(landed(s3.root)) == COUNT


def test_a_store_that_cannot_be_opened_takes_nothing_and_says_why() -> None:
    left = Objects("nowhere://b").send(DOCUMENTS[:2])
    assert [*left] == [key for key, _ in DOCUMENTS[:2]] and all("a store is at" in why for why in left.values())


FORKED = """
import os, sys
from flyweight.records.object_sink import Objects
sink = Objects(sys.argv[1])  # made where the platform imports the function, before it forks
child = os.fork()
if child == 0:
    os._exit(len(sink.send([("k", {"n": 1})])))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_sink_that_was_made_before_a_fork_works_after_it(s3: Bucket) -> None:
    done = subprocess.run([sys.executable, "-c", FORKED, s3.root], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "0", done.stderr
    assert landed(s3.root) == {"k.json": {"n": 1}}
