"""Deploy Step Functions' distributed map over a function of `flyweight build aws`, and a schedule that starts it."""

from __future__ import annotations

from flyweight.toolkit.targets.commands import Command, command, variable
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.scheduled.stack import JobStack

MACHINE = "MACHINE"  # a shell variable


class StepFunctions(JobStack):
    """A stack with a state machine; a rollback names the function, or its version, of before."""

    file = "step_functions.yaml"
    platform = ("platform", "step_functions")
    label = "FunctionArn"
    log = "/aws/vendedlogs/states/"
    example = "arn:aws:lambda:REGION:ACCOUNT:function:NAME:live"

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Deploy the stack; the function has the model, and nothing of the folder is sent.

        :raises DeployFailed: no function is named, or the template refuses a parameter.
        """
        parameters = self._accepted(deployment, {**deployment.parameters, self.label: self._asked(deployment)})
        return [self._with(deployment, *[f"{name}={value}" for name, value in parameters.items()])]

    def runs(self, deployment: Deployment) -> list[Command]:
        """List the machine's executions, the newest first."""
        words = ["aws", "stepfunctions", "list-executions", "--region", self._region(deployment)]
        words += ["--state-machine-arn", variable(MACHINE), "--query", "executions[].[name,status,startDate]"]
        return [self._output(deployment, "Machine", into=MACHINE), command(*words, "--output", "text")]


DEPLOYER = StepFunctions()
