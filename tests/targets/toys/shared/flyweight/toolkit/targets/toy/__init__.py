"""The toy: it can be built and run on this machine, and can neither be deployed nor priced."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Toy", handler="toy", protocols=("native", "toy"))
