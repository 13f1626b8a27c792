"""Google Cloud: the commands of `infra/gcp/deploy.sh`, by `gcloud`."""

from __future__ import annotations

import re
from pathlib import Path

from flyweight.toolkit import resources
from flyweight.toolkit.deploying.commands import Command, command, script
from flyweight.toolkit.deploying.target import Piece, Place, Tool


class Gcp:
    """A Cloud Run function of the place's name, in the project that is the place's group."""

    name = "gcp"
    region = "europe-west1"

    def tools(self, place: Place) -> list[Tool]:
        """One tool does it all."""
        who = command("gcloud", "auth", "print-access-token", *self._project(place))
        return [Tool("gcloud", "https://cloud.google.com/sdk/docs/install", who, "gcloud auth login")]

    def deploy(self, place: Place) -> list[Command]:
        """The script; then all traffic to the newest, which an earlier `rollback` may have pinned elsewhere."""
        return [script(_source(), self._variables(place)), self._traffic(place, "--to-latest")]

    def url(self, place: Place) -> Command:
        """The service's own URL."""
        return self._describe(place, "value(status.url)")

    def live(self, place: Place) -> list[Command]:
        """The revision that has the traffic."""
        return [self._describe(place, "value(status.traffic[0].revisionName)")]

    def back(self, place: Place, label: str) -> list[Command]:
        """All traffic to the earlier revision, which is still there."""
        return [self._traffic(place, f"--to-revisions={label}=100")]

    def authorization(self, place: Place) -> str:
        """An identity token, unless the script's variable lets anyone in."""
        return {"true": "none"}.get(self.settings(place).get("PUBLIC", ""), "google")

    def key(self, place: Place) -> list[Command]:
        """A token is the caller's own."""
        return []

    def logs(self, place: Place, since: str, follow: bool) -> list[Command]:
        """The service's log."""
        if follow:
            return [command("gcloud", "beta", "run", "services", "logs", "tail", place.name, *self._where(place))]
        return [command("gcloud", "run", "services", "logs", "read", place.name, *self._where(place), f"--freshness={since}")]

    def status(self, place: Place) -> list[Command]:
        """Condition, revision and traffic."""
        shown = "table(metadata.name,status.conditions[0].status,status.latestReadyRevisionName,status.traffic[].percent)"
        return [self._describe(place, shown)]

    def destroy(self, place: Place) -> list[Command]:
        """The service with all its revisions; the images that were built for it stay in Artifact Registry."""
        return [command("gcloud", "run", "services", "delete", place.name, *self._where(place), "--quiet")]

    def creates(self, place: Place) -> list[Piece]:
        """The service, and what Google makes on the way."""
        access = self.settings(place).get("PUBLIC", "")
        return [
            Piece(place.name, "Cloud Run service", f"public={access}"),
            Piece(f"{place.name}-00001", "Cloud Run revision, one a deployment"),
            Piece("cloud-run-source-deploy", "Artifact Registry repository", "the project has none"),
            Piece("run-sources", "Cloud Storage bucket for sources", "the project has none"),
        ]

    def settings(self, place: Place) -> dict[str, str]:
        """The script's variables."""
        text = _source().read_text()
        defaults = dict(re.findall(r'"\$\{([A-Z_]+):=([^}]*)\}"', text))
        return {**defaults, **self._variables(place)}

    def _variables(self, place: Place) -> dict[str, str]:
        fixed = {"NAME": place.name, "SOURCE": str(place.folder), "REGION": place.region or self.region}
        return {**fixed, **({"PROJECT": place.group} if place.group else {}), **place.parameters}

    def _describe(self, place: Place, shown: str) -> Command:
        return command("gcloud", "run", "services", "describe", place.name, *self._where(place), f"--format={shown}")

    def _traffic(self, place: Place, to: str) -> Command:
        return command("gcloud", "run", "services", "update-traffic", place.name, *self._where(place), to, "--quiet")

    def _where(self, place: Place) -> list[str]:
        return [f"--region={place.region or self.region}", *self._project(place)]

    def _project(self, place: Place) -> list[str]:
        return [f"--project={place.group}"] if place.group else []


def _source() -> Path:
    return resources.folder("infra") / "gcp" / "deploy.sh"


target = Gcp()
