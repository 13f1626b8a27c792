"""Run a built folder's job by spark-submit on two cores of this machine."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets import job

HERE = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
}
FOUND = "import platform, pyspark; print(pyspark.__path__[0], pyspark.__version__, platform.python_version(), sep=chr(10))"
PLACE = "flyweight_row"  # a column of the table beside the features: the place of each row
SECONDS = 600


class Job(job.Job):
    """A folder for Spark; the interpreter has pyspark, and the machine has Java."""

    def description(self) -> str:
        """Name pyspark's version and Python's."""
        _, version, python = self._found()
        return f"pyspark {version} on Python {python}, local[2]"

    def run(self, instances: list[dict[str, Any]], work: Path) -> list[Any]:
        """Submit the job with a table in JSON, and read the answers."""
        table, answers = work / "table.json", work / "answers"
        rows = [json.dumps({PLACE: place, **row}) for place, row in enumerate(instances)]
        table.write_text("\n".join(rows) + "\n", encoding="utf-8")
        words = ["--input", str(table), "--output", str(answers), "--format", "json", "--keep", PLACE, "--on-error", "raise"]
        command = ["sh", str(self.folder / "submit.sh"), *words]
        done = subprocess.run(command, env=self.variables(), cwd=work, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode:
            end = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
            raise RuntimeFailed(f"the job exited with status {done.returncode}\n{end}", "correct the job; its output is above")
        lines = [line for path in answers.glob("part-*") for line in path.read_text(encoding="utf-8").splitlines()]
        found = {row[PLACE]: row.get("prediction") for row in map(json.loads, lines)}
        if sorted(found) != [*range(len(instances))]:
            raise RuntimeFailed(f"{len(instances)} rows were given, and {len(lines)} answered", "report this as an error")
        return [found[place] for place in range(len(instances))]

    def variables(self) -> dict[str, str]:
        """Return the environment of spark-submit."""
        home = self._found()[0]
        options = " ".join(["--master local[2]", *(f"--conf {name}={value}" for name, value in HERE.items())])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        ours = {"PATH": f"{home}/bin{os.pathsep}{os.environ.get('PATH', '')}", "SPARK_HOME": home, "SPARK_OPTIONS": options}
        ours |= {"PYSPARK_PYTHON": self.python, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
        return {**inherited, **ours, **self.environ}

    def _found(self) -> list[str]:
        """Ask the interpreter for pyspark's folder and version, and for its own version.

        :raises RuntimeFailed: it has no pyspark.
        """
        try:
            done = subprocess.run([self.python, "-c", FOUND], capture_output=True, text=True)
        except OSError as error:
            raise RuntimeFailed(f"{self.python} can't be run: {error}", "give a Python interpreter") from None
        if done.returncode:
            step = 'install it and give that Python: pip install "pyspark[sql]", then --python PYTHON; Spark needs Java too'
            raise RuntimeFailed(f"{self.python} has no pyspark", step)
        return done.stdout.splitlines()
