"""Deploy to Azure virtual machines: a release in a container of blobs, and the machines of a scale set, upgraded in batches."""

from __future__ import annotations

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.azure.arm import Arm
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.vm.release import packed, refuse_python

CONTAINER = "releases"
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
NAMES = Rule(
    "a scale set", r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", "begin with a small letter, followed by small letters, digits and -"
)


class ScaleSet(Arm):
    """A resource group, by default of the deployment's name, with a scale set of that name."""

    name = "vm"
    file = "azure.json"
    platform = ("cloud", "azure")
    label = "release"
    required = ("storageAccount", "sshPublicKey")
    name_rule = NAMES

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Upload the release, deploy the template with it, and wait until every machine has it.

        :raises DeployFailed: a parameter is missing, or the folder's packages are for another Python than the machines'.
        """
        refuse_python(deployment.folder)
        parameters = self._parameters(deployment)
        path, release = packed(deployment)
        words = ["az", "storage", "blob", "upload", "--auth-mode", "login", "--account-name", parameters["storageAccount"]]
        words += ["--container-name", CONTAINER, "--name", f"{deployment.name}/{release}.zip", "--file", str(path)]
        upload = command(*words, "--overwrite", "--output", "none")
        given = [f"{name}={value}" for name, value in {**parameters, self.label: release}.items()]
        return [upload, *self._in_group(deployment, *given)[-1:], self._upgraded(deployment, release)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Deploy the template with the earlier release, which is in the container still, and wait for every machine."""
        return [*super().roll_back(deployment, label), self._upgraded(deployment, label)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the journal of the first machine.

        :raises DeployFailed: it can't be followed.
        """
        if follow:
            raise DeployFailed("a scale set's journal can't be followed with az", "leave out --follow")
        line = f"journalctl --unit=flyweight@{deployment.name}.service --since=-{since} --no-pager --output=cat"
        words = ["az", "vmss", "run-command", "invoke", *self._where(deployment), "--name", deployment.name, "--instance-id", "0"]
        options = ["--command-id", "RunShellScript", "--scripts", line, "--query", "value[0].message", "--output", "tsv"]
        return [command(*words, *options)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the state of the scale set and the number of its machines."""
        words = ["az", "vmss", "show", *self._where(deployment), "--name", deployment.name]
        return [command(*words, "--query", "[name,provisioningState,sku.capacity]", "--output", "tsv")]

    def _upgraded(self, deployment: Deployment, release: str) -> Command:
        wait = deployment.infra / self.name / "azure-upgrade.sh"
        return command("bash", wait, self._group(deployment), deployment.name, release)


DEPLOYER = ScaleSet()
