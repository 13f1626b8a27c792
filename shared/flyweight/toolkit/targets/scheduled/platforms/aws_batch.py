"""Deploy to AWS Batch on Fargate: an image in ECR, a job definition, and a schedule that submits the job."""

from __future__ import annotations

from flyweight.toolkit.targets.commands import Command, command, variable
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.docker.reference import pushed
from flyweight.toolkit.targets.scheduled.stack import JobStack

QUEUE = "QUEUE"  # a shell variable


class AwsBatch(JobStack):
    """A stack with a queue and a job definition; a rollback names the image of before."""

    file = "aws_batch.yaml"
    platform = ("platform", "aws_batch")
    label = "Image"
    log = "/flyweight/"
    example = "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY"

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Push the image, and deploy the stack with it.

        :raises DeployFailed: no image is named, or none is beside the folder, or the template refuses a parameter.
        """
        login = f"aws ecr get-login-password --region {self._region(deployment)}"
        push, reference = pushed(deployment, self._asked(deployment), "--user", "AWS", "--password-command", login)
        parameters = self._accepted(deployment, {**deployment.parameters, self.label: reference})
        return [*push, self._with(deployment, *[f"{name}={value}" for name, value in parameters.items()])]

    def runs(self, deployment: Deployment) -> list[Command]:
        """List the queue's jobs of this name, in any state.

        Without a filter Batch lists those that run: https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html
        """
        words = ["aws", "batch", "list-jobs", "--region", self._region(deployment), "--job-queue", variable(QUEUE)]
        words += ["--filters", f"name=JOB_NAME,values={deployment.name}", "--query", "jobSummaryList[].[jobId,status,createdAt]"]
        return [self._output(deployment, "Queue", into=QUEUE), command(*words, "--output", "text")]


DEPLOYER = AwsBatch()
