"""Many bodies are parsed by one call, each as if it were alone, with anything in the others."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flyweight import strict_json
from flyweight.strict_json import NotStrictJSON, parse, parse_all
from tests.conftest import ROOT

PIECES = [
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"',
    '"a"',
    "1",
    "-0.5e3",
    "null",
    "NaN",
    " ",
    "\\",
    "\ufeff",
    "[1]",
    "[[2]]",
    '{"a":1}',
    "]]",
]
broken = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.one_of(broken.map(str.encode), documents.map(lambda document: json.dumps(document).encode()), st.binary(max_size=5))


def alone(body: bytes) -> Any:
    return parse(body.decode())


@given(st.lists(bodies, min_size=1, max_size=5))
@example([b"[[1]", b"[2]]", b"[3],[4]"])  # as many documents as bodies, but each is another one than its body
@example([b"[1", b"2]", b"3,4"])
@example([b"1],[2"])
@example([b"1,2", b""])
@example([b"\xef\xbb\xbf[1]", b"[2]"])
@example([b"\xc3", b"\xa9"])  # half a letter each
@example([b'{"a":1,"a":2}', b"1"])
def test_bodies_parsed_together_equal_bodies_parsed_alone(together: list[bytes]) -> None:
    parsed = parse_all(together)
    try:
        expected = [alone(body) for body in together]
    except (NotStrictJSON, UnicodeDecodeError):
        assert parsed is None
    else:
        assert parsed in (expected, None)


@given(st.lists(documents.map(lambda document: json.dumps(document).encode()), min_size=1, max_size=5))
def test_sound_bodies_are_parsed_together(together: list[bytes]) -> None:
    assert parse_all(together) == [alone(body) for body in together]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 5000, b"[Infinity]"], ids=["deep", "digits", "infinity"])
def test_a_body_that_is_refused_alone_is_refused_together(body: bytes) -> None:
    assert parse_all([b"[1]", body]) is None
    with pytest.raises(NotStrictJSON):
        alone(body)


@pytest.mark.parametrize("text", ['{"a": ', "[1,]", '{"a" 1}', '"a', "nul", "[1 2]", '{"a": [{"b": 1, ', "\x01"])
def test_what_is_not_json_is_refused_where_the_package_was_never_imported(text: str) -> None:
    """Python 3.11's scanner fails with a SystemError then."""
    program = (
        "import sys; sys.path.insert(0, 'shared')\n"
        "from flyweight import strict_json\n"
        "assert 'json.decoder' not in sys.modules\n"
        "for read in (strict_json.parse, lambda text: strict_json.parse_sequence('{} ' + text, 5)):\n"
        "    try: read(sys.argv[1])\n"
        "    except strict_json.NotStrictJSON: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program, text], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "refused\n" * 2, done.stderr


DEPTH = 1000 if sys.version_info >= (3, 12) else 900  # before, Python's own functions counted as well


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("[" * DEPTH + "]" * DEPTH, True),
        ("[" * 1001 + "]" * 1001, False),
        ('{"a":' * 1001 + "1" + "}" * 1001, False),
        ("[" + ",".join(["[1]"] * 5000) + "]", True),
        ('["' + "[" * 5000 + '\\\\", "\\"' + "{" * 5000 + '"]', True),
        ("[" * 100_000, False),
    ],
)
def test_where_the_stack_is_small_deep_nesting_is_refused_before_it_is_read(text: str, fits: bool) -> None:
    read = strict_json.guarded(strict_json.scan)
    if fits:
        assert read(text, 0) == (json.loads(text), len(text))
    else:
        with pytest.raises(RecursionError):
            read(text, 0)
