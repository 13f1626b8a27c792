"""Managed endpoints of Azure Machine Learning: by `score.py` in Microsoft's inference server, or by a container of ours."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Azure ML", handler="azure_ml", cloud="azure", protocols=("azure_ml",), shares="docker")
