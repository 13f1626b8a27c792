"""Bodies of six megabytes are read or refused in a process of bounded memory, as the system counts it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flyweight.formats import bounds
from tests.conftest import ROOT

SIZE = 6_000_000
CHILD = """
import resource, sys
from flyweight import formats
from flyweight.errors import FlyweightError
from tests.formats.bodies import BODIES, validator
kind, size = sys.argv[1], int(sys.argv[2])
content_type, make = BODIES[kind]
read = validator("mixed" if kind == "objects in one instance" else "one")
for body in (make(70_000).encode(), make(size).encode()):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read.rows(formats.parse(body, content_type, read)[0])
    except FlyweightError:
        pass
print(len(body), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count in other units")
@pytest.mark.parametrize(
    "kind",
    [
        "nested arrays",
        "objects in one instance",
        "keys of one instance",
        "a key twice",
        "a wide instance",
        "wide instances",
        "a wide row",
        "names in the header",
        "one column",
        "arrays a line",
    ],
)
def test_six_megabytes_take_at_most_25_times_as_much_and_32_beside(kind: str) -> None:
    environment = {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "PATH": ""}
    command = [sys.executable, "-c", CHILD, kind, str(SIZE)]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    size, taken = map(int, child.stdout.split())
    assert taken < bounds.TIMES * size + bounds.ROOM
    assert taken < 256 << 20
