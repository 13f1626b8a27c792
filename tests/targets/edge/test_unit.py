"""The systemd unit of a device: its own judge takes it, and it opens one port of the device alone."""

from __future__ import annotations

import re
import subprocess

import pytest

from flyweight import settings
from flyweight.settings.edge import Edge
from tests.targets.handler import ROOT

FOLDER = ROOT / "handlers" / "edge"
UNIT = (FOLDER / "flyweight-edge@.service").read_text()
EXPOSURE = 1.5  # of 10, the lower the better: what systemd-analyze says of the unit, which needs a network
analyzed = pytest.mark.needs("systemd-analyze")


@analyzed
def test_systemd_takes_the_unit() -> None:
    words = ["systemd-analyze", "verify", str(FOLDER / "flyweight-edge@.service")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@analyzed
def test_the_unit_is_as_closed_as_its_page_says() -> None:
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(FOLDER / "flyweight-edge@.service")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert float(re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[0]) <= EXPOSURE
    assert f"{EXPOSURE} of 10" in (ROOT / "docs" / "providers" / "edge.md").read_text()


def test_the_unit_lets_no_other_port_be_opened_and_waits_for_the_drain() -> None:
    assert re.findall(r"^SocketBind(\w+)=(.*)$", UNIT, re.MULTILINE) == [("Deny", "any"), ("Allow", "ipv4:tcp:8080")]
    assert "FLYWEIGHT_HOST=127.0.0.1" in UNIT
    (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(stop) > settings.serving({}).grace_seconds
    (most,) = re.findall(r"^MemoryMax=(\d+)M$", UNIT, re.MULTILINE)
    assert int(most) >= 32 and Edge().edge_store_bytes > 0
