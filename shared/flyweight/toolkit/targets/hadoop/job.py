"""Score rows with the mapper's file as a node does: a process with the rows on its standard input."""

import json
import subprocess
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets import job
from flyweight.toolkit.targets.hadoop.package import MAPPER

ANSWER = "prediction"


class Job(job.Job):
    """One split, which is a file of JSON lines."""

    def description(self) -> str:
        """Name the protocol, and the interpreter that stands for a node's."""
        done = subprocess.run([self.python, "--version"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeFailed(f"{self.python} can't be started", "name another with --python")
        return f"Hadoop streaming's mapper under {done.stdout.strip()}"

    def run(self, instances: list[dict[str, Any]], work: Path) -> list[Any]:
        """Score instances, each with its number as the key.

        :raises RuntimeFailed: the mapper fails, or a row has no answer.
        """
        mapper, split = self.folder / MAPPER, work / "split.jsonl"
        if not mapper.is_file():
            raise RuntimeFailed(f"{self.folder} has no {MAPPER}", "build it again: flyweight build hadoop --model FILE")
        split.write_text("".join(json.dumps(instance) + "\n" for instance in instances), encoding="utf-8")
        words = [self.python, "-I", str(mapper), "--on-error", "raise"]
        with split.open("rb") as source:
            done = subprocess.run(words, stdin=source, capture_output=True, env=self.environ)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise RuntimeFailed(f"the mapper exited with status {done.returncode}: {said}")
        return [json.loads(line)[ANSWER] for line in done.stdout.splitlines()]
