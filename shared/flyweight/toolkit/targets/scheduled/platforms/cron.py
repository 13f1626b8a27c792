"""Install the job for the user who deploys it, as a line of the user's crontab."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.scheduled.installed import Installed

FILE = "crontab"
# other lines of the crontab stay; grep has status 1 where it leaves none
PUT = '{ crontab -l 2>/dev/null | grep -vF -- "$1" || true; cat -- "$0"; } | crontab -'
LEFT_OUT = '{ crontab -l | grep -vF -- "$0" || true; } | crontab -'
FIELD = r"[\w*/,-]+"


class Cron(Installed):
    """A line that ends with a comment of the deployment's name, and a folder in the user's home."""

    platform = "cron"
    parameters: Mapping[str, str] = {"schedule": "0 3 * * *"}
    times = Rule("a time", rf"@[a-z]+|{FIELD}( {FIELD}){{4}}", "write five fields with blanks between: 0 3 * * *")

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the program that keeps the lines, and the one that leaves out a run while another is at work."""
        return [Tool("crontab", "apt-get install cron"), Tool("flock", "apt-get install util-linux")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Put the release into the user's home, and its line into the crontab.

        :raises DeployFailed: a parameter is missing or has no meaning.
        """
        given, home = self.given(deployment), _home(deployment)
        unpacked, folder = self.unpacked(deployment, home, given["python"])
        values = {
            "cd /opt/flyweight-batch": f"cd {shlex.quote(str(folder))}",
            "/tmp/flyweight-batch.lock": shlex.quote(str(home / "lock")),
            " .venv/bin/python": " " + shlex.quote(f"{home}/.venv/bin/python"),
            "/srv/tables --output /srv/answers --keep id": shlex.join(self.words(given)),
            '"$HOME/flyweight-batch.log"': shlex.quote(str(home / "log")),
        }
        # cron ends a command at % without a backslash: crontab(5)
        escaped = {part: value.replace("%", r"\%") for part, value in values.items()}
        line = self.written(deployment, FILE, {"0 3 * * *": given["schedule"], **escaped}, end=f" {_mark(deployment)}")
        return [*unpacked, command("sh", "-c", PUT, line, _mark(deployment))]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the last lines of the job's log, which have no times."""
        return [command("tail", "-n", "300", *(["-f"] if follow else []), _home(deployment) / "log")]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the line of the crontab, which fails where none exists, and the last line of the log."""
        last = 'tail -n 1 -- "$0" 2>/dev/null || echo no run yet'
        return [
            command("sh", "-c", 'crontab -l | grep -F -- "$0"', _mark(deployment)),
            command("sh", "-c", last, _home(deployment) / "log"),
        ]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the line and the releases with the log; the answers are kept."""
        return [command("sh", "-c", LEFT_OUT, _mark(deployment)), command("rm", "-rf", _home(deployment))]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the line and the folder."""
        return [Resource(_mark(deployment), "line of the crontab"), Resource(str(_home(deployment)), "folder of releases")]


def _home(deployment: Deployment) -> Path:
    return Path.home() / ".local" / "share" / "flyweight-batch" / deployment.name


def _mark(deployment: Deployment) -> str:
    """Write the comment that tells the deployment's line from the others; the name's end is marked too."""
    return f"# flyweight-batch {deployment.name};"


DEPLOYER = Cron()
