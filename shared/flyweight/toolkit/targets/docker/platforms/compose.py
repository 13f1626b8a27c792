"""Deploy to one machine's Docker with `infra/docker/compose.yaml`: an image that is built there or named."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool
from flyweight.toolkit.targets.docker.package import PACKAGE
from flyweight.toolkit.targets.docker.reference import NAME
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import PackageSpec, read_marker

IMAGE = "IMAGE"  # the variable of compose.yaml that tells one release from another
VARIABLE = r"\$\{([A-Z_]+)(?::-([^}]*))?[^}]*\}"  # of a file for Compose, and its default
# https://docs.docker.com/reference/compose-file/version-and-name/#name-top-level-element
PROJECTS = Rule(
    "a project of Compose", r"[a-z0-9][a-z0-9_-]{0,62}", "begin with a small letter or digit, followed by those, _ and -"
)
URL = 'http://127.0.0.1:{{(index (index .NetworkSettings.Ports "8080/tcp") 0).HostPort}}'


class Compose(Deployer):
    """A project of Docker Compose of the deployment's name, on the machine that docker's context names.

    `platform`: its name among the target's platforms; `package`: the layout of the folder.
    """

    name = "docker"
    platform = "compose"
    package: PackageSpec = PACKAGE
    name_rule = PROJECTS

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return docker with its plugin."""
        asked = command(*self._docker(deployment), "compose", "ls")
        sign_in = "start Docker, install its plugin docker-compose-plugin, and for a registry of yours: docker login"
        return [Tool("docker", "https://docs.docker.com/engine/install", asked, sign_in)]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Build the image, unless one is named, and start it; the command waits until it is ready.

        :raises DeployFailed: a parameter is unknown, or the image's name is not valid.
        """
        image, build = self._checked(deployment)[IMAGE], []
        if not image:
            marker = read_marker(deployment.folder)
            image = f"flyweight/{deployment.name}:{marker['sha256'][:12]}"
            labels = [word for name, value in deployment.tags.items() for word in ("--label", f"{name}={value}")]
            dockerfile = self._dockerfile(deployment, marker["runtime"])
            build = [
                command(*self._docker(deployment), "build", "--tag", image, *labels, "--file", dockerfile, deployment.folder)
            ]
        return [*build, self._up(deployment, image)]

    def url(self, deployment: Deployment) -> Command:
        """Read the port of this machine that leads to the container."""
        return self._inspect(deployment, URL)

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the platform, and docker's context if `group` names one."""
        return (self.platform, deployment.group)

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the container's image."""
        return [self._inspect(deployment, "{{.Config.Image}}")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Start the earlier image, which is on the machine still."""
        return [self._up(deployment, label)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the container's output."""
        options = ["--no-log-prefix", "--since", since, *(["--follow"] if follow else [])]
        return [command(*self._compose(deployment), "logs", *options)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the container's state and health."""
        return [self._inspect(deployment, "{{.Config.Image}} {{.State.Status}} {{.State.Health.Status}}")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the container and its network; images are kept."""
        return [command(*self._compose(deployment), "down")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what Compose makes."""
        return [Resource(f"{deployment.name}-model-1", "container"), Resource(f"{deployment.name}_default", "network")]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the variables of the file for Compose, and the platform that they are of."""
        found = re.findall(VARIABLE, self._file(deployment).read_text(encoding="utf-8"))
        return {"platform": self.platform, **dict(found), **deployment.parameters}

    def _checked(self, deployment: Deployment) -> dict[str, str]:
        """Return the variables.

        :raises DeployFailed: the file has no such variable, or the image's name is not valid.
        """
        known = self.settings(Deployment(infra=deployment.infra))
        for name in deployment.parameters:
            if name not in known:
                near = "".join(f" ({one}?)" for one in get_close_matches(name, known, 1))
                raise DeployFailed(f"compose.yaml has no variable {name}{near}", f"choose one of {', '.join([*known][1:])}")
        if deployment.parameters.get(IMAGE):
            NAME.check(deployment.parameters[IMAGE])
        return self.settings(deployment)

    def _up(self, deployment: Deployment, image: str) -> Command:
        given = [f"{name}={value}" for name, value in deployment.parameters.items() if name != IMAGE]
        words = ["--file", str(self._file(deployment)), "up", "--detach", "--wait"]
        return command("env", type(image)(f"{IMAGE}={image}"), *given, *self._compose(deployment), *words)

    def _file(self, deployment: Deployment) -> Path:
        return deployment.infra / self.name / "compose.yaml"

    @classmethod
    def _dockerfile(cls, deployment: Deployment, python: str) -> Path:
        """Write the Dockerfile of the folder, which has its packages in it, to the work folder."""
        assert cls.package.dockerfile is not None
        deployment.work.mkdir(parents=True, exist_ok=True)
        path = deployment.work / f"{deployment.name}.Dockerfile"
        path.write_text(cls.package.dockerfile(python, False), encoding="utf-8")
        return path

    def _compose(self, deployment: Deployment) -> list[str]:
        return [*self._docker(deployment), "compose", "--project-name", deployment.name]

    def _inspect(self, deployment: Deployment, shown: str) -> Command:
        return command(*self._docker(deployment), "inspect", "--format", shown, f"{deployment.name}-model-1")

    @staticmethod
    def _docker(deployment: Deployment) -> list[str]:
        return ["docker", *(["--context", deployment.group] if deployment.group else [])]


DEPLOYER = Compose()
