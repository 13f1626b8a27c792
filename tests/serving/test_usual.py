"""The usual request is answered as every other one: the same bytes, headers and log line, and the same words for each fault."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flyweight.protocols import native
from flyweight.serving import logs, service, usual
from flyweight.serving.service import Service
from flyweight.settings import Cors, Limits, Settings, TrafficSplit
from flyweight.strict_json import quoted
from flyweight.toolkit.packing.pack import pack
from flyweight.values import Request

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4)).round(2)
LABELS = np.where(X[:, 0] + X[:, 1] > 0.2, "yes", "nö")
ESTIMATORS = {
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression()).fit(X, LABELS),
    "forest": lambda: RandomForestClassifier(20, random_state=0).fit(X, LABELS),
    "regressor": lambda: RandomForestRegressor(10, max_depth=4, random_state=0).fit(X, X[:, :2]),
    "boosting": lambda: HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=2).fit(np.where(X > 1.5, np.nan, X), X[:, 0]),
}
HEADERS = {"content-type": "application/json", "accept": "*/*"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, penguins: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("usual")
    for name, make in ESTIMATORS.items():
        pack(make(), folder / f"{name}.safetensors", sample=X, name=name, edge_count=20, engine="pure")
    return {**{name: folder / f"{name}.safetensors" for name in ESTIMATORS}, "mixed": penguins}


class Both:
    """One deployment that answers usual requests, and one that knows only the long way."""

    def __init__(self, model: Path, **limits: Any) -> None:
        made = Settings(str(model), limits=Limits(**limits))
        self.short, self.long = (Service(made, logs.line({"level": "severity", "request_id": "id"})) for _ in range(2))
        self.long._count = lambda *kind: None  # type: ignore[method-assign]

    def ask(
        self, body: bytes, headers: dict[str, str] = HEADERS, request_id: str = "r-1", event: tuple[Any, ...] = ()
    ) -> list[Any]:
        """Return the status, headers, body and log line of both, without times."""
        found = []
        for one in (self.long, self.short):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                response = one.answer(Request("POST", "/predict", dict(headers), body, request_id), event)
            line = re.sub(r'("timestamp":"[^"]+"|"(load|duration)_ms":[\d.]+|"cold_start_ms":{[^}]*})', "", printed.getvalue())
            named = {**response.headers, "server-timing": re.sub(r"=[\d.]+", "", response.headers["server-timing"])}
            found.append((response.status, named, response.body, line))
        return found

    def warm(self, instance: Any) -> None:
        """Send requests of one kind until the next is usual."""
        for _ in range(service.REPEATS + 1):
            self.ask(json.dumps({"instances": [instance]}).encode())
        assert self.short._usual, "no request became usual"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """For each request that is tried as a usual one whether it was."""
    tried: list[bool] = []
    answer = usual.Usual.answer

    def noted(self: usual.Usual, *request: Any) -> Any:
        response = answer(self, *request)
        tried.append(response is not None)
        return response

    monkeypatch.setattr(usual.Usual, "answer", noted)
    yield tried


PENGUIN = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
NUMBERS = st.floats(-5, 5, width=32)
ODD: list[Any] = [1e39, "", "Biscoe", True, [], {}, 10**400]
VALUES: st.SearchStrategy[Any] = st.one_of(NUMBERS, st.integers(-3, 5), st.none(), st.floats(), st.sampled_from(ODD))


def rows(width: int) -> st.SearchStrategy[Any]:
    row = st.one_of(st.lists(NUMBERS, min_size=width, max_size=width), st.lists(VALUES, min_size=width - 1, max_size=width + 1))
    return st.lists(st.one_of(row, st.sampled_from([PENGUIN, PENGUIN[:6], {}, None])), max_size=4)


WRAPPED = rows(4).map(lambda instances: json.dumps({"instances": instances}).encode())
BODIES = st.one_of(
    WRAPPED,
    rows(7).map(lambda instances: json.dumps(instances, separators=(",", ":")).encode()),
    st.builds(lambda body, more: body + more, WRAPPED, st.binary(max_size=2)),
    st.sampled_from(
        [
            b'{"instances": [[1.5, 2.5, 0.5, 1.0]], "outputs": ["predictions"]}',
            b'{"instances": [[1.5, 2.5, 0.5, 1.0]], "instances": [[1.5, 2.5, 0.5, 1.0]]}',
            b'{"instances": [[1.5, 2.5, 0.5, 1.0]]}}',
            b'{"instances": [[1.5, 2.5, 0.5, 1.0]]} \n',
            b' {"instances" : [[1.5, 2.5, 0.5, 1.0]]}',
            b'{"instances": [[1, [1.5, 2.5], 0.5, 1.0]]}',
            b'{"instances": [["1.5", 2.5, 0.5, 1.0]]}',
            b'{"instances": [[NaN, 2.5, 0.5, 1.0]]}',
            b'{"instances": [[-0, 1e5, 0.5, 1.0]]}',
            b'{"instances": [[1.5, 2.5, 0.5, 1.0e999]]}',
            b'{"instances": [[1, 2, 3, 4, 5, 6, 7]]}',
            b'{"instances": [[0, 1.5, 0, 0, 0, 0, 0]]}',
            b'{"instances": 1}',
            b'{"instances": []}',
            b'\xef\xbb\xbf{"instances": [[1.5, 2.5, 0.5, 1.0]]}',
            b'{"instances": [[1.5, 2.5, 0.5, 1.0]]\xff}',
            b"[" * 100_000,
            b"",
            b"}",
        ]
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ESTIMATORS, "mixed"])
def test_both_ways_answer_any_body_alike(files: dict[str, Path], name: str) -> None:
    both = Both(files[name])
    both.warm(PENGUIN if name == "mixed" else X[0].tolist())

    @settings(max_examples=250, deadline=None)
    @given(BODIES)
    def compared(body: bytes) -> None:
        long, short = both.ask(body)
        assert short == long

    compared()


@pytest.mark.parametrize("name", [*ESTIMATORS, "mixed"])
def test_both_ways_answer_rows_alike_while_a_model_becomes_faster(files: dict[str, Path], name: str, taken: list[bool]) -> None:
    """From the first row on, over the arrays in the file and tuples, to masks and compiled sums."""
    both = Both(files[name])
    table = [PENGUIN, [None, *PENGUIN[1:]], [*PENGUIN[:5], "other", 2007]] if name == "mixed" else X.tolist()
    if name == "boosting":
        table = [[None if value > 1.5 else value for value in row] for row in table]
    both.ask(b"")  # a cold start's line has more times
    for row in table * (2 if len(table) > 10 else 20):
        long, short = both.ask(json.dumps({"instances": [row]}).encode())
        assert short == long and short[0] == 200
    assert all(taken) and len(taken) >= 30


def test_an_answer_is_usual_whatever_its_size_and_its_number_of_rows(files: dict[str, Path], taken: list[bool]) -> None:
    both = Both(files["linear"])
    both.warm(X[0].tolist())
    for count in (2, 31, 32, 100):
        long, short = both.ask(json.dumps({"instances": X[:count].tolist()}).encode(), {**HEADERS, "accept-encoding": "gzip"})
        assert short == long and taken[-1]
    many = {**HEADERS, "accept-encoding": "gzip"}
    long, short = both.ask(json.dumps({"instances": X.tolist() * 4}).encode(), many)
    assert short == long and short[1]["content-encoding"] == "gzip" and taken[-1]


def test_large_answers_go_the_long_way_where_the_platform_carries_streams(files: dict[str, Path], taken: list[bool]) -> None:
    both = Both(files["linear"])
    both.warm(X[0].tolist())
    both.short.streams = lambda *event: True
    large, small = (json.dumps({"instances": X[:count].tolist() * 4}).encode() for count in (120, 10))
    for body, is_usual in ((small, True), (large, False), (large, False), (small, True)):
        both.ask(body, event=("event", "context"))
        assert taken[-1] is is_usual
    (kept,) = both.short._usual.values()
    assert len(small) < kept._most < len(large)


@pytest.mark.parametrize(
    "headers",
    [{"content-encoding": "gzip"}, {"x-forwarded-prefix": "/ml"}, {"content-type": "text/csv"}, {"accept": "text/csv"}],
    ids=str,
)
def test_other_requests_go_the_long_way(files: dict[str, Path], headers: dict[str, str], taken: list[bool]) -> None:
    both = Both(files["linear"])
    both.warm(X[0].tolist())
    del taken[:]
    for _ in range(service.REPEATS + 2):
        long, short = both.ask(json.dumps({"instances": [X[0].tolist()]}).encode(), {**HEADERS, **headers})
        assert short == long
    assert not any(taken)


@pytest.mark.parametrize(
    "changes",
    [
        {"cors": Cors(("*",))},
        {"base_path": "/ml"},
        {"shadow": TrafficSplit("other", 1.0)},
        {"canary": TrafficSplit("other", 0.5)},
        {"limits": Limits(parse_text=True)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_some_deployments_have_no_usual_requests(files: dict[str, Path], changes: dict[str, Any]) -> None:
    deployment = Service(Settings(str(files["linear"]), **changes), lambda entry: None)
    kind = ("POST", "/predict", "application/json", "*/*")
    assert usual.made(deployment, kind, native.predict, "") is None
    plain = Service(Settings(str(files["linear"])), lambda entry: None)
    assert usual.made(plain, kind, native.predict, "") is not None
    assert usual.made(plain, kind, native.predict, "other") is None
    assert usual.made(plain, kind, native.health, "") is None


def test_a_new_model_at_the_address_answers_the_next_request(files: dict[str, Path]) -> None:
    both = Both(files["linear"])
    both.warm(X[0].tolist())
    for one in (both.short, both.long):
        one.models._entries[one.settings.model] = Service(Settings(str(files["forest"])), print).models.get(str(files["forest"]))
    long, short = both.ask(json.dumps({"instances": [X[0].tolist()]}).encode())
    assert short == long and short[1]["x-flyweight-model"] == "forest/1.0.0"


def test_a_request_without_an_id_gets_one(files: dict[str, Path], taken: list[bool]) -> None:
    both = Both(files["linear"])
    both.warm(X[0].tolist())
    ids = {both.ask(json.dumps({"instances": [X[0].tolist()]}).encode(), request_id="")[1][1]["x-request-id"] for _ in range(3)}
    assert len(ids) == 3 and all(len(one) == 32 for one in ids) and taken[-1]


@given(st.text(max_size=20))
def test_a_templates_line_is_the_logs_line(text: str) -> None:
    write = logs.line({"level": "severity", "request_id": "id", "timestamp": "time"})
    entry = {"level": "INFO", "message": "100 %s", "request_id": text, "instances": 3, "model": "%d{}", "duration_ms": 0.25}
    lines = []
    for run in (
        lambda: write(entry),
        lambda: write.template(entry, ("request_id", "duration_ms"))(quoted(text), "0.25"),  # type: ignore[attr-defined]
    ):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            run()
        lines.append(re.sub(r'"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', "", printed.getvalue()))
    assert lines[0] == lines[1] and lines[0].startswith("{,")
