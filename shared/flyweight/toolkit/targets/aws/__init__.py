"""AWS Lambda."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="AWS Lambda", handler="aws", cloud="aws")
