"""Run a built folder as a pod's container does."""

from flyweight.toolkit.targets.served_runtime import ServedRuntime


class Runtime(ServedRuntime):
    """A folder of `flyweight build kubernetes`; an event is a plain request."""

    TARGET = "kubernetes"
