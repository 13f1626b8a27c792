"""The store on HDFS keeps the contract of all stores, with a real name node; and what is special about it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from inspect import signature
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flyweight.errors import ObjectNotFound, StoreFailed
from flyweight.stores import Timeouts, open_store, webhdfs, webhdfs_client
from flyweight.toolkit.publishing import registry
from tests.batch.hadoop_cluster import Cluster
from tests.services.fixtures import PATIENT
from tests.stores import test_stores, test_streams

if TYPE_CHECKING:
    from flyweight.stores import Store

pytestmark = pytest.mark.slow
NUMBERS = count()
USER = "models"

# the contract's tests of one store, run here on this one
for module in (test_stores, test_streams):
    for name, test in vars(module).items():
        if name.startswith("test_") and {"store", "strict"} & {*signature(test).parameters}:
            globals()[name] = test


@pytest.fixture(scope="module")
def cluster(hadoop: Cluster) -> Cluster:
    """A cluster with a folder that one user may write."""
    hadoop.run("hdfs", "dfs", "-mkdir", "/models")
    hadoop.run("hdfs", "dfs", "-chown", USER, "/models")
    return hadoop


@pytest.fixture
def root(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty folder of it, as the user that may write there."""
    monkeypatch.setenv(webhdfs.USER, USER)
    return f"webhdfs://{cluster.web}/models/{next(NUMBERS)}"


@pytest.fixture
def store(root: str) -> Store:
    return open_store(root, PATIENT)


@pytest.fixture
def strict(store: Store) -> Store:
    return store


def test_the_whole_contract_is_run() -> None:
    run = {name for name in globals() if name.startswith("test_")}
    assert {
        "test_no_writer_loses_what_another_wrote",
        "test_an_object_is_read_from_any_byte_on",
        "test_one_of_many_creates",
    } <= run


def test_hadoops_own_commands_see_the_objects(cluster: Cluster, root: str, store: Store) -> None:
    path = root.removeprefix(f"webhdfs://{cluster.web}")
    store.put("penguins/1.0.0.safetensors", b"model", None)
    assert cluster.run("hdfs", "dfs", "-cat", f"{path}/penguins/1.0.0.safetensors").stdout == "model"
    assert cluster.run("hdfs", "dfs", "-ls", "-C", f"{path}/penguins").stdout.split() == [f"{path}/penguins/1.0.0.safetensors"]
    cluster.run("hdfs", "dfs", "-rm", f"{path}/penguins/1.0.0.safetensors")
    with pytest.raises(ObjectNotFound):
        store.head("penguins/1.0.0.safetensors")


def test_another_user_may_not_write(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(webhdfs.USER, "somebody")
    with pytest.raises(StoreFailed, match="is forbidden to this deployment") as refused:
        open_store(f"webhdfs://{cluster.web}/models", PATIENT).put("mine", b"", None)
    assert not refused.value.transient


def test_a_lock_that_was_left_is_cleared_in_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store.put("a", b"1", None)
    client = store._client  # type: ignore[attr-defined]
    client.create(store._path(".a.lock"), b"", "a", overwrite=False)  # type: ignore[attr-defined]
    with pytest.raises(webhdfs_client.FileExists):
        client.create(store._path(".a.lock"), b"", "a", overwrite=False)  # type: ignore[attr-defined]
    monkeypatch.setattr(store, "_timeouts", Timeouts(seconds=0.5))
    with pytest.raises(StoreFailed, match="written by someone else, for too long"):
        store.put("a", b"2", first.tag)
    monkeypatch.setattr(store, "_timeouts", PATIENT)
    monkeypatch.setattr(webhdfs, "STALE", 2.0)
    store.put("a", b"2", first.tag)
    assert store.get("a", 9)[0] == b"2"
    assert store.keys("") == ["a"]


def test_a_registry_there_is_followed_by_a_mapper(root: str, penguins: Path, built: Callable[[str], Path]) -> None:
    pushed = registry.at(root).push(penguins, ["prod"])
    bird = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211.0}
    row = json.dumps({**bird, "body_mass_g": 4500.0, "sex": "female", "year": 2007}).encode()
    words = [sys.executable, "-I", "-S", str(built("hadoop") / "mapper.pyz"), "--model", f"{root}/penguins@prod"]
    done = subprocess.run(words, input=row, capture_output=True, env={"HADOOP_USER_NAME": USER})
    assert done.returncode == 0 and json.loads(done.stdout)["prediction"] == "Gentoo", done.stderr
    assert pushed is not None and store_keys(root)


def store_keys(root: str) -> list[str]:
    return open_store(root, PATIENT).keys("penguins")
