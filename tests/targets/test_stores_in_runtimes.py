"""Models in a store, under each provider's own runtime: fetched, refreshed, primed, after forks and after snapshots."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.events import samples
from flyweight.toolkit.publishing import registry
from flyweight.toolkit.running import runtime
from tests.conftest import PYTHON
from tests.services.fixtures import Bucket, s3, servers
from tests.services.web import GENEROUS, wait_until
from tests.versions import versions

__all__ = ["s3", "servers", "versions"]

INSTANCE = {"instances": [[0.0]]}
WITH_RUNTIME = [target for target in targets.all_targets() if target.has("runtime") and target.package.reads]
PROVIDERS = [target.name for target in WITH_RUNTIME if target.runtime.WAITS]


class Restore(Event):
    """Holds a process in its snapshot until it is set; `held` is set when the process is in its snapshot."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.held.set()
        return super().wait(timeout)


@pytest.fixture
def promoted(s3: Bucket, versions: dict[int, Path]) -> Callable[[int], Any]:
    """Makes a version the one that `m@prod` names."""
    return lambda number: registry.at(s3.root).push(versions[number], ["prod"])


@pytest.fixture
def started(s3: Bucket, promoted: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """From a provider's name to its runtime over a folder that was built with the address of `m@prod`, version 1."""
    promoted(1)
    running = []

    def start(provider: str, ttl: str = "3600", **environ: str) -> Any:
        folder = tmp_path / provider
        if not folder.exists():
            build(provider, f"{s3.root}/m@prod", folder, python=PYTHON)
        caches = {"FLYWEIGHT_TTL_SECONDS": ttl, "FLYWEIGHT_CACHE_DIR": str(tmp_path / "cache")}
        running.append(runtime(provider)(folder, environ={**caches, **s3.variables, **environ}))
        return running[-1]

    yield start
    for process in running:
        process.close()


def ask(provider: str, process: Any) -> tuple[Any, dict[str, str]]:
    event = samples.predicting(provider, INSTANCE["instances"])
    answer = process.invoke(event)
    assert answer.status == 200, (answer.body, process.log())
    return json.loads(answer.body)["predictions"][0], answer.headers


def first_entry(process: Any) -> dict[str, Any]:
    """The log line of the first request."""
    lines = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
    entry: dict[str, Any] = next(line for line in lines if line.get("cold"))
    return entry


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_model_comes_from_the_store_and_a_new_version_within_its_time_to_live(
    provider: str, started: Any, promoted: Any
) -> None:
    process = started(provider, ttl="0.2")
    answer, headers = ask(provider, process)
    assert answer == 1.0 and headers["x-flyweight-model"] == "m/1.0.0"
    assert len(headers["x-flyweight-sha256"]) == 64 and float(headers["x-flyweight-checked"]) < 60.0
    assert {"init", "fetch", "load", "predict"} <= {*first_entry(process)["cold_start_ms"]}
    promoted(2)
    wait_until(lambda: ask(provider, process)[0] == 2.0, "version 2 answers", pause=0.1)
    assert ask(provider, process)[1]["x-flyweight-model"] == "m/2.0.0"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_process_that_finds_the_disk_warm_does_not_ask_the_store(provider: str, started: Any, s3: Bucket) -> None:
    ask(provider, started(provider))
    s3.proxy.fail("refused")
    answer, headers = ask(provider, started(provider))
    assert answer == 1.0 and "x-flyweight-stale" not in headers


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency"])
def test_lambda_loads_the_model_before_the_first_request(started: Any, kind: str) -> None:
    process = started("aws", AWS_LAMBDA_INITIALIZATION_TYPE=kind)
    ask("aws", process)
    assert "load_ms" not in first_entry(process), "the first request loaded nothing"
    assert first_entry(process)["cold_start_ms"]["fetch"] > 0.0


def test_after_a_snapshot_the_model_is_checked_within_its_time_to_live_too(started: Any, promoted: Any, s3: Bucket) -> None:
    process = started("aws", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    process._api.may_restore = restore = Restore()
    process._start()
    assert restore.held.wait(GENEROUS), process.log()
    assert any(seen.path.endswith(".safetensors") for seen in s3.proxy.seen), "the hook before the snapshot loaded no model"
    promoted(2)
    restore.set()
    ask("aws", process)
    entry = first_entry(process)
    assert "restored" in entry["cold_start_ms"] and "runtime" not in entry["cold_start_ms"]
    wait_until(lambda: ask("aws", process)[0] == 2.0, "version 2 answers", pause=0.05)


def test_each_forked_worker_of_a_managed_instance_has_the_model(started: Any) -> None:
    process = started("aws", AWS_LAMBDA_MAX_CONCURRENCY="2")
    assert [ask("aws", process)[0] for _ in range(8)] == [1.0] * 8


def test_azure_primes_the_model_before_an_instance_takes_requests(started: Any) -> None:
    process = started("azure")
    assert process.invoke({"function": "warmup", "body": "{}"}).status == 200, process.log()
    ask("azure", process)
    assert "load_ms" not in first_entry(process)
