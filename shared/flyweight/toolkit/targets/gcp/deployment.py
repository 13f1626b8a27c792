"""Google Cloud: the commands of `infra/gcp/deploy.sh`, by `gcloud`."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from pathlib import Path

from flyweight.toolkit.building.folder import MARKER
from flyweight.toolkit.deploying.commands import Command, command, script
from flyweight.toolkit.targets.deployment import DeployFailed, Deployment, Resource, Tool

# What deploy.sh makes besides the service: the variable that asks for it, what follows the service's name, the kind
ASKED = (
    ("OWN_ACCOUNT", "", "service account"),
    ("MODEL", "-model", "right to read the model"),
    ("RESULTS", "-results", "right to write results"),
    ("DEAD_LETTERS", "-dead-letters", "right to write dead letters"),
    ("OUTPUT", "-output", "right to write answers to files"),
    ("INVOKERS", "-invokers", "rights to call it"),
    ("TRIGGER_TOPIC", "-topic", "Eventarc trigger"),
    ("TRIGGER_BUCKET", "-bucket", "Eventarc trigger"),
    ("ALERT_CHANNEL", "-errors", "log metric and alert policy"),
    ("BUDGET", "", "budget"),
)


class Gcp:
    """A Cloud Run function of the place's name, in the project that is the place's group."""

    name = "gcp"
    region = "europe-west1"

    def tools(self, place: Deployment) -> list[Tool]:
        """One tool does it all."""
        who = command("gcloud", "auth", "print-access-token", *self._project(place))
        return [Tool("gcloud", "https://cloud.google.com/sdk/docs/install", who, "gcloud auth login")]

    def deploy(self, place: Deployment) -> list[Command]:
        """The script; then all traffic to the newest, which an earlier `rollback` may have pinned elsewhere."""
        return [script(_source(place), self._variables(place)), self._traffic(place, "--to-latest")]

    def url(self, place: Deployment) -> Command:
        """The service's own URL."""
        return self._describe(place, "value(status.url)")

    def live(self, place: Deployment) -> list[Command]:
        """The revision that has the traffic."""
        return [self._describe(place, "value(status.traffic[0].revisionName)")]

    def back(self, place: Deployment, label: str) -> list[Command]:
        """All traffic to the earlier revision, which is still there."""
        return [self._traffic(place, f"--to-revisions={label}=100")]

    def authorization(self, place: Deployment) -> str:
        """An identity token, unless the script's variable lets anyone in."""
        return {"true": "none"}.get(self.settings(place).get("PUBLIC", ""), "google")

    def key(self, place: Deployment) -> list[Command]:
        """A token is the caller's own."""
        return []

    def logs(self, place: Deployment, since: str, follow: bool) -> list[Command]:
        """The service's log."""
        if follow:
            return [command("gcloud", "beta", "run", "services", "logs", "tail", place.name, *self._where(place))]
        return [command("gcloud", "run", "services", "logs", "read", place.name, *self._where(place), f"--freshness={since}")]

    def status(self, place: Deployment) -> list[Command]:
        """Condition, revision and traffic."""
        shown = "value(metadata.name,status.conditions[0].type,status.conditions[0].status,status.latestReadyRevisionName)"
        return [self._describe(place, shown)]

    def destroy(self, place: Deployment) -> list[Command]:
        """The service with all its revisions, its triggers and identities; images and what is the project's own stay."""
        return [script(_source(place), {**_defaults(place), **self._given(place)}, "--destroy")]

    def creates(self, place: Deployment) -> list[Resource]:
        """The service, what Google makes on the way, and what the variables ask for."""
        told = self.settings(place)
        return [
            Resource(place.name, "Cloud Run service", f"public={told.get('PUBLIC', '')}"),
            Resource(f"{place.name}-00001", "Cloud Run revision, one a deployment"),
            Resource("cloud-run-source-deploy", "Artifact Registry repository", "the project has none"),
            Resource("run-sources", "Cloud Storage bucket for sources", "the project has none"),
            *[
                Resource(f"{place.name}{suffix}", kind, name)
                for name, suffix, kind in ASKED
                if told.get(name) not in ("", "false", None)
            ],
        ]

    def settings(self, place: Deployment) -> dict[str, str]:
        """The script's variables."""
        return {**_defaults(place), **self._given(place)}

    def _variables(self, place: Deployment) -> dict[str, str]:
        """All that the script reads, so that what else the environment has by such a name changes nothing.

        :raises DeployFailed: it reads no such variable, or the folder was built for another Python.
        """
        defaults = _defaults(place)
        for name in place.parameters:
            if name not in defaults:
                near = get_close_matches(name, defaults)
                hint = f" ({', '.join(near)}?)" if near else ""
                raise DeployFailed(f"the script has no variable {name}{hint}", "the head of infra/gcp/deploy.sh explains them")
        built = str(json.loads((place.folder / MARKER).read_text())["runtime"])
        if place.parameters.get("PYTHON", built) != built:
            told = f"{place.folder} was built for Python {built}, not {place.parameters['PYTHON']}"
            raise DeployFailed(told, "leave out --set PYTHON, or build another folder")
        return {**defaults, "PYTHON": built, **self._given(place)}

    def _given(self, place: Deployment) -> dict[str, str]:
        fixed = {"NAME": place.name, "SOURCE": str(place.folder), "REGION": place.region or self.region}
        return {**fixed, **({"PROJECT": place.group} if place.group else {}), **place.parameters}

    def _describe(self, place: Deployment, shown: str) -> Command:
        return command("gcloud", "run", "services", "describe", place.name, *self._where(place), f"--format={shown}")

    def _traffic(self, place: Deployment, to: str) -> Command:
        return command("gcloud", "run", "services", "update-traffic", place.name, *self._where(place), to, "--quiet")

    def _where(self, place: Deployment) -> list[str]:
        return [f"--region={place.region or self.region}", *self._project(place)]

    def _project(self, place: Deployment) -> list[str]:
        return [f"--project={place.group}"] if place.group else []


def _defaults(place: Deployment) -> dict[str, str]:
    return dict(re.findall(r'"\$\{([A-Z_]+):=([^}]*)\}"', _source(place).read_text()))


def _source(place: Deployment) -> Path:
    return place.infra / "gcp" / "deploy.sh"


target = Gcp()
