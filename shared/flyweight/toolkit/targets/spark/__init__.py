"""Spark: a job that scores tables, on any cluster or in a provider's service."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Spark", handler="spark")
