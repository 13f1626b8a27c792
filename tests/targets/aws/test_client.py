"""Our Runtime API client posts what AWS's own client posts: the same events, and every byte compared."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.targets.aws.runtime_api import OWN, PLATFORM, Request, Session, event

SITUATIONS = ROOT / "tests" / "targets" / "aws" / "situations"
CAUSE = "lambda-runtime-function-xray-error-cause"
Pair = tuple[Session, Session]

RETURNS = {
    "a dict": "result = {'b': 1, 'a': [1, 2.5, None, True]}",
    "nothing": "",
    "an empty text": "result = ''",
    "a list": "result = [1, [2, [3]], {}]",
    "a tuple": "result = (1, (2, 'x'))",
    "bytes": "result = b'\\x00\\xff'",
    "no bytes": "result = b''",
    "bytes inside": "result = {'a': b'caf\\xc3\\xa9', b'key': [b'x'], 'key': 2}",
    "bytes that are not UTF-8": "result = [b'\\xff']",
    "a key that is not UTF-8": "result = {b'\\xff': 1}",
    "not finite": "result = [float('nan'), float('inf'), -float('inf')]",
    "floats": "result = [1.0, 1e22, 1e-7, 0.1, -0.0, 5e-324, 1.7976931348623157e308]",
    "decimals": "from decimal import Decimal as D; result = {'a': [D('1.10'), D('1E+30'), D('NaN'), D('Infinity'), D('-0.0')]}",
    "a decimal alone": "from decimal import Decimal; result = Decimal('0.30')",
    "a decimal as a key": "from decimal import Decimal; result = {Decimal('1'): 1}",
    "400 digits": "result = 10 ** 400",
    "5000 digits": "result = 10 ** 5000",
    "other scripts": "result = {'é漢😀': '\\u2028\\u007f\\u0001\\\\\"/\\n'}",
    "a named tuple": "import collections; P = collections.namedtuple('P', 'x y'); result = [P(1, P(2, 3)), (4,)]",
    "an object with _asdict": "class A:\n def _asdict(self): return {'x': [1]}\nresult = {'a': A()}",
    "a list with _asdict": "class A(list):\n def _asdict(self): return {'x': [1]}\nresult = A([1, 2])",
    "an _asdict that gives a list": "class A:\n def _asdict(self): return [1]\nresult = A()",
    "an _asdict that fails": "class A:\n def _asdict(self): raise OSError('no')\nresult = A()",
    "the class of a named tuple": "import collections; result = collections.namedtuple('P', 'x y')",
    "subclasses": "class I(int):\n def __repr__(self): return 'I'\nclass S(str): pass\n"
    "class F(float):\n def __repr__(self): return 'F'\n"
    "class D(dict): pass\nclass L(list): pass\nresult = D(a=L([I(3), S('x'), F(1.5)]))",
    "enums": "import enum\nclass E(enum.IntEnum):\n A = 1\nclass T(str, enum.Enum):\n A = 'x'\nresult = {E.A: [E.A, T.A]}",
    "a plain enum": "import enum\nclass E(enum.Enum):\n A = 1\nresult = E.A",
    "keys that are no texts": "result = {1: 1, 2.5: 2, True: 3, None: 4, float('inf'): 5}",
    "a tuple as a key": "result = {(1, 2): 3}",
    "two keys with one name": "result = {1: 'a', '1': 'b'}",
    "an ordered dict": "import collections; result = collections.OrderedDict(b=1, a=collections.Counter('aab'))",
    "a date": "import datetime; result = datetime.datetime(2026, 1, 1)",
    "a set": "result = {1, 2}",
    "a frozen set, deep": "result = {'a': [{'b': frozenset()}]}",
    "a UUID": "import uuid; result = uuid.UUID(int=1)",
    "a generator": "result = (i for i in range(3))",
    "a range": "result = range(3)",
    "a bytearray": "result = bytearray(b'x')",
    "a memoryview": "result = memoryview(b'x')",
    "a function": "result = len",
    "a mapping that is no dict": "import types; result = types.MappingProxyType({'a': 1})",
    "for_json": "class A:\n def for_json(self): return 1\nresult = A()",
    "a dict that contains itself": "result = {}; result['a'] = [result]",
    "a value used twice": "a = [1]; result = [a, a, {'a': a}]",
    "a depth of 900": "result = []\nfor _ in range(900): result = [result]",
    "a long text": "result = 'x' * 100_000",
}

RAISES = {
    "an error": "raise Exception('boom')",
    "without a message": "raise ValueError",
    "of the function's own": "raise Custom('mine')",
    "a missing key": "{}['a']",
    "in another script": "raise ValueError('é漢😀\\n two\\r lines')",
    "out of memory": "raise MemoryError()",
    "a group": "raise ExceptionGroup('g', [ValueError('a'), OSError('b')])",
    "a chain": "try:\n 1 / 0\nexcept ZeroDivisionError as e:\n raise ValueError('outer') from e",
    "a note": "e = ValueError('a'); e.add_note('n'); raise e",
    "from the library": "import fractions; fractions.Fraction('x')",
    "from a nested call": "def f(): g()\ndef g(): raise LookupError('deep')\nf()",
    "a type as its argument": "raise ValueError(ValueError, 3)",
    "recursion": "dive(0)",
    "a large message": "raise ValueError('x' * 2_000_000)",
    "a message that is no text": "raise OSError(2, 'No such file', 'name')",
    "in a lambda": "(lambda: 1 / 0)()",
    "stop iteration": "raise StopIteration(3)",
}

HEADERS: dict[str, dict[str, str | None]] = {
    "as usual": {},
    "without a trace": {"Trace_Id": None},
    "with an empty trace": {"Trace_Id": ""},
    "with an odd trace": {"Trace_Id": "nonsense; Lineage=1:2:3"},
    "with an attempt": {"Invocation_Id": "attempt-1"},
    "with a tenant": {"Aws_Tenant_Id": "blue"},
    "without an ARN": {"Invoked_Function_Arn": None},
    "without a deadline": {"Deadline_Ms": None},
    "with a deadline that has passed": {"Deadline_Ms": "1"},
    "with a client context": {
        "Client_Context": json.dumps({"custom": {"a": 1}, "env": {"b": 2}, "client": {"app_title": "t", "installation_id": "é"}})
    },
    "with a client context of its own": {"Client_Context": '{"other": 1, "client": null}'},
    "with an empty client context": {"Client_Context": "{}"},
    "with null as a client context": {"Client_Context": "null"},
    "with a trace context": {"Client_Context": '{"custom": 1, "w3c": {"traceparent": "00-1-2-3", "tracestate": 5, "x": "y"}}'},
    "with a trace context that is a text": {"Client_Context": '{"w3c": "traceparent"}'},
    "with an identity": {"Cognito_Identity": '{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}'},
    "with an empty identity": {"Cognito_Identity": "{}"},
    "with null as an identity": {"Cognito_Identity": "null"},
    "with another type of content": {"Content_Type": "text/plain"},
    "with parameters of the type": {"Content_Type": "application/json; charset=utf-8"},
    "with a client context that is no JSON": {"Client_Context": "{"},
    "with an identity that is no JSON": {"Cognito_Identity": "x"},
}
SEEN = """
import os
shown = {name: value for name, value in vars(context).items() if not name.startswith("_sink")}
c = context.client_context
result = {
    "shown": {name: repr(value) for name, value in shown.items()}, "repr": repr(context), "w3c": context.w3c(),
    "left": 0 <= context.get_remaining_time_in_millis() <= 60_000, "trace": os.environ.get("_X_AMZN_TRACE_ID"),
    "client": c and [c.custom, c.env, repr(c.client)], "type": type(context).__name__,
    "without": {name for name in os.environ if name.startswith("_")} <= {"_", "_HANDLER", "_X_AMZN_TRACE_ID"},
}
result["shown"].pop("_epoch_deadline_time_in_ms")
"""
BODIES = {
    "null": b"null",
    "a number": b" 12\n",
    "a text": b'"\\u00e9\\ud83d\\ude00"',
    "half a character": b'{"return": [1, "\\ud800"]}'.replace(b"ud800", b"u00e9"),
    "keys twice": b'{"return": {"a": 1, "a": 2}}',
    "400 digits": b'{"return": ' + b"1" * 400 + b"}",
    "a large number": b'{"return": 1e400}',
    "a byte order mark": b"\xef\xbb\xbf[1]",
    "UTF-8": '{"return": "é漢😀"}'.encode(),
    "deep": b"[" * 500 + b"]" * 500,
}
BROKEN = {
    "nothing": b"",
    "a cut object": b'{"a": ',
    "NaN": b"NaN",
    "a trailing comma": b"[1,]",
    "a control character": b'"\x01"',
    "trailing text": b"{} x",
    "a cut number": b"1.",
    "not UTF-8": b'"\xff"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "single quotes": b"{'a': 1}",
    "5000 digits": b"1" * 5000,
    "a depth of 100,000": b"[" * 100_000,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function's folder."""
    place = tmp_path_factory.mktemp("situations")
    shutil.copyfile(SITUATIONS / "app.py", place / "app.py")
    return place


