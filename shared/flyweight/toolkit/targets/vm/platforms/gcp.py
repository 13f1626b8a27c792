"""Deploy to Compute Engine with `infra/vm/gcp.sh`: a release in a bucket, and the machines of a managed instance group."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, Expanded, command, script, variable
from flyweight.toolkit.targets.deployment import Deployment, Resource
from flyweight.toolkit.targets.gcp.deployment import LIVE, SINCE, Gcp
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.vm.release import packed, refuse_python

MACHINE = "MACHINE"  # a shell variable
# the group's name is in that of a service account, which has 6 to 30 characters: https://cloud.google.com/iam/docs/service-accounts-create
NAMES = Rule(
    "an instance group", r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
    "begin with a small letter, followed by small letters, digits and -, 6 to 30, the last of which is no -",
)  # fmt: skip
TEMPLATE = "value(versions[0].instanceTemplate.basename())"
MADE = (
    ("service account", ""),
    ("firewall rule", "-callers"),
    ("health check", ""),
    ("managed instance group", ""),
    ("internal load balancer", ""),
)


class ComputeEngine(Gcp):
    """A managed instance group of the deployment's name, in the project that `group` names; a release is an instance template."""

    name = "vm"
    scripts = ("vm/gcp.sh",)
    name_rule = NAMES

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Upload the release, and run the script with it.

        :raises DeployFailed: a variable is missing, or the folder's packages are for another Python than the machines'.
        """
        refuse_python(deployment.folder)
        missing = [name for name in ("PROJECT", "BUCKET") if not self.settings(deployment).get(name)]
        if missing:
            words = [{"PROJECT": "--group PROJECT"}.get(name, f"--set {name}=...") for name in missing]
            raise DeployFailed(f"a deployment to Compute Engine needs {' and '.join(missing)}", f"add {' '.join(words)}")
        path, release = packed(deployment)
        variables = self._variables(deployment) | {"RELEASE": release}
        to = f"gs://{variables['BUCKET']}/{deployment.name}/{release}.zip"
        upload = command("gcloud", "storage", "cp", path, to, *self._project(deployment))
        return [upload, script(self._script(deployment), variables)]

    def url(self, deployment: Deployment) -> Command:
        """Read the load balancer's address, and write it as a URL."""
        words = ["gcloud", "compute", "forwarding-rules", "describe", deployment.name, *self._where(deployment)]
        return command(*words, '--format=value(format("http://{0}:8080", IPAddress))')

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the platform, the project and the region."""
        return ("gcp", *super().place(deployment))

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the group's instance template."""
        return [self._group_of(deployment, "describe", deployment.name, f"--format={TEMPLATE}")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the newest of the templates that are older than the group's."""
        templates = ("gcloud", "compute", "instance-templates")
        project = self._project(deployment)
        (live,) = self.live_label(deployment)
        since = command(*templates, "describe", variable(LIVE), *project, "--format=value(creationTimestamp)", into=SINCE)
        older = Expanded(f"--filter=name~^{deployment.name}-[0-9a-f]{{12}} AND creationTimestamp<$SINCE")
        listed = command(*templates, "list", *project, older, "--sort-by=~creationTimestamp", "--format=value(name)")
        return [replace(live, into=LIVE), since, replace(listed, first_line=True)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Update the group to the earlier template, and wait for the machines."""
        version = type(label)(f"--version=template={label}")
        surge = ["--max-surge=3", "--max-unavailable=0"]
        return [
            self._group_of(deployment, "rolling-action", "start-update", deployment.name, version, *surge),
            self._group_of(deployment, "wait-until", deployment.name, "--version-target-reached", "--timeout=1200"),
        ]

    def authorization(self, deployment: Deployment) -> str:
        """Return none: who may call is decided by the network."""
        return "none"

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the journal of the group's first machine, by SSH through Google's tunnel."""
        shown = ["--limit=1", "--format=value(instance)"]
        first = replace(self._group_of(deployment, "list-instances", deployment.name, *shown), into=MACHINE)
        line = f"sudo journalctl --unit=flyweight@{deployment.name}.service --since=-{since} --no-pager --output=cat"
        asked = f"--command={line} --follow" if follow else f"--command={line}"
        tunnel = ["--tunnel-through-iap", *self._project(deployment)]
        return [first, command("gcloud", "compute", "ssh", variable(MACHINE), *tunnel, asked)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read whether the group is stable, its size and its template."""
        shown = f"--format=value(name,status.isStable,targetSize,{TEMPLATE[6:]}"
        return [self._group_of(deployment, "describe", deployment.name, shown)]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what the script makes."""
        template = Resource(f"{deployment.name}-RELEASE", "instance template, one a release")
        sessions = [Resource(f"{deployment.name}-sessions", "firewall rule", "SESSIONS")] if self._tunnelled(deployment) else []
        return [*[Resource(f"{deployment.name}{suffix}", kind) for kind, suffix in MADE], *sessions, template]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the script's variables, and the platform that they are of."""
        return {"cloud": "gcp", **super().settings(deployment)}

    def _tunnelled(self, deployment: Deployment) -> bool:
        return self.settings(deployment)["SESSIONS"] == "true"

    def _variables(self, deployment: Deployment) -> dict[str, str]:
        """Return a value for each variable of the script.

        :raises DeployFailed: the script has no such variable.
        """
        return {name: value for name, value in super()._variables(deployment).items() if name not in ("PYTHON", "SOURCE")}

    def _group_of(self, deployment: Deployment, *words: str) -> Command:
        return command("gcloud", "compute", "instance-groups", "managed", *words, *self._where(deployment))


DEPLOYER = ComputeEngine()
