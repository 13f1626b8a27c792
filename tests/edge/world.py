"""A device whose line, power, clock and disk fail on purpose, and a store that gets what it forwards."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import sqlite3
import struct
import types
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import edge_agent
import edge_answers
import edge_clock
import edge_models
import pytest
from server_http import Message

from flyweight.errors import ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.predictor import load
from flyweight.registry.addresses import model_key, pointer_key
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.settings.edge import Edge
from flyweight.stores import ObjectMeta
from flyweight.toolkit.packing import model_writer
from flyweight.values import Request, Response

ADDRESS = "s3://bucket/m@prod"
DEVICE = "pi"
YEAR = 365.25 * 86400


class Crash(BaseException):
    """The end of a process by kill -9, or of the device's power."""


class Store:
    """A store in memory, behind a line that may be cut, and that may lose an answer."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.before_put: Callable[[], None] = lambda: None
        self.after_put: Callable[[], None] = lambda: None
        self.cut = False
        self.lost = 0  # answers to writes that do not arrive
        self.cut_reads = 0  # reads after which the line is cut once

    def _reach(self) -> None:
        if self.cut:
            raise StoreFailed("the line is cut", transient=True)

    def _meta(self, key: str) -> ObjectMeta:
        if key not in self.objects:
            raise ObjectNotFound(f"{key} is not there")
        data = self.objects[key]
        return ObjectMeta(hashlib.sha256(data).hexdigest(), len(data), 0.0)

    def head(self, key: str) -> ObjectMeta:
        self._reach()
        return self._meta(key)

    def get(self, key: str, limit: int) -> tuple[bytes, ObjectMeta]:
        self._reach()
        return (self.objects[key], self._meta(key)) if key in self.objects else (b"", self._meta(key))

    def read(self, key: str, meta: ObjectMeta, start: int, size: int) -> bytes:
        self._reach()
        if self.cut_reads:
            self.cut_reads -= 1
            if not self.cut_reads:
                raise StoreFailed("the line was cut", transient=True)
        if self._meta(key).tag != meta.tag:
            raise PreconditionFailed("replaced")
        return self.objects[key][start : start + size]

    def put(self, key: str, data: bytes, expected: str | None) -> ObjectMeta:
        self.before_put()
        self._reach()
        there = self._meta(key).tag if key in self.objects else None
        if there != expected:
            raise PreconditionFailed(f"{key} is not the expected object")
        self.objects[key] = data
        self.after_put()
        if self.lost:
            self.lost -= 1
            raise StoreFailed("the answer was lost", transient=True)
        return self._meta(key)

    def publish(self, path: Path, serial: int, wrong: str = "") -> None:
        """Let the alias name a model; a wrong one has other bytes than it promises, or answers its sample otherwise."""
        data = path.read_bytes()
        if wrong == "sample":
            data = model_writer.with_digest(data[:-8] + struct.pack("<d", 9.0))
        version = load(str(path)).version
        sha256 = hashlib.sha256(data).hexdigest()
        record = {"name": "m", "version": version, "sha256": sha256, "bytes": len(data), "pushed": "now"}
        pointer = {"serial": serial, "changed": "now", "record": record, "previous": []}
        stored = data[:-1] + bytes([data[-1] ^ 1]) if wrong == "bytes" else data
        self.objects[model_key("m", version, sha256)] = stored
        self.objects[pointer_key("m", "prod")] = json.dumps(pointer).encode()

    def lines(self) -> list[dict[str, Any]]:
        """What arrived, in the order of keys."""
        found = []
        for key in sorted(self.objects):
            if key.startswith(f"{DEVICE}/") and key.endswith(".jsonl"):
                lines = [json.loads(line) for line in self.objects[key].splitlines()]
                assert int(key.rpartition("/")[2].partition(".")[0]) == lines[0]["sequence"]
                found += [{**line, "store": key.split("/")[1]} for line in lines]
        return found


class Faults:
    """What fails next: the process ends at a boundary of a write, or the disk has no room."""

    def __init__(self) -> None:
        self.left: int | None = None  # boundaries until the crash
        self.full = False
        self.dirty: set[str] = set()  # files that a loss of power would damage
        self.boundaries = 0

    def boundary(self) -> None:
        self.boundaries += 1
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.left = None
                raise Crash

    def room(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")


def install(faults: Faults, patch: pytest.MonkeyPatch) -> None:
    """Put the faults under the modules that write."""

    class File(io.FileIO):
        """A file that may be written in part, or not at all."""

        def write(self, data: Any) -> int:
            faults.room()
            half = len(data) // 2
            faults.dirty.add(str(self.name))
            super().write(data[:half])
            faults.boundary()
            return half + (super().write(data[half:]) or 0)

    def opened(path: str, mode: str = "r", **options: Any) -> Any:
        return File(path, mode.replace("b", "")) if "w" in mode or "a" in mode else open(path, mode, **options)

    def fsync(descriptor: int) -> None:
        faults.boundary()  # the test counts what is synchronised, and does not wait for it
        faults.dirty.discard(os.readlink(f"/proc/self/fd/{descriptor}"))

    def replace(source: str, to: str) -> None:
        assert source not in faults.dirty, f"{source} is renamed before it is on the disk"
        faults.boundary()
        os.replace(source, to)
        faults.boundary()

    def unlink(path: str) -> None:
        faults.boundary()
        os.unlink(path)
        faults.dirty.discard(path)

    own = {name: getattr(os, name) for name in ("makedirs", "listdir", "open", "close", "path", "O_RDONLY")}
    patch.setattr(edge_models, "os", types.SimpleNamespace(**own, fsync=fsync, replace=replace, unlink=unlink))
    patch.setattr(edge_models, "open", opened, raising=False)
    patch.setattr(edge_models, "PIECE", 200)

    class Connection(sqlite3.Connection):
        """A connection that may end before or after each statement."""

        def execute(self, statement: str, *values: Any) -> Any:
            faults.boundary()
            if faults.full and statement.startswith(("INSERT", "UPDATE", "DELETE")):
                raise sqlite3.OperationalError("database or disk is full")
            done = super().execute(statement.replace("synchronous = FULL", "synchronous = OFF"), *values)
            faults.boundary()
            return done

    def connect(*words: Any, **options: Any) -> Any:
        return sqlite3.connect(*words, **options, factory=Connection)

    named = {name: getattr(sqlite3, name) for name in ("Error", "OperationalError", "DatabaseError")}
    patch.setattr(edge_answers, "sqlite3", types.SimpleNamespace(**named, Connection=Connection, connect=connect))


class Device:
    """A device that may end at any time, and starts again from its disk."""

    def __init__(self, folder: Path, bundled: Path, store: Store, faults: Faults, **settings: Any) -> None:
        self.folder, self.bundled, self.store, self.faults = folder, bundled, store, faults
        self.steady, self.ahead = 1000.0, 0.0
        usual = Edge(edge_model=ADDRESS, edge_state=str(folder), edge_device=DEVICE, edge_forward="s3://cloud", edge_batch=5)
        self.settings = usual._replace(**settings)
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Begin a process."""
        self.starts += 1
        clock = edge_clock.Clock(0.0, lambda: 1.8e9 + self.steady + self.ahead, lambda: self.steady)
        self.agent = edge_agent.Agent(self.settings, clock)
        self.agent._place = edge_forwarding_objects(self.store)
        self.agent.models._store = self.store
        path = self.agent.models.newest() or str(self.bundled)
        self.agent.service = Service(Settings(path), lambda entry: None)

    def end(self, random: Random | None = None) -> None:
        """End the process as kill -9 does; with `random`, as a loss of power does, which damages what is not on the disk."""
        self.faults.left = None
        connection = self.agent.answers._file
        if connection is not None:
            connection.close()
        for path in self.faults.dirty if random else ():
            if os.path.exists(path):
                size = os.path.getsize(path)
                kept = random.randint(0, size) if random else size
                with open(path, "r+b") as file:
                    file.truncate(kept)
                    file.seek(0, io.SEEK_END)
                    file.write(bytes(size - kept) if random and random.random() < 0.5 else b"")
        self.faults.dirty.clear()

    def ask(self, number: int) -> int | None:
        """Send a request with a number in it; return its sequence number if it was acknowledged."""
        assert self.agent.service is not None
        message = Message("POST", "/predict", {"content-type": "application/json"})
        message.body = json.dumps([[number]]).encode()
        response = self.agent.service.answer(Request("POST", "/predict", message.headers, message.body))
        assert response.status == 200, response.body
        answered = self.agent.answer(message, response)
        told = answered.headers.get("x-flyweight-sequence", "none")
        return int(told) if told.isdecimal() else None

    def version(self) -> int:
        """The version of the model that answers."""
        assert self.agent.service is not None
        body = b"[[0]]"
        response: Response = self.agent.service.answer(Request("POST", "/predict", {"content-type": "application/json"}, body))
        assert response.status == 200, response.body
        return int(json.loads(response.body)["predictions"][0])

    def close(self) -> None:
        """End the process in order."""
        self.agent.answers.close()


def edge_forwarding_objects(store: Store) -> Any:
    """Make what forwards to a store."""
    from edge_forwarding import Objects

    return Objects(store)


def number_of(line: dict[str, Any]) -> int:
    """The number in a request that arrived."""
    return int(json.loads(line["request"]["body"])[0][0])
