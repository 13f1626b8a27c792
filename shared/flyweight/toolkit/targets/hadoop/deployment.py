"""Deploy to a cluster: put the mapper's file into HDFS, one folder a release, and run a job with it where rows are named."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command, script
from flyweight.toolkit.targets.deployment import Deployment, JobDeployer, Resource, Tool
from flyweight.toolkit.targets.hadoop.package import MAPPER
from flyweight.toolkit.targets.naming import Rule

DEFAULTS = {"root": "/apps/flyweight", "input": "", "output": "", "arguments": "", "python": "python3"}
PATH = Rule("a path", r"(\w+://[\w.:-]*)?/[\w./*{},?=-]*", "write an absolute path of HDFS, or an address such as hdfs:///birds")
RULES = {
    "root": PATH,
    "input": PATH,
    "output": PATH,
    "arguments": Rule("the mapper's options", r"[\w ,.:/=-]*", "write them as in: --format csv --columns id,island --key id"),
    "python": Rule("a program", r"[\w./-]+", "write python3, or a path"),
}


class Cluster(JobDeployer):
    """A folder of releases in HDFS, and jobs on YARN with the deployment's name as their tag."""

    name = "hadoop"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the programs of Hadoop."""
        install = "https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-common/SingleCluster.html"
        sign_in = "name the cluster in HADOOP_CONF_DIR; where it has Kerberos, login: kinit"
        login = command("hdfs", "dfs", "-ls", "/")
        return [Tool("hdfs", install, login, sign_in), Tool("yarn", install), Tool("mapred", install)]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Put the file into the release's folder, which every user may read, so that nodes share it; then run the job, if any.

        :raises DeployFailed: a parameter is unknown or has a value with no meaning, or the folder has no mapper.
        """
        values = self._checked(deployment)
        mapper = deployment.folder / MAPPER
        if not mapper.is_file():
            raise DeployFailed(f"{deployment.folder} has no {MAPPER}", "build it: flyweight build hadoop --model FILE")
        release = hashlib.sha256(mapper.read_bytes()).hexdigest()[:16]
        folder = f"{self._home(deployment)}/{release}"
        # a file that is there stays as it is: a node refuses one that has changed while its job ran
        put = 'hdfs dfs -test -e "$1" || hdfs dfs -put "$0" "$1"'
        commands = [
            command("hdfs", "dfs", "-mkdir", "-p", folder),
            command("sh", "-c", put, mapper, f"{folder}/{MAPPER}"),
            command("hdfs", "dfs", "-chmod", "-R", "a+rX", self._home(deployment)),
        ]
        return [*commands, *self._job(deployment, values, f"{folder}/{MAPPER}")]

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the folder of all deployments; the cluster is the one that HADOOP_CONF_DIR names."""
        return (deployment.parameters.get("root", DEFAULTS["root"]),)

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Print the log of the last job that has ended, once YARN has collected it."""
        listed = 'yarn application -list -appStates ALL -appTags "$0"'
        last = f"{listed} | grep -o 'application_[0-9]*_[0-9]*' | sort -u | tail -n 1"
        return [command("sh", "-c", f"{last} | xargs -r -n 1 yarn logs -applicationId", deployment.name)]

    def status(self, deployment: Deployment) -> list[Command]:
        """List the deployment's jobs, and then its releases, which fails where there are none."""
        jobs = command("yarn", "application", "-list", "-appStates", "ALL", "-appTags", deployment.name)
        return [jobs, command("hdfs", "dfs", "-ls", self._home(deployment))]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove all releases; what jobs have written stays."""
        return [command("hdfs", "dfs", "-rm", "-r", "-skipTrash", self._home(deployment))]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the folder and the job."""
        return [
            Resource(self._home(deployment), "folder of releases in HDFS"),
            Resource(deployment.name, "job on YARN", "input"),
            Resource(deployment.parameters.get("output") or "OUTPUT", "folder of answers in HDFS", "input"),
        ]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters."""
        return {**DEFAULTS, **deployment.parameters}

    def _home(self, deployment: Deployment) -> str:
        return f"{self.settings(deployment)['root'].rstrip('/')}/{deployment.name}"

    def _job(self, deployment: Deployment, values: dict[str, str], mapper: str) -> list[Command]:
        """Return the command that submits the job; [] without rows."""
        if not values["input"]:
            return []
        environ = {"INPUT": values["input"], "OUTPUT": values["output"], "PYTHON": values["python"]}
        environ |= {"MAPPER": mapper if "://" in mapper else f"hdfs://{mapper}", "NAME": deployment.name}
        return [script(deployment.folder / "submit.sh", environ, *values["arguments"].split())]

    def _checked(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters.

        :raises DeployFailed: one is unknown, or has a value with no meaning.
        """
        if deployment.tags:
            raise DeployFailed("a cluster has no tags but the job's name", "leave out --tag")
        for name, value in deployment.parameters.items():
            if name not in DEFAULTS:
                near = "".join(f" ({one}?)" for one in get_close_matches(name, DEFAULTS, 1))
                raise DeployFailed(f"there is no parameter {name}{near}", f"choose one of {', '.join(DEFAULTS)}")
            if value:
                RULES[name].check(value)
        values = self.settings(deployment)
        if bool(values["input"]) != bool(values["output"]):
            raise DeployFailed("a job needs both input and output", "add --set input=/birds --set output=/answers")
        return values


DEPLOYER = Cluster()
