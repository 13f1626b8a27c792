"""Hadoop: a mapper of streaming jobs on YARN, in one file with the model."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Hadoop streaming", handler="hadoop", protocols=())
