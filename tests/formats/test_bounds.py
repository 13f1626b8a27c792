"""A large body that is over a limit is refused before anything of it is built."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flyweight import formats, strict_json
from flyweight.errors import InvalidInput, MalformedRequest, TooLarge
from flyweight.formats import memory
from tests.formats.bodies import CSV, JSON, LINES, validator


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each text that is parsed as JSON."""
    texts: list[str] = []
    parse = strict_json.parse

    def parse_and_note(text: str) -> Any:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(strict_json, "parse", parse_and_note)
    return texts


def refused(body: str, content_type: str, **limits: Any) -> str:
    with pytest.raises(TooLarge) as error:
        formats.parse(body.encode(), content_type, validator("one", **limits))
    return str(error.value)


@pytest.mark.parametrize(
    "body",
    [
        "[" + "[1]," * 30_000 + "[1]]",
        "[" + '{"f0":1},' * 30_000 + '{"f0":1}]',
        '{"outputs":["predictions"],"instances":[' + "[1]," * 30_000 + "[1]]}",
        '{"dataframe_records":[' + '{"f0":1},' * 30_000 + '{"f0":1}]}',
        '{"context":{"f0":1},"examples":[' + "{}," * 30_000 + "{}]}",
        "[" + "1," * 60_000 + "1]",
        '{"instances":[' + "1," * 60_000 + '1],"parse_text":true}',
        " [" + '{"f0":"[{\\"["},' * 30_000 + "[]]",
    ],
)
@pytest.mark.parametrize("unknown", ["", "ignore"])
def test_instances_of_json_are_counted_before_they_are_parsed(body: str, unknown: str, built: list[str]) -> None:
    assert refused(body, JSON, unknown_features=unknown) == "the body has more than 10000 instances, which is the limit"
    assert not built


def test_lines_beyond_the_limit_are_not_parsed(built: list[str]) -> None:
    assert refused("[1]\n" * 30_000, LINES) == "the body has more than 10000 instances, which is the limit"
    assert not built
    assert refused("[1]\n\n" * 30, LINES, max_instances=7) == "the body has more than 7 instances, which is the limit"
    assert len(built) == 7
    formats.parse(b"[1]\n" + b" \n" * 40_000 + b"[1]", LINES, validator("one", max_instances=2))


def test_lines_of_csv_beyond_the_limit_are_not_read() -> None:
    for content_type, body in ((CSV, 'f0\n1\n2\n3\n"'), (f"{CSV}; header=absent", '1\n2\n3\n"')):
        assert refused(body, content_type, max_instances=2) == "the body has more than 2 instances, which is the limit"
        with pytest.raises(MalformedRequest, match="not CSV"):
            formats.parse(body.encode(), content_type, validator("one", max_instances=3))


@pytest.mark.parametrize("instance", ['["[{,\\"[{,"]', '{"f0":"]}[{,"}'])
def test_brackets_and_commas_in_texts_are_no_instances(instance: str) -> None:
    body = '{"instances":[' + ",".join([instance] * 10_000) + "]}"
    instances, _ = formats.parse(body.encode(), JSON, validator("text"))
    assert len(instances) == 10_000
    one = json.dumps([["[," * 100_000]])
    assert len(formats.parse(one.encode(), JSON, validator("text"))[0]) == 1


def test_a_record_of_one_instance_with_many_arrays_is_one_instance() -> None:
    body = json.dumps({"f0": 1, "note": "instances", "rows": [[1]] * 20_000}).encode()
    read = validator("one", unknown_features="ignore")
    instances, _ = formats.parse(body, JSON, read, formats.RECORD_PARSERS)
    assert read.rows(instances) == [[1.0]]


def test_a_wide_instance_is_no_error_of_their_number() -> None:
    read = validator("one")
    with pytest.raises(InvalidInput, match="expected 1 values"):
        read.rows(formats.parse(b"[[" + b"1," * 50_000 + b"1]]", JSON, read)[0])


def test_more_objects_than_a_body_may_make_are_refused_before_they_are_built(built: list[str]) -> None:
    nested = "[[" + "[[]]," * 600_000 + "1]]"
    assert "3000005 bytes, and reading it would take" in refused(nested, JSON)
    assert "too many values, arrays, objects and names for its size" in refused(nested, JSON)
    assert not built


@pytest.mark.parametrize(
    "body",
    [
        "[" + ",".join([json.dumps({"f0": 0.123, "note": "a: {b}, [c]"})] * 10_000) + "]",
        "[" + ",".join([json.dumps({"f0": 1, **{f"k{n}": n for n in range(30)}})] * 4000) + "]",
        "[" + ",".join(["[1]"] * 9999 + ['["' + "{[" * 600_000 + '"]']) + "]",
    ],
)
def test_a_usual_large_body_is_read(body: str) -> None:
    read = validator("one", unknown_features="ignore")
    assert formats.parse(body.encode(), JSON, read)[0]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda count: monkeypatch.setattr(memory, "free_bytes", lambda: count)


@pytest.mark.parametrize(
    ("content_type", "make"),
    [
        (JSON, lambda rows: "[" + ",".join(["[" + "1.5," * 99 + "1.5]"] * rows) + "]"),
        (LINES, lambda rows: ("[" + "1.5," * 99 + "1.5]\n") * rows),
        (f"{CSV}; header=absent", lambda rows: ("1.5," * 99 + "1.5\n") * rows),
    ],
)
def test_a_body_that_the_process_has_no_memory_for_is_refused_with_the_size_that_it_can_take(
    content_type: str, make: Any, free: Any, built: list[str]
) -> None:
    free(24 << 20)
    message = refused(make(6000), content_type)
    assert "MB of memory, of which this process has 24 MB left: send at most" in message
    assert not built
    most = int(message.rpartition("at most ")[2].split()[0])
    assert 800_000 < most < 2_000_000
    formats.parse(make(most // 410).encode(), content_type, validator("one"))
    with pytest.raises(TooLarge):
        formats.parse(make(most * 11 // 10 // 390).encode(), content_type, validator("one"))


def test_texts_that_look_like_objects_are_weighed_as_texts(free: Any) -> None:
    free(40 << 20)
    body = json.dumps([['{[:,\\"' * 400_000]])
    formats.parse(body.encode(), JSON, validator("text"))


def test_a_small_body_asks_for_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: pytest.fail("asked"))
    formats.parse(b"[" + b"[1]," * 9000 + b"[1]]", JSON, validator("one"))


def test_nothing_is_imported_for_a_small_body() -> None:
    shared = Path(formats.__file__).parents[2]
    program = (
        f"import sys; sys.path.insert(0, {str(shared)!r}); from flyweight import formats; "
        "from flyweight.models.validation import Validator; from flyweight.models.signature import Feature, Signature; "
        "from flyweight.settings import Limits; "
        "read = Validator(Signature('regression', [Feature('a', 'number', False)], 1), Limits()); "
        "read.rows(formats.parse(b'[' + b'[1],' * 9999 + b'[1]]', '', read)[0]); print(*sys.modules)"
    )
    modules = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"flyweight.formats.bounds", "flyweight.formats.memory", "flyweight.models.names"} & {*modules}