@pytest.fixture(scope="module")
def both(folder: Path) -> Iterator[Pair]:
    """Both clients with the same function, each in a process that answers all events of this file."""
    with Session(PLATFORM, folder) as platform, Session(OWN, folder) as own:
        yield platform, own


def posted(requests: list[Request]) -> list[tuple[Any, ...]]:
    """What is promised of a post: the path, the headers, every byte.

    Masked are how deep a recursion came, and the order of the paths for X-Ray, which AWS's client takes from a set.
    """
    kept = {"user-agent", "host"}
    found = []
    for one in requests:
        headers = {name: value for name, value in one.headers.items() if name not in kept}
        if cause := headers.get(CAUSE):
            parsed = json.loads(cause)
            assert json.dumps(parsed, ensure_ascii=cause.isascii()) == cause
            headers[CAUSE] = json.dumps({**parsed, "paths": sorted(parsed["paths"])}, ensure_ascii=cause.isascii())
        body = re.sub(rb"repeated \d+ more times", b"repeated", one.body)
        if b"repeated" in body:
            headers.pop("content-length"), headers.pop(CAUSE, None)
        found.append((one.method, one.path, headers, body))
    return found


def asked(both: Pair, answer: bytes) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What each client posts for one event, the platform's first."""
    platform, own = both
    return posted(platform.ask(answer)), posted(own.ask(answer))


