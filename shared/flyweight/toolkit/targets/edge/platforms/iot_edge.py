"""Deploy to devices with Azure IoT Edge: a layered deployment of one module, for the devices that a condition picks.

A layered deployment adds its module to those of others (https://learn.microsoft.com/azure/iot-edge/module-deployment-monitoring).
Of several with one module the one with the highest priority counts, and of those the newest.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, Expanded, command
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool
from flyweight.toolkit.targets.docker.platforms.container_apps import ANYONE, REGISTRY
from flyweight.toolkit.targets.docker.reference import pushed
from flyweight.toolkit.targets.edge.package import STATE
from flyweight.toolkit.targets.naming import Rule

LIVE = "DEPLOYMENT"  # a shell variable
PRIORITY = "10"
HUB = Rule("an IoT hub", r"[A-Za-z0-9][A-Za-z0-9-]{1,48}[A-Za-z0-9]", "write the name of the hub")
CONDITION = Rule("a condition", r"[^\r\n]{1,512}", "write it as tags.place = 'mill'")
RULES = {"hub": HUB, "condition": CONDITION}
# of a module and of a deployment: https://learn.microsoft.com/azure/iot-edge/how-to-deploy-cli-at-scale
NAMES = Rule("a module", r"[a-z][a-z0-9-]{0,62}", "begin with a small letter, followed by small letters, digits and -")
VARIABLES = ("MODEL", "FORWARD", "WINDOW", "CLOUD", "CONFIDENCE")  # FLYWEIGHT_EDGE_ and these
OTHERS = ("IMAGE", "PORT")


class IotEdge(Deployer):
    """A layered deployment for each release, whose id begins with the deployment's name."""

    name = "edge"
    name_rule = NAMES

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return az, with its extension for IoT, and flyweight's own program, which pushes the image."""
        az = Tool(
            "az",
            "https://learn.microsoft.com/cli/azure, then: az extension add --name azure-iot",
            command("az", "account", "show"),
            "az login",
        )
        return [Tool("flyweight", "activate the environment that flyweight is installed in"), az]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Push the image unless one is named by its tag, and make a deployment of it.

        :raises DeployFailed: a parameter is missing or unknown, or has a value with no meaning.
        """
        given = self._given(deployment)
        push, image = pushed(deployment, given["IMAGE"], *_login(given["IMAGE"]))
        label = f"{deployment.name}-{re.sub('[^a-z0-9]', '', image.rpartition(':')[2].lower())[:12]}"
        deployment.work.mkdir(parents=True, exist_ok=True)
        path = deployment.work / f"{label}.json"
        path.write_text(self.manifest(deployment, image), encoding="utf-8")
        return [*push, self._made(deployment, label, path)]

    def manifest(self, deployment: Deployment, image: str) -> str:
        """Write the manifest: the module's image, its network, its rights and its variables."""
        given = deployment.parameters
        text = (
            (deployment.infra / self.name / "iot_edge.json")
            .read_text(encoding="utf-8")
            .replace("modules.NAME", f"modules.{deployment.name}")
        )
        document = json.loads(text)
        (module,) = document["content"]["modulesContent"]["$edgeAgent"].values()
        host = {"NetworkMode": "host", "ReadonlyRootfs": True, "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"]}
        host |= {"Binds": [f"{deployment.name}-state:/tmp"], "Memory": 96 << 20, "PidsLimit": 64}
        options = {"NetworkingConfig": {"EndpointsConfig": {"host": {}}}, "HostConfig": host}
        module["settings"] = {"image": image, "createOptions": json.dumps(options, separators=(",", ":"))}
        values = {f"FLYWEIGHT_EDGE_{name}": given[name] for name in VARIABLES if given.get(name)}
        values |= {"PORT": given.get("PORT", "8080"), "FLYWEIGHT_HOST": "127.0.0.1", "FLYWEIGHT_EDGE_STATE": STATE}
        values["FLYWEIGHT_EDGE_DEVICE"] = "$IOTEDGE_DEVICEID"  # which the runtime of IoT Edge sets
        module["env"] = {name: {"value": value} for name, value in values.items()}
        return json.dumps(document, indent=2) + "\n"

    def url(self, deployment: Deployment) -> Command:
        """Print nothing: the agent answers on its device alone."""
        return command("true")

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the hub."""
        return ("iot_edge", deployment.parameters.get("hub", ""))

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the newest deployment's id."""
        return [self._id(deployment, -1)]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the id of the deployment before."""
        return [self._id(deployment, -2)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Remove the newest deployment, so that the one before counts."""
        return [
            Command(self._id(deployment, -1).words, into=LIVE),
            self._iot(deployment, "delete", "--deployment-id", Expanded(f"${LIVE}")),
        ]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Refuse: the log is on each device.

        :raises DeployFailed: always.
        """
        raise DeployFailed(
            "IoT Edge keeps a module's log on its device", f"on a device: sudo iotedge logs {deployment.name} --since {since}"
        )

    def status(self, deployment: Deployment) -> list[Command]:
        """Read how many devices the newest deployment is for, and how many have it."""
        found = Command(self._id(deployment, -1).words, into=LIVE)
        return [found, self._iot(deployment, "show", "--deployment-id", Expanded(f"${LIVE}"), "--query", "systemMetrics.results")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove all deployments of this name; images and the volumes of devices are kept."""
        listed = str(self._listed(deployment, f"[?starts_with(id, '{deployment.name}-')].id"))
        line = (
            f"{listed} | xargs -r -n 1 az iot edge deployment delete --hub-name {self._given(deployment)['hub']} --deployment-id"
        )
        return [command("sh", "-c", line)]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what `deploy` makes."""
        return [Resource(f"{deployment.name}-RELEASE", "layered deployment of the hub")]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters, and the platform that they are of."""
        return {"platform": "iot_edge", **dict.fromkeys((*RULES, *OTHERS, *VARIABLES), ""), **deployment.parameters}

    def _given(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters.

        :raises DeployFailed: one is missing or unknown, or has a value with no meaning.
        """
        known = (*RULES, *OTHERS, *VARIABLES)
        for name, value in deployment.parameters.items():
            if name not in (*known, "platform"):
                near = "".join(f" ({one}?)" for one in get_close_matches(name, known, 1))
                raise DeployFailed(f"there is no parameter {name}{near}", f"choose one of {', '.join(known)}")
            if name in RULES:
                RULES[name].check(value)
        missing = [name for name in (*RULES, "IMAGE") if not deployment.parameters.get(name)]
        if missing:
            raise DeployFailed(f"IoT Edge needs the parameter {missing[0]}", f"add --set {missing[0]}=...")
        return dict(deployment.parameters)

    def _made(self, deployment: Deployment, label: str, path: Path) -> Command:
        given = self._given(deployment)
        words = [
            "--deployment-id",
            label,
            "--content",
            str(path),
            "--target-condition",
            given["condition"],
            "--priority",
            PRIORITY,
        ]
        labels = ["--labels", json.dumps(dict(deployment.tags))] if deployment.tags else []
        return self._iot(deployment, "create", *words, "--layered", *labels)

    def _id(self, deployment: Deployment, place: int) -> Command:
        return self._listed(deployment, f"sort_by([?starts_with(id, '{deployment.name}-')], &createdTimeUtc)[{place}].id")

    def _listed(self, deployment: Deployment, query: str) -> Command:
        return self._iot(deployment, "list", "--query", query, "--output", "tsv")

    def _iot(self, deployment: Deployment, *words: str) -> Command:
        verb, *options = words
        return command("az", "iot", "edge", "deployment", verb, "--hub-name", self._given(deployment)["hub"], *options)


def _login(image: str) -> list[str]:
    """Return the words that log in to a registry of Azure; [] for another one, to which docker's own login counts."""
    found = re.fullmatch(REGISTRY, image)
    if not found:
        return []
    asked = f"az acr login --name {found[1]} --expose-token --query accessToken --output tsv"
    return ["--user", ANYONE, "--password-command", asked]


DEPLOYER = IotEdge()
