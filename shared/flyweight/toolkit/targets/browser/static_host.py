"""What all static hosts share: a page has no log, no parameters and no tags, and an earlier release is copied again."""

from __future__ import annotations

from collections.abc import Mapping

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command
from flyweight.toolkit.targets.deployment import Deployment, JobDeployer, Resource
from flyweight.toolkit.targets.naming import Rule

# https://html.spec.whatwg.org/multipage/scripting.html#javascript-mime-type and https://webassembly.github.io/spec/web-api/:
# a browser takes no other types for a module and for what it compiles while it loads
TYPES: Mapping[str, str] = {"mjs": "text/javascript", "wasm": "application/wasm"}
NAMES = Rule(
    "a page", r"[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?", "begin with a small letter or digit, followed by those and -, at most 58"
)
BUCKETS = Rule(
    "a bucket", r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", "begin with a small letter or digit, followed by those, ., _ and -, 3 to 63"
)


class StaticHost(JobDeployer):
    """A folder of the deployment's name on a host.

    `platform`: its name.
    """

    name = "browser"
    name_rule = NAMES
    group_rule = BUCKETS
    platform = ""
    holder = "bucket"

    def refuse_names(self, deployment: Deployment) -> None:
        """Check the names, and that `group` says where the folder is.

        :raises DeployFailed: the host does not take a name, or one is missing; or there are parameters or tags.
        """
        super().refuse_names(deployment)
        if self.holder and not deployment.group:
            raise DeployFailed(f"{self.platform} needs the name of its {self.holder}", f"add --group {self.holder.upper()}")
        for option, given in (("--set", deployment.parameters), ("--tag", deployment.tags)):
            if given:
                raise DeployFailed(f"a page on {self.platform} has no {next(iter(given))!r}", f"leave out {option}")

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the platform and what contains the folder."""
        return (self.platform, deployment.group)

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Refuse.

        :raises DeployFailed: always: rows do not leave the browser, and of requests only the host's own tools tell.
        """
        raise DeployFailed("a page writes no log: it answers in the visitor's browser", "see the host's own record of requests")

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the copied folder."""
        return [Resource(f"{deployment.group}/{deployment.name}".strip("/"), "copied folder")]
