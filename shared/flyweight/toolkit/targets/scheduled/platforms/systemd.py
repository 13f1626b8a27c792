"""Install the job on this machine as a service of systemd with few rights, and a timer that starts it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.scheduled.installed import Installed

HOME, UNITS = Path("/opt/flyweight-batch"), Path("/etc/systemd/system")
STATE = "/var/lib"  # https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=
SERVICE, TIMER = "flyweight-batch.service", "flyweight-batch.timer"
# of the templates: what a deployment has in place of it
PROGRAM = (
    "/opt/flyweight-batch/.venv/bin/python scheduled_main.py /srv/tables --output /var/lib/flyweight-batch/answers --keep id"
)


class Systemd(Installed):
    """A service `flyweight-batch-NAME`, which may write to its own folder in /var/lib and to stores, and its timer."""

    platform = "systemd"
    parameters: Mapping[str, str] = {"schedule": "*-*-* 03:00:00"}
    required = ("input",)
    before = ("sudo",)
    times = Rule("a time", r"[\w*/.,:~ +-]+", "write it as in: systemd-analyze calendar 'Mon..Fri *-*-* 03:00:00'")

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return what installs a service as root."""
        return [
            Tool("sudo", "https://www.sudo.ws", command("sudo", "-n", "true"), "login: sudo -v"),
            Tool("systemctl", "systemd, of a Linux system that is started by it; or choose --platform cron"),
        ]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Put the release on the machine, write both units, and start the timer.

        :raises DeployFailed: a parameter is missing or has no meaning, or answers would go where the service may not write.
        """
        unit, home = _unit(deployment), HOME / deployment.name
        given = self.given(deployment)
        unpacked, folder = self.unpacked(deployment, home, given["python"])
        line = f"{home}/.venv/bin/python scheduled_main.py " + " ".join(map(_quoted, self.words(given)))
        parts = {PROGRAM: line, "WorkingDirectory=/opt/flyweight-batch": f"WorkingDirectory={folder}"}
        parts |= {f"{start}flyweight-batch": f"{start}{unit}" for start in ("StateDirectory=", "EnvironmentFile=-/etc/default/")}
        service = self.written(deployment, SERVICE, parts)
        timer = self.written(deployment, TIMER, {"OnCalendar=*-*-* 03:00:00": f"OnCalendar={given['schedule']}"})
        return [
            *unpacked,
            self.run("install", "-m", "644", service, UNITS / f"{unit}.service"),
            self.run("install", "-m", "644", timer, UNITS / f"{unit}.timer"),
            self.run("systemctl", "daemon-reload"),
            self.run("systemctl", "enable", "--now", f"{unit}.timer"),
        ]

    def given(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters; answers go to the service's own folder unless `output` names another place.

        :raises DeployFailed: a parameter is missing or has no meaning, or answers would go where the service may not write.
        """
        own = f"{STATE}/{_unit(deployment)}"
        found = {"output": f"{own}/answers", **deployment.parameters}
        known = super().given(replace(deployment, parameters=found))
        if "://" not in known["output"] and not known["output"].startswith(f"{own}/"):
            raise DeployFailed(f"the service may not write to {known['output']}", f"write below {own}, or to a store")
        return known

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the service's lines in the journal."""
        options = [f"--unit={_unit(deployment)}.service", f"--since=-{since}", "--no-pager", "--output=cat"]
        return [self.run("journalctl", *options, *(["--follow"] if follow else []))]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read whether the timer is there, which fails where it is not, and how the last run ended."""
        shown = [f"--property={name}" for name in ("ActiveState", "Result", "ExecMainStatus", "ExecMainExitTimestamp")]
        return [
            command("systemctl", "is-enabled", f"{_unit(deployment)}.timer"),
            command("systemctl", "show", f"{_unit(deployment)}.service", *shown, "--value"),
        ]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Stop a run, and remove the units and the releases; the answers are kept."""
        unit = _unit(deployment)
        return [
            self.run("systemctl", "disable", "--now", f"{unit}.timer"),
            self.run("systemctl", "stop", f"{unit}.service"),
            self.run("rm", "-f", UNITS / f"{unit}.service", UNITS / f"{unit}.timer"),
            self.run("systemctl", "daemon-reload"),
            self.run("rm", "-rf", HOME / deployment.name),
        ]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the units and the folders."""
        unit = _unit(deployment)
        return [
            Resource(f"{unit}.service", "systemd service"),
            Resource(f"{unit}.timer", "systemd timer"),
            Resource(str(HOME / deployment.name), "folder of releases"),
            Resource(f"{STATE}/{unit}", "folder of answers"),
        ]


def _unit(deployment: Deployment) -> str:
    return f"flyweight-batch-{deployment.name}"


def _quoted(word: str) -> str:
    """Write a word of ExecStart: https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines."""
    escaped = re.sub(r'[\\"]', r"\\\g<0>", word).replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w@%$+=:,./*?\[\]-]+", word, re.ASCII) else f'"{escaped}"'


DEPLOYER = Systemd()
