"""A virtual machine of any cloud, or any Linux machine with systemd: our own HTTP server behind a hardened unit."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Virtual machine", handler="vm", shares="docker")
