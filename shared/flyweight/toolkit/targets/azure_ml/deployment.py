"""Deploy to a managed online endpoint of Azure ML with `infra/azure_ml/deploy.sh`, and query it with `az ml`.

https://learn.microsoft.com/cli/azure/ml/online-endpoint and .../online-deployment
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets import script_variables
from flyweight.toolkit.targets.authorization import AuthorizationMethod, in_header
from flyweight.toolkit.targets.commands import Command, command, script, variable
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Question, Resource, Tool
from flyweight.toolkit.targets.naming import Rule

SCRIPT = "azure_ml/deploy.sh"
LIVE = "LIVE"  # the shell variable with the deployment that has the traffic
KIND = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
# https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas#azure-machine-learning-online-endpoints-and-batch-endpoints
NAMES = Rule(
    "an online endpoint", r"[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]",
    "begin with a letter, followed by letters, digits and -, 3 to 32, the last of which is no -",
)  # fmt: skip
GROUP = r"[A-Za-z0-9_(](?:[A-Za-z0-9_.()-]{0,88}[A-Za-z0-9_()-])?"
WORKSPACE = r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}"
GROUPS = Rule(
    "a resource group and a workspace", rf"{GROUP}(?::{WORKSPACE})?|:{WORKSPACE}",
    "begin with a letter or digit, as GROUP:WORKSPACE, GROUP or :WORKSPACE; a group has letters, digits, _, ., -, ( and ), a "
    "workspace 3 to 33 letters, digits, - and _",
)  # fmt: skip


class AzureMl(Deployer):
    """An endpoint of the deployment's name; each release is a deployment of it.

    `group` is GROUP:WORKSPACE, the resource group and the workspace; what is left out is the Azure CLI's own default.
    """

    name = "azure_ml"
    authorizations: tuple[AuthorizationMethod, ...] = (
        AuthorizationMethod(
            "azure_ml",
            lambda asked: in_header("authorization", asked.key and f"Bearer {asked.key}", "the endpoint's key or token"),
            r"\.inference\.ml\.azure\.com$",
        ),
    )
    name_rule = NAMES
    group_rule = GROUPS

    def choose_client(self, client: str) -> str:
        """Choose by the script's variable."""
        return f"CLIENT={client}"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the Azure CLI, which installs its extension `ml` at first use."""
        login = command("az", "account", "get-access-token", "--output", "none")
        return [Tool("az", "https://learn.microsoft.com/cli/azure/install-azure-cli", login, "az login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Run the script, which makes the next release and gives it the traffic.

        :raises DeployFailed: the script has no such variable, or the workspace is not named where the other verbs look for it.
        """
        if "WORKSPACE" in deployment.parameters:
            raise DeployFailed("the workspace is a part of the place", f"--group GROUP:{deployment.parameters['WORKSPACE']}")
        known = self._defaults(deployment)
        script_variables.refuse_unknown(deployment.parameters, known, [SCRIPT])
        return [script(deployment.infra / SCRIPT, self.settings(deployment))]

    def url(self, deployment: Deployment) -> Command:
        """Read the address that takes predictions; it ends in /score."""
        return self._endpoint(deployment, "scoring_uri")

    def question(self, deployment: Deployment) -> Question:
        """Return how the address is asked: by the protocol of Azure ML, which passes on predictions alone."""
        return Question(predict="", instances="input_data", predictions="", ready="", model="")

    def call(self, deployment: Deployment) -> Command:
        """Send a file with the command line's own key."""
        words = ["az", "ml", "online-endpoint", "invoke", "--name", deployment.name, *self._where(deployment)]
        return command(*words, "--request-file", "REQUEST.json")

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Name the resource group and the workspace, as far as they are named; Azure reads capital letters as small ones."""
        return (deployment.group.lower(),)

    def account(self, deployment: Deployment) -> list[Command]:
        """Read the subscription that the CLI works for."""
        return [command("az", "account", "show", "--query", "id", "--output", "tsv")]

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the tag that is changed together with the traffic."""
        return [self._endpoint(deployment, "tags.live")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the tag of the live release that names the one before it."""
        words = ["az", "ml", "online-deployment", "show", "--name", variable(LIVE), *self._of(deployment)]
        return [self._live(deployment), command(*words, "--query", "tags.before", "--output", "tsv")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Give all traffic to another release, which is still there."""
        words = ["az", "ml", "online-endpoint", "update", "--name", deployment.name, *self._where(deployment)]
        return [command(*words, "--traffic", type(label)(f"{label}=100"), "--set", type(label)(f"tags.live={label}"))]

    def authorization(self, deployment: Deployment) -> str:
        """Name the method that sends the key or the token."""
        return "azure_ml"

    def key(self, deployment: Deployment) -> list[Command]:
        """Read the key, or under AUTH=aad_token a token of the caller's own."""
        words = ["az", "ml", "online-endpoint", "get-credentials", "--name", deployment.name, *self._where(deployment)]
        return [command(*words, "--query", "primaryKey || accessToken", "--output", "tsv")]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the last lines of the live release's containers; `az` knows no times and follows no log."""
        words = ["az", "ml", "online-deployment", "get-logs", "--name", variable(LIVE), *self._of(deployment)]
        return [self._live(deployment), command(*words, "--lines", "1000")]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the endpoint's state and the release that has the traffic."""
        return [self._endpoint(deployment, "[name,provisioning_state,tags.live,scoring_uri]")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the endpoint with its releases; the workspace, its registry and its storage account are kept."""
        words = ["az", "ml", "online-endpoint", "delete", "--name", deployment.name, *self._where(deployment)]
        return [command(*words, "--yes")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the endpoint, its next release, and what the workspace keeps for it."""
        settings = self.settings(deployment)
        container = settings.get("CLIENT") == "own"
        kept = [] if container else [Resource(f"{deployment.name}-code", "folder in the workspace's storage account")]
        machines = f"{settings.get('INSTANCE_COUNT', '')} of {settings.get('INSTANCE_TYPE', '')}"
        return [
            Resource(deployment.name, KIND),
            Resource(f"{deployment.name}/release-1", f"{KIND}/deployments, {machines}, one a deployment"),
            *kept,
            Resource(f"{deployment.name}-environment", "Microsoft.MachineLearningServices/workspaces/environments"),
        ]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the script's variables, each with this deployment's value or its default."""
        source = str(deployment.folder if deployment.folder != Path() else Path("build") / self.name)
        labels = ",".join(f"{name}={value}" for name, value in deployment.tags.items())
        group, _, workspace = deployment.group.partition(":")
        given = {"NAME": deployment.name, "SOURCE": source, "GROUP": group, "WORKSPACE": workspace, "TAGS": labels}
        return {**self._defaults(deployment), **given, **deployment.parameters}

    def _defaults(self, deployment: Deployment) -> dict[str, str]:
        return script_variables.defaults([deployment.infra / SCRIPT])

    def _live(self, deployment: Deployment) -> Command:
        return replace(self._endpoint(deployment, "tags.live", "--only-show-errors"), into=LIVE)

    def _endpoint(self, deployment: Deployment, query: str, *options: str) -> Command:
        words = ["az", "ml", "online-endpoint", "show", "--name", deployment.name, *self._where(deployment)]
        return command(*words, "--query", query, *options, "--output", "tsv")

    def _of(self, deployment: Deployment) -> list[str]:
        return ["--endpoint-name", deployment.name, *self._where(deployment)]

    def _where(self, deployment: Deployment) -> list[str]:
        group, _, workspace = deployment.group.partition(":")
        given = {"--resource-group": group, "--workspace-name": workspace}
        return [word for option, value in given.items() if value for word in (option, value)]


DEPLOYER = AzureMl()
