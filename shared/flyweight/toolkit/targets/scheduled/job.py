"""Score rows with a built folder's program, as a scheduler starts it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets import job

PROGRAM = "scheduled_main.py"


class Job(job.Job):
    """One run, which scores a file of JSON lines in a folder of this machine."""

    def description(self) -> str:
        """Name the interpreter that runs the program."""
        done = subprocess.run([self.python, "--version"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeFailed(f"{self.python} can't be started", "name another with --python")
        return f"{PROGRAM} under {done.stdout.strip()}"

    def run(self, instances: list[dict[str, Any]], work: Path) -> list[Any]:
        """Score a file with the instances."""
        (work / "in").mkdir()
        rows = "".join(json.dumps(instance) + "\n" for instance in instances)
        (work / "in" / "rows.jsonl").write_text(rows, encoding="utf-8")
        words = [self.python, "-P", str(self.folder / PROGRAM), str(work / "in"), "--output", str(work / "out")]
        environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(self.folder), **self.environ}
        done = subprocess.run([*words, "--on-error", "raise", "--workers", "1"], capture_output=True, text=True, env=environ)
        if done.returncode:
            end = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
            raise RuntimeFailed(f"the job exited with status {done.returncode}: {end}")
        answers = (work / "out" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line).get("prediction") for line in answers]
