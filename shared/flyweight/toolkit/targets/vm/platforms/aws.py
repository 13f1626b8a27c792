"""Deploy to EC2: a release in a bucket, and the machines of an Auto Scaling group, renewed one after the other."""

from __future__ import annotations

import json

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws.deployment import NAMES
from flyweight.toolkit.targets.aws.stack import Stack
from flyweight.toolkit.targets.commands import Command, Expanded, command, variable
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.vm.release import packed, refuse_python

BUCKET, REFRESH, MACHINE = "BUCKET", "REFRESH", "MACHINE"  # shell variables
PREFERENCES = (
    "MinHealthyPercentage=100,MaxHealthyPercentage=200,SkipMatching=true"  # a new machine answers before an old one goes
)


class Ec2(Stack):
    """A stack of the deployment's name, with an Auto Scaling group of that name."""

    name = "vm"
    file = "aws.yaml"
    platform = ("cloud", "aws")
    label = "Release"
    name_rule = NAMES

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Upload the release, deploy the stack with it, and renew the machines.

        :raises DeployFailed: the bucket is not named, or the folder's packages are for another Python than the machines'.
        """
        refuse_python(deployment.folder)
        parameters = self._parameters(deployment)
        if "Bucket" not in parameters:
            raise DeployFailed("the release needs a bucket, from which the machines fetch it", "add --set Bucket=my-bucket")
        path, release = packed(deployment)
        to = f"s3://{parameters['Bucket']}/{deployment.name}/{release}.zip"
        upload = command("aws", "s3", "cp", path, to, "--region", self._region(deployment), "--only-show-errors")
        overrides = [f"{name}={value}" for name, value in {**parameters, self.label: release}.items()]
        return [upload, self._with(deployment, *overrides), *self._renew(deployment)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Deploy the stack with the earlier release, which is in the bucket still, and renew the machines."""
        return [*super().roll_back(deployment, label), *self._renew(deployment)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the journal of the group's first machine, by a session of Systems Manager."""
        group = ["aws", "autoscaling", "describe-auto-scaling-groups", "--region", self._region(deployment)]
        group += ["--auto-scaling-group-names", deployment.name]
        first = command(*group, "--query", "AutoScalingGroups[0].Instances[0].InstanceId", "--output", "text", into=MACHINE)
        line = f"sudo journalctl --unit=flyweight@{deployment.name}.service --since=-{since} --no-pager --output=cat"
        asked = json.dumps({"command": [f"{line} --follow" if follow else line]})
        words = ["aws", "ssm", "start-session", "--region", self._region(deployment), "--target", variable(MACHINE)]
        return [first, command(*words, "--document-name", "AWS-StartNonInteractiveCommand", "--parameters", asked)]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the stack, then its releases; the bucket is kept."""
        places = Expanded(f"s3://${BUCKET}/{deployment.name}/")
        remove = command("aws", "s3", "rm", places, "--recursive", "--region", self._region(deployment), "--only-show-errors")
        return [self._value(deployment, "Bucket", into=BUCKET), *super().destroy(deployment), remove]

    def _renew(self, deployment: Deployment) -> list[Command]:
        region = self._region(deployment)
        words = ["aws", "autoscaling", "start-instance-refresh", "--region", region, "--auto-scaling-group-name", deployment.name]
        started = command(
            *words, "--preferences", PREFERENCES, "--query", "InstanceRefreshId", "--output", "text", into=REFRESH
        )  # fmt: skip
        wait = deployment.infra / self.name / "aws-refresh.sh"
        return [started, command("bash", wait, deployment.name, region, variable(REFRESH))]


DEPLOYER = Ec2()
