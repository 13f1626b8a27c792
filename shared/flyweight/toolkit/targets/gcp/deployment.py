"""Deploy to Google Cloud with `infra/gcp/deploy.sh`, and query the deployment with `gcloud`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets import script_variables
from flyweight.toolkit.targets.commands import Command, Expanded, command, script, variable
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool
from flyweight.toolkit.targets.gcp.authorization import METHODS
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import read_marker

# The resources that deploy.sh creates besides the service: the variable that requests it, the suffix of its name, its kind
ASKED = (
    ("OWN_ACCOUNT", "", "service account"),
    ("MODEL", "-model", "right to read the model"),
    ("RESULTS", "-results", "right to write results"),
    ("DEAD_LETTERS", "-dead-letters", "right to write dead letters"),
    ("OUTPUT", "-output", "right to write answers to files"),
    ("DOMAIN", "-domain", "domain mapping"),
    ("INVOKERS", "-invokers", "rights to call it"),
    ("TRIGGER_TOPIC", "-topic", "Eventarc trigger"),
    ("TRIGGER_BUCKET", "-bucket", "Eventarc trigger"),
    ("ALERT_CHANNEL", "-errors", "log metric and alert policy"),
    ("BUDGET", "", "budget"),
)
# https://docs.cloud.google.com/run/docs/deploying#service and .../resource-manager/docs/creating-managing-projects
NAMES = Rule(
    "a Cloud Run service", r"[a-z]([a-z0-9-]{0,47}[a-z0-9])?",
    "begin with a small letter, followed by small letters, digits and -, at most 49, the last of which is no -",
)  # fmt: skip
PROJECTS = Rule(
    "a project", r"[a-z][a-z0-9.:-]{0,62}", "begin with a small letter, followed by small letters, digits, -, . and :"
)
LIVE, SINCE = "LIVE", "SINCE"  # shell variables


class Gcp(Deployer):
    """A Cloud Run function of the deployment's name, in the project that `group` names.

    `scripts`: in `infra/`; the last one is run, and its defaults count before those of the others.
    """

    name = "gcp"
    scripts: tuple[str, ...] = ("gcp/deploy.sh",)
    authorizations = METHODS
    name_rule = NAMES
    group_rule = PROJECTS
    region = "europe-west1"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return gcloud."""
        login = command("gcloud", "auth", "print-access-token", *self._project(deployment))
        return [Tool("gcloud", "https://cloud.google.com/sdk/docs/install", login, "gcloud auth login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Run the script, then send all traffic to the newest revision, because a `rollback` may have pinned it to another."""
        return [script(self._script(deployment), self._variables(deployment)), self._traffic(deployment, "--to-latest")]

    def url(self, deployment: Deployment) -> Command:
        """Read the service's URL."""
        return self._describe(deployment, "value(status.url)")

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the revision that receives the traffic."""
        return [self._describe(deployment, "value(status.traffic[0].revisionName)")]

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the project, if it is named, and the region."""
        return tuple(part for part in (deployment.group, deployment.region or self.region) if part)

    def account(self, deployment: Deployment) -> list[Command]:
        """Read the project of gcloud's settings, unless the deployment names one."""
        return [] if deployment.group else [command("gcloud", "config", "get-value", "project")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the newest of the revisions that are older than the one with the traffic.

        `--limit` would not do: gcloud then reads that many revisions, and sorts them afterwards.
        """
        (live,) = self.live_label(deployment)
        revisions = ("gcloud", "run", "revisions")
        where = self._where(deployment)
        since = command(*revisions, "describe", variable(LIVE), *where, "--format=value(metadata.creationTimestamp)", into=SINCE)
        listed = command(
            *revisions, "list", f"--service={deployment.name}", *where,
            Expanded("--filter=metadata.creationTimestamp<$SINCE"), "--sort-by=~metadata.creationTimestamp",
            "--format=value(metadata.name)",
        )  # fmt: skip
        return [replace(live, into=LIVE), since, replace(listed, first_line=True)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Send all traffic to the earlier revision, which still exists."""
        return [self._traffic(deployment, type(label)(f"--to-revisions={label}=100"))]

    def authorization(self, deployment: Deployment) -> str:
        """Choose an identity token, unless the script's variable opens the service to everyone."""
        return {"true": "none"}.get(self.settings(deployment).get("PUBLIC", ""), "google")

    def key(self, deployment: Deployment) -> list[Command]:
        """Return no commands: a token must come from the caller."""
        return []

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the service's log."""
        if follow:
            return [command("gcloud", "beta", "run", "services", "logs", "tail", deployment.name, *self._where(deployment))]
        return [
            command(
                "gcloud", "run", "services", "logs", "read", deployment.name, *self._where(deployment), f"--freshness={since}"
            )
        ]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the service's condition, revision and traffic."""
        shown = "value(metadata.name,status.conditions[0].type,status.conditions[0].status,status.latestReadyRevisionName)"
        return [self._describe(deployment, shown)]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the service with its revisions, triggers and identities; images and the project's own resources are kept."""
        return [script(self._script(deployment), self.settings(deployment), "--destroy")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the service, the resources that Google creates for it, and those that the variables request."""
        settings = self.settings(deployment)
        return [
            Resource(deployment.name, "Cloud Run service", f"public={settings.get('PUBLIC', '')}"),
            Resource(f"{deployment.name}-00001", "Cloud Run revision, one a deployment"),
            Resource("cloud-run-source-deploy", "Artifact Registry repository", "if the project has none"),
            Resource("run-sources", "Cloud Storage bucket for sources", "if the project has none"),
            *[
                Resource(f"{deployment.name}{suffix}", kind, name)
                for name, suffix, kind in ASKED
                if settings.get(name) not in ("", "false", None)
            ],
        ]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Read the script's variables."""
        return {**self._defaults(deployment), **self._given(deployment)}

    def _variables(self, deployment: Deployment) -> dict[str, str]:
        """Return a value for every variable of the script, so that this process's environment does not change the deployment.

        :raises DeployFailed: the script has no such variable, or the folder was built for another Python.
        """
        defaults = self._defaults(deployment)
        script_variables.refuse_unknown(deployment.parameters, defaults, self.scripts)
        built = str(read_marker(deployment.folder)["runtime"])
        if deployment.parameters.get("PYTHON", built) != built:
            message = f"{deployment.folder} was built for Python {built}, not {deployment.parameters['PYTHON']}"
            raise DeployFailed(message, "omit --set PYTHON, or build another folder")
        return {**defaults, "PYTHON": built, **self._given(deployment)}

    def _defaults(self, deployment: Deployment) -> dict[str, str]:
        return script_variables.defaults([deployment.infra / path for path in self.scripts])

    def _script(self, deployment: Deployment) -> Path:
        return deployment.infra / self.scripts[-1]

    def _given(self, deployment: Deployment) -> dict[str, str]:
        fixed = {"NAME": deployment.name, "SOURCE": str(deployment.folder), "REGION": deployment.region or self.region}
        labels = ",".join(f"{name}={value}" for name, value in deployment.tags.items())
        given = {"PROJECT": deployment.group, "LABELS": labels}
        return {**fixed, **{name: value for name, value in given.items() if value}, **deployment.parameters}

    def _describe(self, deployment: Deployment, shown: str) -> Command:
        return command("gcloud", "run", "services", "describe", deployment.name, *self._where(deployment), f"--format={shown}")

    def _traffic(self, deployment: Deployment, to: str) -> Command:
        return command("gcloud", "run", "services", "update-traffic", deployment.name, *self._where(deployment), to, "--quiet")

    def _where(self, deployment: Deployment) -> list[str]:
        return [f"--region={deployment.region or self.region}", *self._project(deployment)]

    def _project(self, deployment: Deployment) -> list[str]:
        return [f"--project={deployment.group}"] if deployment.group else []


DEPLOYER = Gcp()
