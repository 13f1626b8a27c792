"""The systemd unit: its own judge takes it, it is closed as far as that can be, and what it runs answers and drains so."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flyweight import settings
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.running import runtime
from flyweight.toolkit.targets.http_runtime import free_port
from tests.targets.handler import ROOT

FOLDER = ROOT / "handlers" / "vm"
UNIT = (FOLDER / "flyweight@.service").read_text()
EXPOSURE = 0.5  # of 10, the lower the better: what systemd-analyze says of the unit
WITH_NETWORK = 1.5  # with the drop-in for a model from a store
analyzed = pytest.mark.needs("systemd-analyze")


def of_unit(key: str) -> list[str]:
    """The values of a key of the unit."""
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)


def exposure(folder: Path) -> float:
    """What `systemd-analyze security` says of the unit in a folder."""
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"{folder / 'flyweight@.service'}"]
    done = subprocess.run(words, capture_output=True, text=True)
    return float(re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[0])


@analyzed
def test_systemd_takes_the_unit_and_its_socket() -> None:
    words = ["systemd-analyze", "verify", str(FOLDER / "flyweight@.service"), str(FOLDER / "flyweight@.socket")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@analyzed
def test_systemd_would_refuse_a_key_that_does_not_exist(tmp_path: Path) -> None:
    for name in ("flyweight@.service", "flyweight@.socket"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "flyweight@.service").write_text(UNIT.replace("ProtectHome=", "ProtectHouse="))
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / "flyweight@.service")], capture_output=True, text=True)
    assert "Unknown key" in done.stderr


@analyzed
def test_the_unit_is_as_closed_as_its_page_says(tmp_path: Path) -> None:
    assert exposure(FOLDER) <= EXPOSURE
    page = (ROOT / "docs" / "providers" / "vm.md").read_text()
    assert f"{EXPOSURE} of 10" in page
    # the drop-in for a model from a store opens the network and nothing else
    drop_in = (FOLDER / "network.conf").read_text().partition("[Service]\n")[2].splitlines()
    opened = UNIT
    for line in drop_in:
        key = line.partition("=")[0]
        assert re.search(rf"^{key}=", opened, re.MULTILINE)
        opened = re.sub(rf"^{key}=.*$", line, opened, flags=re.MULTILINE)
    (tmp_path / "flyweight@.service").write_text(opened)
    assert EXPOSURE < exposure(tmp_path) <= WITH_NETWORK


def test_systemd_waits_longer_than_the_server_takes_to_drain() -> None:
    (stop,) = of_unit("TimeoutStopSec")
    assert int(stop) > settings.serving().grace_seconds


@contextmanager
def notified() -> Iterator[socket.socket]:
    """A socket of systemd's, to which every user may write."""
    place = Path(os.environ.get("TMPDIR", "/tmp")) / f"flyweight-notify-{os.getpid()}"
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
        teller.bind(str(place))
        place.chmod(0o777)
        teller.settimeout(60)
        yield teller
    place.unlink()


@contextmanager
def activated(folder: Path, port: int, teller: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """The unit's command line on a socket that systemd's own tool holds: as nobody, without rights and without a network."""
    words = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--setenv=PYTHONDONTWRITEBYTECODE=1"]
    words += [f"--setenv=NOTIFY_SOCKET={teller.getsockname()}"]
    if os.getuid() == 0:
        words += ["unshare", "--net", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        words += ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    process = subprocess.Popen(
        [*words, *of_unit("ExecStart")[0].split()], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def asked(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """A request's status and answer, from a server that may only be about to start."""
    until = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
        finally:
            connection.close()


@pytest.fixture
def readable(built: Callable[[str], Path]) -> Iterator[Path]:
    """The built folder where every user can read it."""
    place = Path(os.environ.get("TMPDIR", "/tmp")) / f"flyweight-vm-{os.getpid()}"
    shutil.copytree(built("vm"), place)
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.mark.needs("systemd-socket-activate", "unshare", "setpriv", "/usr/bin/python3")
def test_the_command_line_answers_on_systemds_socket_as_nobody_and_drains(readable: Path, tmp_path: Path) -> None:
    port = free_port()
    with notified() as teller, activated(readable, port, teller) as process:
        assert asked(port, "GET", "/ready")[0] == 200
        assert teller.recv(100) == b"READY=1"
        slow = socket.create_connection(("127.0.0.1", port), timeout=60)
        body = b'{"instances": [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]]}'
        head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body[:10])
        time.sleep(0.5)  # the server has begun to read the request
        process.send_signal(signal.SIGTERM)
        assert teller.recv(100) == b"STOPPING=1"
        slow.sendall(body[10:])
        assert slow.recv(1000).startswith(b"HTTP/1.1 200 ")
        slow.close()
        assert process.wait(60) == 0


def test_a_folder_without_a_unit_is_refused_in_words(built: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(built("vm"), tmp_path / "vm")
    (folder / "flyweight@.service").unlink()
    with pytest.raises(RuntimeFailed, match="does not say what systemd starts"), runtime("vm")(folder) as process:
        process.invoke({"method": "GET", "path": "/ready"})
