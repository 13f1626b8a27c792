"""The costs of devices: none but their own."""

from dataclasses import replace

from flyweight.toolkit.costs.options import ratings
from flyweight.toolkit.costs.prices import Line
from flyweight.toolkit.costs.servers import hardware
from flyweight.toolkit.targets.costs import Costs, Made

OWN = ratings(
    scalability=(1, "a device answers for itself; a hundred devices are a hundred releases"),
    security=(3, "inputs stay on the device unless you forward them; you patch and harden the system"),
    ease=(2, "one command over SSH; devices are yours to maintain"),
    integration=(2, "HTTP and standard input on the device; a store or an endpoint gets the answers"),
)


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price nothing: what devices forward is billed by the store that gets it."""
    return [], [
        "it creates nothing that is paid; not counted: the store that gets the answers, and what a cloud takes for each device"
    ]


DEVICES = replace(hardware("Your own devices", "systemd", OWN), on_device=True)
COSTS = Costs((DEVICES,), resources=resources)
