"""Deploy a job of Cloud Run with gcloud, and a job of Cloud Scheduler that starts it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, JobDeployer, Resource, Tool
from flyweight.toolkit.targets.docker.reference import pushed
from flyweight.toolkit.targets.gcp.deployment import NAMES, PROJECTS

# `create` refuses a job that is there, `update` one that is not
SCHEDULED = """verb=create; gcloud scheduler jobs describe "$1" "$2" "$3" >/dev/null 2>&1 && verb=update
gcloud scheduler jobs "$verb" http "$@\""""
SEPARATORS = ",;|~^"  # of words in --args; the first one that no word has: `gcloud topic escaping`


class CloudRunJobs(JobDeployer):
    """A job of the deployment's name in the project that `group` names."""

    name = "scheduled"
    platform = "cloud_run_jobs"
    common: Mapping[str, str] = {"image": "", "input": "", "output": "", "account": "", "arguments": ""}
    # https://cloud.google.com/run/docs/create-jobs: how many tasks, and what each of them has
    parameters: Mapping[str, str] = {
        "tasks": "2", "cpu": "2", "memory": "2Gi", "timeout": "24h", "retries": "3", "schedule": "0 3 * * *", "zone": "Etc/UTC",
    }  # fmt: skip
    required = ("image", "input", "output", "account")
    name_rule = NAMES
    group_rule = PROJECTS
    region = "europe-west1"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return gcloud."""
        login = command("gcloud", "auth", "print-access-token", *self._project(deployment))
        return [Tool("gcloud", "https://cloud.google.com/sdk/docs/install", login, "gcloud auth login")]

    def account(self, deployment: Deployment) -> list[Command]:
        """Read the project of gcloud's settings, unless the deployment names one."""
        return [] if deployment.group else [command("gcloud", "config", "get-value", "project")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Push the image, deploy the job, let its account start it, and make the schedule.

        :raises DeployFailed: no project or a parameter is missing, or there is no image beside the folder.
        """
        given = self.given(deployment)
        if not deployment.group:
            raise DeployFailed("the schedule needs the project's name", "add --group PROJECT")
        login = ("--user", "oauth2accesstoken", "--password-command", "gcloud auth print-access-token")
        push, reference = pushed(deployment, given["image"], *login)
        words = [*shlex.split(given["input"]), "--output", given["output"], *shlex.split(given["arguments"])]
        size = [f"--cpu={given['cpu']}", f"--memory={given['memory']}", f"--tasks={given['tasks']}"]
        size += [f"--parallelism={given['tasks']}", f"--task-timeout={given['timeout']}", f"--max-retries={given['retries']}"]
        labels = ["--labels=" + ",".join(f"{name}={value}" for name, value in deployment.tags.items())] if deployment.tags else []
        job = command(
            "gcloud", "run", "jobs", "deploy", deployment.name, *self._where(deployment), f"--image={reference}",
            f"--args={_listed(words)}", f"--service-account={given['account']}", *size, *labels,
        )  # fmt: skip
        member = [f"--member=serviceAccount:{given['account']}", "--role=roles/run.invoker"]
        right = command("gcloud", "run", "jobs", "add-iam-policy-binding", deployment.name, *self._where(deployment), *member)
        return [*push, job, right, self._schedule(deployment, given)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the log of the job's runs."""
        words = ["gcloud", "beta", "run", "jobs", "logs"]
        if follow:
            return [command(*words, "tail", deployment.name, *self._where(deployment))]
        return [command(*words, "read", deployment.name, *self._where(deployment), f"--freshness={since}")]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the job's name, which fails where none exists, and list its runs, the newest first."""
        shown = "value(metadata.name,status.completionTime,status.succeededCount,status.failedCount)"
        where = self._where(deployment)
        return [
            command("gcloud", "run", "jobs", "describe", deployment.name, *where, "--format=value(metadata.name)"),
            command("gcloud", "run", "jobs", "executions", "list", f"--job={deployment.name}", *where, f"--format={shown}"),
        ]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the schedule and the job with its runs; images, the account and the answers are kept."""
        schedule = ["gcloud", "scheduler", "jobs", "delete", deployment.name, *self._at(deployment), "--quiet"]
        return [
            command(*schedule),
            command("gcloud", "run", "jobs", "delete", deployment.name, *self._where(deployment), "--quiet"),
        ]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the job and its schedule."""
        return [Resource(deployment.name, "Cloud Run job"), Resource(deployment.name, "Cloud Scheduler job")]

    def _schedule(self, deployment: Deployment, given: Mapping[str, str]) -> Command:
        """Return the command that starts the job at its times: https://cloud.google.com/run/docs/execute/jobs-on-schedule."""
        place = f"projects/{deployment.group}/locations/{deployment.region or self.region}"
        words = [f"--schedule={given['schedule']}", f"--time-zone={given['zone']}", "--http-method=POST"]
        words += [f"--uri=https://run.googleapis.com/v2/{place}/jobs/{deployment.name}:run"]
        words += [f"--oauth-service-account-email={given['account']}"]
        return command("bash", "-c", SCHEDULED, "-", deployment.name, *self._at(deployment), *words)

    def _project(self, deployment: Deployment) -> list[str]:
        return [f"--project={deployment.group}"] if deployment.group else []

    def _where(self, deployment: Deployment) -> list[str]:
        return [f"--region={deployment.region or self.region}", *self._project(deployment)]

    def _at(self, deployment: Deployment) -> list[str]:
        return [f"--location={deployment.region or self.region}", *self._project(deployment)]


def _listed(words: list[str]) -> str:
    """Write words as gcloud reads a list.

    :raises DeployFailed: every separator is in a word.
    """
    free = [one for one in SEPARATORS if not any(one in word for word in words)]
    if not free:
        raise DeployFailed(f"gcloud can't be given {shlex.join(words)}", f"leave out one of {SEPARATORS}")
    return ("" if free[0] == "," and not words[0].startswith("^") else f"^{free[0]}^") + free[0].join(words)


DEPLOYER = CloudRunJobs()
