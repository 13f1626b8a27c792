"""The toy takes a folder as it is."""

from flyweight.toolkit.targets.package import PackageSpec

PACKAGE = PackageSpec()
