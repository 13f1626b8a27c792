"""Deploy to an endpoint of Vertex AI with `infra/vertex/deploy.sh`, and query it with `gcloud ai`.

Each release is a version of a model, and a deployed model of the endpoint with the version's number. The endpoint's labels `live`
and `before` say which version was chosen last, and which one before it.
"""

from __future__ import annotations

from flyweight.toolkit.targets import script_variables
from flyweight.toolkit.targets.commands import Command, command, script
from flyweight.toolkit.targets.deployment import Deployment, Question, Resource
from flyweight.toolkit.targets.gcp.deployment import Gcp
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.vertex.authorization import METHODS

# https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/create: endpointId; a label takes 63
NAMES = Rule(
    "an endpoint", r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
    "begin with a small letter, followed by small letters, digits and -, at most 63, the last of which is no -",
)  # fmt: skip
# What deploy.sh makes besides the endpoint: the variable that asks for it, the suffix of its name, its kind
ASKED = (
    ("OWN_ACCOUNT", "", "service account"),
    ("MODEL", "-model", "right to read the model"),
    ("INVOKERS", "_caller", "role that may ask for predictions, and rights of it"),
)


class Vertex(Gcp):
    """An endpoint of the deployment's name, in the project that `group` names."""

    name = "vertex"
    scripts = ("vertex/deploy.sh",)
    authorizations = METHODS
    name_rule = NAMES

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Run the script: push the image, make a version of the model, deploy it and give it the traffic.

        :raises DeployFailed: the script has no such variable.
        """
        script_variables.refuse_unknown(deployment.parameters, self._defaults(deployment), self.scripts)
        return [script(self._script(deployment), self.settings(deployment))]

    def url(self, deployment: Deployment) -> Command:
        """Read the endpoint's resource name, and write its URL in the API of its region."""
        host = f"{deployment.region or self.region}-aiplatform.googleapis.com"
        return self._describe(deployment, f'value(format("https://{host}/v1/{{0}}",name))')

    def question(self, deployment: Deployment) -> Question:
        """Return how the API is asked: it passes on predictions alone."""
        return Question(predict=":predict", ready="", model="")

    def call(self, deployment: Deployment) -> Command:
        """Send a file with gcloud."""
        return command("gcloud", "ai", "endpoints", "predict", *self._which(deployment), "--json-request=REQUEST.json")

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the label that is changed together with the traffic."""
        return [self._describe(deployment, "value(labels.live)")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the label of the version that was chosen before; going back removes it."""
        return [self._describe(deployment, "value(labels.before)")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Send all traffic to another version, which is still deployed; the next deployment undeploys the one gone back from."""
        traffic = type(label)(f"--traffic-split={label}=100")
        labels = [type(label)(f"--update-labels=live={label}"), "--remove-labels=before"]
        return [command("gcloud", "ai", "endpoints", "update", *self._which(deployment), traffic, *labels)]

    def authorization(self, deployment: Deployment) -> str:
        """Name the method with an access token: Vertex AI lets nobody in without one."""
        return "google-access"

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read what the containers of the endpoint wrote."""
        entries = f'resource.type="aiplatform.googleapis.com/Endpoint" AND resource.labels.endpoint_id="{deployment.name}"'
        shown = ("--format=value(timestamp,severity,jsonPayload.message,textPayload)", *self._project(deployment))
        if follow:
            return [command("gcloud", "beta", "logging", "tail", entries, *shown)]
        return [command("gcloud", "logging", "read", entries, f"--freshness={since}", "--order=asc", *shown)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the endpoint's name, the version that was chosen, and the traffic of each."""
        return [self._describe(deployment, "value(displayName,labels.live,trafficSplit)")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the image's repository, the model and the endpoint with its machines, and what the variables request."""
        settings = self.settings(deployment)
        replicas = f"{settings.get('MIN_REPLICAS')} to {settings.get('MAX_REPLICAS')} machines {settings.get('MACHINE_TYPE')}"
        return [
            Resource(settings.get("REPOSITORY", ""), "Artifact Registry repository", "if the project has none"),
            Resource(deployment.name, "Vertex AI model, with a version a deployment"),
            Resource(deployment.name, "Vertex AI endpoint"),
            Resource(f"{deployment.name}-1", f"deployed model, {replicas}"),
            *[
                Resource(f"{deployment.name}{suffix}", kind, name)
                for name, suffix, kind in ASKED
                if settings.get(name) not in ("", "false", None)
            ],
        ]

    def _describe(self, deployment: Deployment, shown: str) -> Command:
        return command("gcloud", "ai", "endpoints", "describe", *self._which(deployment), f"--format={shown}")

    def _which(self, deployment: Deployment) -> list[str]:
        return [deployment.name, *self._where(deployment)]


DEPLOYER = Vertex()
