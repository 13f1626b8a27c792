"""The costs of virtual machines on three clouds, and of a machine of the user's own."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.costs.options import ratings
from flyweight.toolkit.costs.prices import Line, metered
from flyweight.toolkit.costs.servers import Machine, hardware, kind, virtual_machines
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.aws.costs import balancer as aws_balancer
from flyweight.toolkit.targets.azure.costs import balancer as azure_balancer
from flyweight.toolkit.targets.costs import Costs, Made, Settings
from flyweight.toolkit.targets.gcp.costs import balancer as gcp_balancer

EC2 = (Machine("t3.small", "ec2.t3.hour", 2, 2048), Machine("t4g.small", "ec2.hour", 2, 2048))
GCE = (Machine("e2-small", "gce.hour", 0.5, 2048),)  # the baseline of its shared CPUs
# likewise: https://learn.microsoft.com/azure/virtual-machines/sizes/general-purpose/bv1-series, "Base CPU Performance"
AZURE = (Machine("Standard_B2s", "azurevm.b2s.hour", 0.4, 4096), Machine("Standard_B1s", "azurevm.hour", 0.1, 1024))
DISK_GB = 10  # of a machine on AWS: infra/vm/aws.yaml
OWN = ratings(
    scalability=(1, "as far as the machine goes"),
    security=(3, "data stays with you; you patch and harden the system"),
    ease=(2, "one command over SSH; the machine and its certificate are yours to maintain"),
    integration=(3, "anything that you install"),
)


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the parameters of a platform."""
    machine = next((settings[name] for name in ("InstanceType", "MACHINE", "vmSize") if name in settings), "")
    least = next((int(settings[name]) for name in ("Least", "LEAST", "least") if settings.get(name)), 1)
    front = "internet" if settings.get("Scheme") == "internet-facing" else "http"
    return replace(work, machine=machine, instances=least, front=front)


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price the disks of the machines; logs stay on them."""
    cloud, notes = made.settings.get("cloud", ""), ["identities, firewalls and scaling rules are free; logs stay on the machines"]
    if cloud == "aws":
        lines = [metered("disks, GB", DISK_GB * _count(made.work, EC2), "ebs.gb")]
    elif cloud == "azure":
        lines = [metered("disks", _count(made.work, AZURE), "azuredisk.month")]
    else:
        lines, notes = [], [*notes, "not counted: disks"] if cloud == "gcp" else ["it creates nothing that is paid"]
    return lines, notes


def _count(work: Workload, machines: tuple[Machine, ...]) -> int:
    return work.machines(kind(work, machines).cpus, work.instances)


COSTS = Costs(
    (
        hardware("Your own machine", "none", OWN),
        virtual_machines("EC2 machines", "aws", EC2, aws_balancer, {"Least": "2"}),
        virtual_machines("Compute Engine machines", "gcp", GCE, gcp_balancer, {"LEAST": "2"}),
        virtual_machines("Azure machines", "azure", AZURE, azure_balancer, {"least": "2"}),
    ),
    shape,
    resources,
)
