"""Fixtures: a fresh bucket of each kind of store, reached through a proxy that can spoil requests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from flyweight.stores import Timeouts, open_store
from tests.services.faults import FaultyProxy
from tests.services.servers import RUNNING, SERVERS, Server, running

if TYPE_CHECKING:
    from flyweight.stores import Store

PATIENT = Timeouts(connect=20.0, seconds=60.0)  # a busy machine is no fault


@dataclass
class Bucket:
    """An empty bucket: `root` is its address, with a prefix; the environment leads there, through `proxy`."""

    root: str
    server: Server
    proxy: FaultyProxy

    def open(self, timeouts: Timeouts = PATIENT) -> Store:
        """Open the store."""
        return open_store(self.root, timeouts)

    @property
    def variables(self) -> dict[str, str]:
        """The environment that leads another process here, through the proxy."""
        return self.server.variables(self.proxy.url)


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """End, with the session, the servers that were started in it."""
    yield
    while RUNNING:
        RUNNING.popitem()[1].close()


def _bucket(scheme: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    server = running(scheme)
    name = f"b{uuid.uuid4().hex}"
    server.make_bucket(name)
    proxy = FaultyProxy(server.port, type(server).forward)
    for variable, value in server.variables(proxy.url).items():
        monkeypatch.setenv(variable, value)
    try:
        yield Bucket(f"{scheme}://{name}/pre/fix", server, proxy)
    finally:
        proxy.close()


@pytest.fixture(params=sorted(SERVERS))
def bucket(request: pytest.FixtureRequest, servers: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket of each kind in turn."""
    yield from _bucket(request.param, monkeypatch)


@pytest.fixture
def s3(servers: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket of S3."""
    yield from _bucket("s3", monkeypatch)


@pytest.fixture
def gs(servers: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket of Cloud Storage."""
    yield from _bucket("gs", monkeypatch)


@pytest.fixture
def az(servers: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A container of Blob Storage."""
    yield from _bucket("az", monkeypatch)
