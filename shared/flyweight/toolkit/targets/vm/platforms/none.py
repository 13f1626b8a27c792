"""Deploy to machines that are there: to this one, or by ssh to those that `--group USER@HOST,USER@HOST` names."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.vm.release import HOME, packed

DEFAULTS = {"address": "", "domain": ""}  # the parameters, as install.sh explains them
HOSTS = Rule(
    "a machine", r"[A-Za-z0-9_][A-Za-z0-9_.@-]*(,[A-Za-z0-9_][A-Za-z0-9_.@-]*)*",
    "begin with a letter or digit: USER@HOST, or a name from ~/.ssh/config; several have a comma between",
)  # fmt: skip
RULES = {
    "address": Rule(
        "an address", r"((\d{1,3}\.){3}\d{1,3}:|\[[0-9a-f:]+\]:)?\d{1,5}", "write 127.0.0.1:8080, or 8080 for every address"
    ),
    "domain": Rule("a domain", r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "use small letters, digits, . and -"),
}


class Machines(Deployer):
    """A systemd service of the deployment's name on each machine, updated one after the other.

    `home`: a machine's folder of models; `unit`: the service's template; `defaults` and `rules`: of the parameters, whose values
    are the words of install.sh after the name, and `platform` says of which platform they are.
    """

    name = "vm"
    group_rule = HOSTS
    home, unit = HOME, "flyweight@"
    platform = ("cloud", "none")
    defaults: Mapping[str, str] = DEFAULTS
    rules: Mapping[str, Rule] = RULES

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return what reaches the machines; for each of them, whether it may act as root there."""
        if not deployment.group:
            return [Tool("sudo", "https://www.sudo.ws", command("sudo", "-n", "true"), "login: sudo -v")]
        tools = [Tool("scp", "OpenSSH's client")]
        for host in _hosts(deployment):
            sign_in = f"make the login work without a question: ssh {host} sudo true"
            tools.append(Tool("ssh", "OpenSSH's client", command("ssh", host, "sudo", "-n", "true"), sign_in))
        return tools

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Copy the release to each machine, check it there, and make it live, as install.sh in it does.

        :raises DeployFailed: a parameter is unknown, or has a value with no meaning.
        """
        path, release = packed(deployment)
        options = self._options(deployment)
        return [
            one for host in _hosts(deployment) for one in self._installed(deployment.name, host, str(path), release, options)
        ]  # fmt: skip

    def url(self, deployment: Deployment) -> Command:
        """Read where the service answers; from another machine that is the proxy's address alone."""
        file = f"{self.home}/{deployment.name}/url"
        host = _hosts(deployment)[0]
        return _on(host, "sed", "-n", "/^https/p", file) if host else _on(host, "cat", file)

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the machines."""
        return ("none", deployment.group)

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read where the link `current` leads on the first machine."""
        return [_on(_hosts(deployment)[0], "readlink", f"{self.home}/{deployment.name}/current")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read where the link `previous` leads on the first machine."""
        return [_on(_hosts(deployment)[0], "readlink", f"{self.home}/{deployment.name}/previous")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Make the earlier release live again on each machine, where its folder still is."""
        script = type(label)(f"{self.home}/{deployment.name}/{label}/install.sh")
        return [_on(host, "sh", script, deployment.name) for host in _hosts(deployment)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the service's lines in the journal of each machine.

        :raises DeployFailed: several machines can't be followed at once.
        """
        hosts = _hosts(deployment)
        if follow and len(hosts) > 1:
            raise DeployFailed("--follow shows one machine at a time", f"name it: --group {hosts[0]}")
        options = [f"--unit={self.unit}{deployment.name}.service", f"--since=-{since}", "--no-pager", "--output=cat"]
        return [_on(host, "journalctl", *options, *(["--follow"] if follow else [])) for host in hosts]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the live release, which fails where nothing was deployed, and the state of the service on each machine."""
        shown = ["--property=ActiveState", "--property=SubState", "--property=StateChangeTimestamp", "--value"]
        unit = f"{self.unit}{deployment.name}.service"
        return [*self.live_label(deployment), *[_on(host, "systemctl", "show", unit, *shown) for host in _hosts(deployment)]]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the service and its releases from each machine."""
        script = f"{self.home}/{deployment.name}/current/remove.sh"
        return [_on(host, "sh", script, deployment.name) for host in _hosts(deployment)]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what install.sh makes on each machine."""
        site = (
            [Resource(f"flyweight-{deployment.name}.conf", "nginx site", "domain")] if deployment.parameters.get("domain") else []
        )
        return [
            Resource(f"flyweight@{deployment.name}.socket", "systemd socket"),
            Resource(f"{self.unit}{deployment.name}.service", "systemd service"),
            Resource(f"{self.home}/{deployment.name}", "folder of releases"),
            *site,
        ]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters, and the platform that they are of."""
        return {**dict([self.platform]), **self.defaults, **deployment.parameters}

    def _options(self, deployment: Deployment) -> list[str]:
        """Return the words for install.sh after the name.

        :raises DeployFailed: a parameter is unknown, or has a value with no meaning.
        """
        if deployment.tags:
            raise DeployFailed("machines that are there have no tags", "leave out --tag")
        for name, value in deployment.parameters.items():
            if name not in self.defaults:
                near = "".join(f" ({one}?)" for one in get_close_matches(name, self.defaults, 1))
                raise DeployFailed(f"there is no parameter {name}{near}", f"choose one of {', '.join(self.defaults)}")
            self.rules[name].check(value)
        first, *more = (deployment.parameters.get(name, "") for name in self.defaults)
        return [word for word in (first or "-" * any(more), *more) if word]

    def _installed(self, name: str, host: str, path: str, release: str, options: list[str]) -> list[Command]:
        folder, there = f"{self.home}/{name}/{release}", f"flyweight-{release}.zip" if host else path
        sent = [command("scp", "-q", path, f"{host}:{there}")] if host else []
        unpacked = [
            _checked(host, release, there),
            _on(host, "mkdir", "-p", folder),
            _on(host, "python3", "-m", "zipfile", "-e", there, folder),
            _on(host, "sh", f"{folder}/install.sh", name, *options),
        ]
        return [*sent, *unpacked, *([command("ssh", host, "rm", there)] if host else [])]


def _hosts(deployment: Deployment) -> list[str]:
    """List the machines, [""] for this one alone."""
    return deployment.group.split(",")


def _checked(host: str, release: str, file: str) -> Command:
    """Return the command that compares a file with its sha256; ssh has the shell there read its line once more."""
    line = f'echo "{release}  {file}" | sha256sum --check'
    return command("ssh", host, line) if host else _on(host, "sh", "-c", line)


def _on(host: str, *words: str) -> Command:
    """Return a command as root on a machine, by ssh unless it is this one."""
    return command(*(["ssh", host] if host else []), "sudo", *words)


DEPLOYER = Machines()