@pytest.mark.parametrize("case", RETURNS)
def test_what_a_handler_returns_is_posted_alike(both: Pair, case: str) -> None:
    platform, own = asked(both, event({"run": RETURNS[case]}))
    assert own == platform


@pytest.mark.parametrize("case", RAISES)
def test_what_a_handler_raises_is_posted_alike(both: Pair, case: str) -> None:
    platform, own = asked(both, event({"run": RAISES[case]}))
    assert own == platform
    assert own[0][1].endswith("/error")


@pytest.mark.parametrize("case", HEADERS)
def test_what_comes_with_an_event_reaches_the_handler_alike(both: Pair, case: str) -> None:
    platform, own = asked(both, event({"run": SEEN}, **HEADERS[case]))
    assert own == platform


@pytest.mark.parametrize("case", BODIES)
def test_an_event_is_read_alike(both: Pair, case: str) -> None:
    platform, own = asked(both, event(BODIES[case]))
    assert own == platform


@pytest.mark.parametrize("case", BROKEN)
def test_an_event_that_is_not_json_is_the_same_error_in_pythons_own_words(both: Pair, case: str) -> None:
    (platform,), (own,) = asked(both, event(BROKEN[case]))
    expected, found = json.loads(platform[3]), json.loads(own[3])
    assert found["errorType"] == expected["errorType"] == "Runtime.UnmarshalError"
    assert found["errorMessage"].startswith("Unable to unmarshal input: ")
    assert {**found, "errorMessage": ""} == {**expected, "errorMessage": ""}
    assert own[1] == platform[1]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=300)
@given(value=VALUES, spaced=st.booleans())
def test_any_json_value_comes_and_goes_alike(both: Pair, value: Any, spaced: bool) -> None:
    text = json.dumps({"return": value}, ensure_ascii=spaced, indent=1 if spaced else None)
    platform, own = asked(both, event(text.encode()))
    assert own == platform
    assert json.loads(own[0][3]) == value


SHORT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
NAMES = "from decimal import Decimal\nfrom math import nan, inf\nimport collections\nP = collections.namedtuple('P', 'x y')"
CODE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SHORT.map(str.encode) | st.decimals() | SHORT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(SHORT | st.integers() | SHORT.map(str.encode), inner, max_size=4)
        | st.tuples(inner, inner).map(lambda pair: Named(*pair))
        | st.frozensets(st.integers(), max_size=1)
    ),
    max_leaves=12,
)


class Named(tuple):  # type: ignore[type-arg]
    """A named tuple, whose text is code that makes one."""

    def __new__(cls, *parts: Any) -> Named:
        return super().__new__(cls, parts)

    def __repr__(self) -> str:
        return f"P({self[0]!r}, {self[1]!r})"


@settings(max_examples=300)
@given(value=CODE)
def test_any_value_of_any_type_is_written_alike(both: Pair, value: Any) -> None:
    names = (
        "from decimal import Decimal; from collections import namedtuple; from math import nan, inf; P = namedtuple('P', 'x y')"
    )
    code = f"{names}\nresult = {value!r}"
    platform, own = asked(both, event({"run": code}))
    assert own == platform


def test_one_connection_carries_everything(both: Pair) -> None:
    platform, own = both
    for _ in range(3):
        asked(both, event({"run": "raise Exception"}))
        asked(both, event({}))
    assert len(own._connections) == len(platform._connections) == 1


def test_both_clients_print_and_log_the_same(folder: Path) -> None:
    events = [event({"run": code}, number) for number, code in enumerate([*RAISES.values(), "print('é')\nprint('a', end='')"])]
    ends = []
    for client in (PLATFORM, OWN):
        with Session(client, folder) as session:
            for one in events:
                session.ask(one)
            ends.append(session.end())
    platform, own = ends
    assert re.sub(rb"repeated \d+ more", b"", own.stdout) == re.sub(rb"repeated \d+ more", b"", platform.stdout)
    assert own.stderr == platform.stderr == b""
