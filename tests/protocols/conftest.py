"""Models of each kind, packed once, and callers that ask a deployment through its service, as a transport does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import flyweight
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request, Response

ROWS = np.random.default_rng(7).normal(size=(60, 3))
SIGNS = (ROWS > 0).astype(int)
ESTIMATORS: dict[str, Callable[[], Any]] = {
    "numbers": lambda: LogisticRegression().fit(ROWS, SIGNS[:, 0]),
    "flags": lambda: LogisticRegression().fit(ROWS, SIGNS[:, 0] > 0),
    "line": lambda: LinearRegression().fit(ROWS, ROWS.sum(axis=1)),
    "plane": lambda: LinearRegression().fit(ROWS, ROWS[:, :2]),
    "several": lambda: DecisionTreeClassifier(max_depth=3, random_state=0).fit(
        ROWS, np.column_stack([SIGNS[:, 0], SIGNS.sum(axis=1)])
    ),
    "scaler": lambda: StandardScaler().fit(ROWS),
    "one": lambda: LinearRegression().fit(ROWS[:, :1], ROWS[:, 0] * 2),
}


class Caller:
    """One deployment; `last` is its last response, `entries` are its log lines."""

    def __init__(self, settings: Settings) -> None:
        self.entries: list[Any] = []
        self.service = Service(settings, self.entries.append)
        self.last = Response(0, {}, b"")

    def __call__(self, method: str, path: str, body: Any = b"", **headers: str) -> tuple[int, Any]:
        """Ask, and read the answer's JSON.

        :param body: bytes, or a document that is sent as JSON.
        """
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.last = self.service.answer(Request(method, path, named, data))  # other threads may ask meanwhile
        length = answer.headers.get("inference-header-content-length")
        text = answer.body if length is None else answer.body[: int(length)]
        return answer.status, json.loads(text) if text else None


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """From the name of an estimator to its model file; another version is another file with the same name of the model."""
    folder, found = tmp_path_factory.mktemp("protocols"), dict[str, Path]()

    def pack(name: str, version: str = "1") -> Path:
        path = folder / f"{name}-{version}.safetensors"
        if path not in found.values():
            estimator = ESTIMATORS[name]()
            sample = ROWS[:, :1] if name == "one" else ROWS
            flyweight.pack(estimator, path, sample=sample, name=name, version=version)
            found[path.stem] = path
        return path

    return pack


@pytest.fixture(scope="session")
def caller(packed: Callable[..., Path]) -> Callable[..., Caller]:
    """From the name of an estimator, or the path of a model file, to a caller of its deployment."""
    made: dict[Any, Caller] = {}

    def call(model: str | Path, **settings: Any) -> Caller:
        path = packed(model) if isinstance(model, str) else model
        key = (path, repr(settings))
        if key not in made:
            made[key] = Caller(Settings(str(path), **settings))
        return made[key]

    return call


@pytest.fixture(scope="session")
def birds(caller: Callable[..., Caller], penguins: Path) -> Caller:
    """A caller of the penguins model."""
    return caller(penguins)
