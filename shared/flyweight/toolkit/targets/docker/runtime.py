"""Run a built folder as its container does."""

from flyweight.toolkit.targets.served_runtime import ServedRuntime


class Runtime(ServedRuntime):
    """A folder of `flyweight build docker`; an event is a plain request."""

    TARGET = "docker"
