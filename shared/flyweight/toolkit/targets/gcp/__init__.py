"""Cloud Run functions."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Cloud Run functions", handler="gcp", cloud="gcp")
