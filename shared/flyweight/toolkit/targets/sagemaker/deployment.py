"""Deploy the CloudFormation template of `infra/sagemaker`: an image in ECR, a model and its endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws.deployment import CLI, Aws
from flyweight.toolkit.targets.commands import Command, Expanded, command
from flyweight.toolkit.targets.deployment import Deployment, Question, Tool
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import image_of, read_marker
from flyweight.toolkit.targets.sagemaker.model_data import archive

REPOSITORY, IMAGE = "REPOSITORY", "IMAGE"  # shell variables
PUSHED = "123456789012.dkr.ecr.us-east-1.amazonaws.com/pushed"  # stands for the image that the commands push
ARCHIVE, MULTI, SERVERLESS = ".tar.gz", "multi", "serverless"
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html, which is stricter than the rule of stacks;
# repositories have small letters
NAMES = Rule(
    "a SageMaker endpoint", r"[a-z](-*[a-z0-9]){0,54}", "begin with a small letter, followed by small letters, digits and -"
)


class SageMaker(Aws):
    """A CloudFormation stack of the deployment's name, whose endpoint is called so too; a second stack has the images."""

    name = "sagemaker"
    authorizations = ()
    name_rule = NAMES

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the AWS CLI, and flyweight's own program, which pushes the image."""
        (_, cli) = super().tools(deployment)
        return [Tool("flyweight", "activate the environment that flyweight is installed in"), replace(cli, install=CLI)]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Push the image unless one is named, upload the model if it is to be apart, and deploy the stack."""
        parameters = self._parameters(deployment)
        commands = [] if parameters["Image"] else self._push(deployment)
        if parameters["ModelData"]:
            packed = archive(deployment.folder, deployment.work / f"{deployment.name}.{self._region(deployment)}.model{ARCHIVE}")
            to = f"{parameters['ModelData']}{read_marker(deployment.folder)['model']}{ARCHIVE}"
            to = to if parameters["ModelData"].endswith("/") else parameters["ModelData"]
            commands += [command("aws", "s3", "cp", packed, to, "--region", self._region(deployment), "--only-show-errors")]
        overrides = [
            f"{name}={value}" if value or name != "Image" else Expanded(f"Image=${IMAGE}") for name, value in parameters.items()
        ]
        return [*commands, self._stack_of(deployment, "template", deployment.name, *overrides)]

    def _push(self, deployment: Deployment) -> list[Command]:
        """Make the repository, and push the image of the built folder under the model's hash."""
        region, images = self._region(deployment), f"{deployment.name}-images"
        words = ["aws", "ecr", "describe-repositories", "--region", region, "--repository-names", images]
        where = command(*words, "--query", "repositories[0].repositoryUri", "--output", "text", into=REPOSITORY)
        login = ["--user", "AWS", "--password-command", f"aws ecr get-login-password --region {region}"]
        to = Expanded(f"${REPOSITORY}:{read_marker(deployment.folder)['sha256'][:12]}")
        pushed = image_of(deployment.folder)
        push = command("flyweight", "image", "push", pushed, to, "--docker-format", *login, into=IMAGE)
        return [self._stack_of(deployment, "repository", images), where, push]

    def _stack_of(self, deployment: Deployment, template: str, name: str, *overrides: str) -> Command:
        """Return the command that deploys a stack of one of the templates."""
        words = ["aws", "cloudformation", "deploy", "--region", self._region(deployment), "--stack-name", name]
        words += ["--template-file", str(deployment.infra / self.name / f"{template}.yaml"), "--no-fail-on-empty-changeset"]
        words += ["--tags", *[f"{key}={value}" for key, value in deployment.tags.items()]] if deployment.tags else []
        return command(*words, "--capabilities", "CAPABILITY_IAM", *(["--parameter-overrides", *overrides] if overrides else []))

    def question(self, deployment: Deployment) -> Question:
        """Ask at the one path that SageMaker passes on, and name the model among several."""
        headers = {}
        if self.settings(deployment)["Kind"] == MULTI:
            headers = {"x-amzn-sagemaker-target-model": f"{read_marker(deployment.folder)['model']}{ARCHIVE}"}
        return Question(predict="/invocations", ready="", model="", headers=headers)

    def call(self, deployment: Deployment) -> Command:
        """Ask with the AWS CLI, which prints the answer."""
        words = ["aws", "sagemaker-runtime", "invoke-endpoint", "--region", self._region(deployment), "--endpoint-name"]
        words += [deployment.name, "--content-type", "application/json", "--body", "fileb://REQUEST.json", "/dev/stdout"]
        return command(*words)

    def authorization(self, deployment: Deployment) -> str:
        """Sign requests: SageMaker takes no others."""
        return "aws"

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Return no commands: going back deploys the image and the parameters of an earlier release again."""
        return []

    def made_label(self, variables: Mapping[str, str]) -> str:
        """Return no label."""
        return ""

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Return no commands, as there are no labels."""
        return []

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Deploy the earlier release again; its image is in the repository already, so that nothing is uploaded."""
        return self.deploy(deployment)

    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """Refuse what Aws refuses, and a serverless endpoint in place of one with instances, which SageMaker does not make.

        https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions
        """
        deployment = replace(deployment, parameters={"Image": PUSHED, **deployment.parameters})
        before = self.current_parameters(state).get("Kind", SERVERLESS)
        now = deployment.parameters.get("Kind", before)
        if now == SERVERLESS and before not in (SERVERLESS, "transform"):
            step = f"deploy it under another --name, or remove it first: {deployment.verb('destroy', self.name)}"
            return DeployFailed(f"{deployment.name} is {before}, and SageMaker does not make it serverless", step)
        return super().obstacle(deployment, state)

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the endpoint's log group."""
        words = ["aws", "logs", "tail", f"/aws/sagemaker/Endpoints/{deployment.name}", "--region", self._region(deployment)]
        return [command(*words, "--since", since, *(["--follow"] if follow else []))]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the endpoint, then its images; what stands in S3 is kept."""
        words = ["aws", "cloudformation"]
        where = ["--region", self._region(deployment), "--stack-name"]
        return [
            command(*words, verb, *where, stack) if verb == "delete-stack" else command(*words, "wait", verb, *where, stack)
            for stack in (deployment.name, f"{deployment.name}-images")
            for verb in ("delete-stack", "stack-delete-complete")
        ]

    def _parameters(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters that the folder determines, and the deployment's own; Image is "" if it is to be pushed.

        :raises DeployFailed: a parameter or its value is not in the template.
        """
        marker = read_marker(deployment.folder)
        given = {"Image": "", "ModelData": "", **deployment.parameters}
        data, several = given["ModelData"], given.get("Kind") == MULTI
        if data.endswith("/") and not several:  # each model has a place of its own, so that an earlier one can be gone back to
            given["ModelData"] = f"{data}{marker['model']}/{marker['version']}-{marker['sha256'][:12]}/model{ARCHIVE}"
        if data and several and not data.endswith("/"):
            raise DeployFailed(f"Kind=multi asks for a folder of models, got {data}", "end it with /, as s3://my-bucket/models/")
        return self._accepted(deployment, {**given, "ModelSha256": "" if several else marker["sha256"]})


DEPLOYER = SageMaker()
