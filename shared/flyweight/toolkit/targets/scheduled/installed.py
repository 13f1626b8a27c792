"""Install the job on this machine: a folder for each release, one virtual environment, and files of the system's scheduler."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, JobDeployer
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.vm.release import packed


class Installed(JobDeployer):
    """A job of this machine; a run that is at work goes on with the release that it began with.

    `before`: the words of each command that come first; `times`: what `schedule` looks like.
    """

    name = "scheduled"
    common: Mapping[str, str] = {"input": "", "output": "", "arguments": "", "python": "python3"}
    before: tuple[str, ...] = ()
    times: Rule

    def given(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters.

        :raises DeployFailed: one is missing or has no meaning here, or the deployment names what this machine doesn't have.
        """
        if deployment.group or deployment.region or deployment.tags:
            raise DeployFailed("this machine has no groups, regions and tags", "leave out --group, --region and --tag")
        found = super().given(deployment)
        self.times.check(found["schedule"])
        for path in (*shlex.split(found["input"]), found["output"]):
            if not path.startswith("/") and "://" not in path:
                raise DeployFailed(f"{path} is not an absolute path", "write /srv/tables, or an address such as s3://tables/in")
        if not all(value.isprintable() for value in found.values()):
            raise DeployFailed("a parameter has a line break or another control character", "leave it out")
        return found

    def words(self, given: Mapping[str, str]) -> list[str]:
        """Write the words of the program."""
        return [*shlex.split(given["input"]), "--output", given["output"], *shlex.split(given["arguments"])]

    def unpacked(self, deployment: Deployment, home: Path, python: str) -> tuple[list[Command], Path]:
        """List the commands that put the folder and its packages on this machine.

        :returns: the commands, and the folder of the release.
        """
        path, release = packed(deployment)
        folder, environment = home / release, home / ".venv"
        return [
            self.run("mkdir", "-p", folder),
            self.run("python3", "-m", "zipfile", "-e", path, folder),
            self.run(python, "-m", "venv", environment),
            self.run(environment / "bin" / "pip", "install", "--quiet", "--requirement", folder / "requirements.txt"),
        ], folder

    def run(self, *words: str | Path) -> Command:
        """Return a command with the rights that it needs."""
        return command(*self.before, *words)

    def written(self, deployment: Deployment, file: str, values: Mapping[str, str], end: str = "") -> Path:
        """Write a file of the scheduler to the work folder: a template without its comments, with these values in it.

        :param values: by the parts of the template that they replace.
        :param end: what the text ends with.
        :raises DeployFailed: the template can't be read, or lacks a part.
        """
        source = deployment.infra / self.name / file
        try:
            lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        except OSError as error:
            raise DeployFailed(f"{source} can't be read: {error}", "give another --infra") from None
        text = "".join(line for line in lines if not line.startswith("#"))
        if missing := [part for part in values if part not in text]:
            raise DeployFailed(f"{source} has no {missing[0]!r}", "keep that part as flyweight's own file has it")
        filled = re.sub("|".join(map(re.escape, values)), lambda found: values[found[0]], text)
        deployment.work.mkdir(parents=True, exist_ok=True)
        path = deployment.work / f"{deployment.name}.{file}"
        path.write_text(filled.rstrip("\n") + end + "\n", encoding="utf-8")
        return path
