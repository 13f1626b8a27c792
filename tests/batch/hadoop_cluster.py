"""A cluster of Hadoop on this machine: HDFS, YARN and MapReduce, each daemon a process, with two node managers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import ROOT

HOME = ROOT / ".tools" / "hadoop"
LOCAL = "127.0.0.1"
SECONDS = 600  # within which a daemon, a command or a job ends, on a busy machine
JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 --add-opens=java.base/java.lang=ALL-UNNAMED"
LOG4J = """
log4j.rootLogger=WARN,E
log4j.logger.org.apache.hadoop.mapreduce.Job=INFO
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
log4j.appender.E=org.apache.log4j.ConsoleAppender
log4j.appender.E.target=System.err
log4j.appender.E.layout=org.apache.log4j.PatternLayout
log4j.appender.E.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n
"""


def home() -> Path:
    """Where Hadoop is; the test is skipped, in words, where it is not installed."""
    if not (HOME / "installed.txt").is_file():
        pytest.skip("Hadoop is not installed; run: .ci/install-hadoop")
    return HOME


def free_ports(count: int) -> list[str]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind((LOCAL, 0))
        return [str(one.getsockname()[1]) for one in held]


class Cluster:
    """Some node managers of this machine, with two or three containers at once each; blocks of 256 KiB.

    `nodes`: the processes of the node managers; `web`: where the name node speaks WebHDFS, HOST:PORT.
    """

    def __init__(self, folder: Path, stack: ExitStack, nodes: int) -> None:
        self.folder, self._stack = folder, stack
        lib = home() / "lib"
        ports = free_ports(11)
        files, self.web, http = f"hdfs://{LOCAL}:{ports[0]}", f"{LOCAL}:{ports[1]}", [f"{LOCAL}:{port}" for port in ports[2:]]
        self.common = {
            "core": {
                "fs.defaultFS": files, "hadoop.tmp.dir": f"{folder}/tmp", "hadoop.http.staticuser.user": "flyweight",
                "ipc.client.connect.max.retries": "3", "ipc.client.connect.retry.interval": "500",
            },
            "hdfs": {
                "dfs.replication": "1", "dfs.blocksize": str(1 << 18), "dfs.namenode.fs-limits.min-block-size": str(1 << 16),
                "dfs.namenode.http-address": self.web, "dfs.datanode.address": http[0], "dfs.datanode.http.address": http[1],
                "dfs.datanode.ipc.address": http[2],
            },
            "mapred": {
                "mapreduce.framework.name": "yarn", "mapreduce.application.classpath": f"{lib}/*",
                "yarn.app.mapreduce.am.resource.mb": "512", "yarn.app.mapreduce.am.command-opts": f"-Xmx300m {JAVA}",
                "mapreduce.map.memory.mb": "512", "mapreduce.map.java.opts": f"-Xmx150m {JAVA}",
                "mapreduce.task.io.sort.mb": "16", "mapreduce.shuffle.port": "0", "yarn.app.mapreduce.am.staging-dir": "/staging",
                "mapreduce.map.speculative": "false",
            },
            "yarn": {
                "yarn.application.classpath": f"{lib}/*", "yarn.resourcemanager.hostname": LOCAL,
                "yarn.resourcemanager.address": http[3], "yarn.resourcemanager.scheduler.address": http[4],
                "yarn.resourcemanager.resource-tracker.address": http[5], "yarn.resourcemanager.admin.address": http[6],
                "yarn.resourcemanager.webapp.address": http[7], "yarn.scheduler.minimum-allocation-mb": "512",
                "yarn.nm.liveness-monitor.expiry-interval-ms": "10000",
                # else a job's master tries for minutes to reach a node that is gone
                "yarn.client.nodemanager-connect.max-wait-ms": "3000", "yarn.client.nodemanager-connect.retry-interval-ms": "500",
                "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": "500",
                "yarn.nodemanager.aux-services": "mapreduce_shuffle", "yarn.nodemanager.resource.memory-mb": "1536",
                "yarn.nodemanager.vmem-check-enabled": "false", "yarn.nodemanager.pmem-check-enabled": "false",
                "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "100",
            },
        }  # fmt: skip
        self._conf = self._configure("client", {})
        self._start(nodes)

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Hadoop's, or a script that uses them; it must succeed."""
        done = self.attempt(*words, **environ)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done

    def attempt(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, env={**self.environ, **environ}, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )

    def begin(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        begun = subprocess.Popen(words, env={**self.environ, **environ}, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self._stack.callback(begun.kill)
        return begun

    @property
    def environ(self) -> dict[str, str]:
        path = f"{home() / 'bin'}:{os.environ['PATH']}"
        return {
            **os.environ,
            "PATH": path,
            "HADOOP_CONF_DIR": str(self._conf),
            "HADOOP_OPTS": "-Xmx256m",
            "HADOOP_USER_NAME": "root",
        }

    def texts(self, folder: str) -> dict[str, str]:
        """The files of a job's answers, by name."""
        local = self.folder / "fetched" / folder.strip("/")
        local.parent.mkdir(parents=True, exist_ok=True)
        self.run("hdfs", "dfs", "-get", folder, str(local))
        return {path.name: path.read_text() for path in sorted(local.glob("part-*"))}

    def kill_node(self, without: str) -> list[int]:
        """Kill a node manager on which no process has a word in its command line, with all that it has started.

        :returns: the processes.
        """
        for node in self.nodes:
            family = descendants(node.pid)
            if not any(without in command_line(pid) for pid in family):
                for pid in [node.pid, *family]:
                    os.kill(pid, signal.SIGKILL)
                node.wait()
                return family
        raise AssertionError(f"every node has a {without}")

    def busy_nodes(self, word: str) -> int:
        """How many node managers have a process with a word in its command line."""
        return sum(any(word in command_line(pid) for pid in descendants(node.pid)) for node in self.nodes)

    def _configure(self, name: str, further: dict[str, str]) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True)
        for site, values in self.common.items():
            every = {**values, **(further if site == "yarn" else {})}
            lines = [f"<property><name>{key}</name><value>{value}</value></property>" for key, value in every.items()]
            (folder / f"{site}-site.xml").write_text("\n".join(["<configuration>", *lines, "</configuration>"]))
        (folder / "log4j.properties").write_text(LOG4J)
        return folder

    def _start(self, nodes: int) -> None:
        self.run("hdfs", "namenode", "-format", "-nonInteractive")
        for daemon in ("namenode", "datanode", *(["resourcemanager"] if nodes else [])):
            self._daemon(daemon, self._conf)
        self.nodes = []
        for number in range(1, nodes + 1):
            ports = free_ports(3)
            places = {
                "yarn.nodemanager.hostname": LOCAL, "yarn.nodemanager.address": f"{LOCAL}:{ports[0]}",
                "yarn.nodemanager.localizer.address": f"{LOCAL}:{ports[1]}",
                "yarn.nodemanager.webapp.address": f"{LOCAL}:{ports[2]}",
                "yarn.nodemanager.local-dirs": f"{self.folder}/local{number}",
                "yarn.nodemanager.log-dirs": f"{self.folder}/logs{number}",
            }  # fmt: skip
            conf = self._configure(f"node{number}", places)
            self.nodes.append(self._daemon("nodemanager", conf))
        master = self.common["yarn"]["yarn.resourcemanager.webapp.address"]
        if nodes:
            self._wait(lambda: f'"activeNodes":{nodes},' in answer(f"http://{master}/ws/v1/cluster/metrics"))
        self._wait(
            lambda: '"NumLiveDataNodes" : 1' in answer(f"http://{self.web}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystem")
        )

    def _daemon(self, name: str, conf: Path) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self.folder / f"{name}-{conf.name}.log").open("wb"))
        environ = {**self.environ, "HADOOP_CONF_DIR": str(conf)}
        # a session of its own, so that nothing of it is left when the test ends
        daemon = subprocess.Popen(["hadoop", name], env=environ, stdout=log, stderr=log, start_new_session=True)
        self._stack.callback(end, daemon)
        return daemon

    def _wait(self, is_ready: object) -> None:
        deadline = time.monotonic() + SECONDS
        while not is_ready():  # type: ignore[operator]
            assert time.monotonic() < deadline, "\n".join(log.read_text()[-1000:] for log in self.folder.glob("*.log"))
            time.sleep(0.3)


def end(daemon: subprocess.Popen[bytes]) -> None:
    for pid in [daemon.pid, *descendants(daemon.pid)] if daemon.poll() is None else []:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    daemon.wait()


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have, as far as they run."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            try:
                children = [int(word) for word in task.read_text().split()]
            except OSError:
                continue
            found += children
            waiting += children
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def answer(url: str) -> str:
    try:
        with urlopen(url, timeout=5) as reply:
            return str(reply.read().decode())
    except OSError:
        return ""


@contextmanager
def running(folder: Path, nodes: int = 2) -> Iterator[Cluster]:
    """A cluster that runs until the block ends; without node managers it is HDFS alone."""
    with ExitStack() as stack:
        yield Cluster(folder, stack, nodes)
