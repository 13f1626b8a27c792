"""The toy box: a target with all facets, whose provider is a folder of this machine."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Toy box", handler="toy", cloud="toyland", protocols=("native", "toy"))
