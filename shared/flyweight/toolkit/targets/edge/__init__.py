"""A device at the edge, with Linux: an agent that answers on the device, and pulls, keeps and forwards."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Edge device", handler="edge", shares="docker")
