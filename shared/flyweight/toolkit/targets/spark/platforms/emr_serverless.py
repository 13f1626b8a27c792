"""Submit the job to EMR Serverless with the AWS CLI: an application and a role by `infra/spark/emr_serverless.yaml`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flyweight.toolkit.targets.aws.deployment import CLI, NAMES
from flyweight.toolkit.targets.commands import Command, command, variable
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool
from flyweight.toolkit.targets.spark.submitted import Submitted, sent, words

APPLICATION, ROLE = "APPLICATION", "ROLE"  # shell variables
PYTHON = "./environment/bin/python"


class EmrServerless(Submitted):
    """A stack of the deployment's name, with an application to which each `deploy` gives one run of the job."""

    platform = "emr_serverless"
    # `environment`: an archive by venv-pack with NumPy and pyarrow, which EMR's own Python does not have
    parameters: Mapping[str, str] = {"bucket": "", "tables": "", "release": "emr-7.9.0", "environment": ""}
    required = ("input", "output", "bucket")
    name_rule = NAMES
    region = "eu-west-1"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the AWS CLI."""
        return [Tool("aws", CLI, command("aws", "sts", "get-caller-identity"), "aws configure")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Create or update the stack, copy the folder to the bucket, and start a run."""
        given, where = self.given(deployment), self._where(deployment)
        root = f"s3://{given['bucket']}/{deployment.name}"
        template = deployment.infra / "spark" / "emr_serverless.yaml"
        overrides = [f"Bucket={given['bucket']}", f"Tables={given['tables'] or given['bucket']}", f"Release={given['release']}"]
        stack = ["aws", "cloudformation", "deploy", "--stack-name", deployment.name, *where, "--template-file", str(template)]
        stack += ["--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"]
        stack += ["--tags", *[f"{name}={value}" for name, value in deployment.tags.items()]] if deployment.tags else []
        submitted = command(
            "aws", "emr-serverless", "start-job-run", *where, "--application-id", variable(APPLICATION),
            "--execution-role-arn", variable(ROLE), "--name", deployment.name,
            "--job-driver", self._driver(deployment, given, root),
            "--configuration-overrides", _logging(deployment),
        )  # fmt: skip
        return [
            command(*stack, "--parameter-overrides", *overrides),
            command("aws", "s3", "sync", deployment.folder.resolve(), root, "--delete", *where),
            self._output(deployment, "Application", APPLICATION),
            self._output(deployment, "Role", ROLE),
            submitted,
        ]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the log group."""
        tail = ["aws", "logs", "tail", _group(deployment), *self._where(deployment), "--since", since]
        return [command(*tail, *(["--follow"] if follow else []))]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the runs, the newest first."""
        query = ("--query", "jobRuns[].[id,state,createdAt]")
        listed = command(
            "aws", "emr-serverless", "list-job-runs", *self._where(deployment), "--application-id", variable(APPLICATION), *query,
            "--output", "text",
        )  # fmt: skip
        return [self._output(deployment, "Application", APPLICATION), listed]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Stop the application, and remove the stack; the files in the bucket stay."""
        where = self._where(deployment)
        return [
            self._output(deployment, "Application", APPLICATION),
            command("aws", "emr-serverless", "stop-application", *where, "--application-id", variable(APPLICATION)),
            command("aws", "cloudformation", "delete-stack", "--stack-name", deployment.name, *where),
            command("aws", "cloudformation", "wait", "stack-delete-complete", "--stack-name", deployment.name, *where),
        ]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the resources of the stack."""
        kinds = ("AWS::EMRServerless::Application", "AWS::IAM::Role", "AWS::Logs::LogGroup")
        return [Resource(deployment.name, kind) for kind in kinds]

    def _driver(self, deployment: Deployment, given: dict[str, str], root: str) -> str:
        """Write the description of the run: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/jobs-spark.html."""
        places = sent(deployment.folder, root)
        options = f"--py-files {places['zip']} --files {places['model']}"
        if given["environment"]:
            options += f" --conf spark.archives={given['environment']}#environment"
            for name in ("emr-serverless.driverEnv", "executorEnv"):
                options += f" --conf spark.{name}.PYSPARK_PYTHON={PYTHON}"
        job = {"entryPoint": places["entry"], "entryPointArguments": words(given), "sparkSubmitParameters": options}
        return json.dumps({"sparkSubmit": job})

    def _output(self, deployment: Deployment, name: str, into: str) -> Command:
        query = ("--query", f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue")
        words = ["aws", "cloudformation", "describe-stacks", "--stack-name", deployment.name, *self._where(deployment)]
        return command(*words, *query, "--output", "text", into=into)

    def _where(self, deployment: Deployment) -> list[str]:
        return ["--region", deployment.region or self.region]


def _group(deployment: Deployment) -> str:
    return f"/flyweight/{deployment.name}"


def _logging(deployment: Deployment) -> str:
    logs = {"enabled": True, "logGroupName": _group(deployment)}
    return json.dumps({"monitoringConfiguration": {"cloudWatchLoggingConfiguration": logs}})


DEPLOYER = EmrServerless()
