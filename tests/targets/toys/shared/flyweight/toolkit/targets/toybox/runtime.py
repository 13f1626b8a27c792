"""The toy box runs functions as the toy does."""

from flyweight.toolkit.targets.toy.runtime import Runtime

__all__ = ["Runtime"]
