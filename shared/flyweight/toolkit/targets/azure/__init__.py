"""Azure Functions."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Azure Functions", handler="azure", cloud="azure")
