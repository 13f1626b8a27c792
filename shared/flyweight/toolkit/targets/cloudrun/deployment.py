"""Deploy to Cloud Run with `infra/cloudrun/deploy.sh`; revisions, traffic and logs are those of a Cloud Run function."""

from __future__ import annotations

from flyweight.toolkit.targets.gcp.deployment import Gcp


class CloudRun(Gcp):
    """A Cloud Run service of the deployment's name, in the project that `group` names."""

    name = "cloudrun"
    scripts = (*Gcp.scripts, "cloudrun/deploy.sh")


DEPLOYER = CloudRun()
