"""The layout of a machine's folder: our server, its units, what installs it, the core, the model."""

from flyweight.toolkit.targets.package import PackageSpec, System

# the Python of each system's own repository: https://packages.debian.org/python3 and https://packages.ubuntu.com/noble/python3
SYSTEMS = {"3.11": System("Debian 12", (2, 36)), "3.12": System("Ubuntu 24.04", (2, 39)), "3.13": System("Debian 13", (2, 41))}
PACKAGE = PackageSpec(beside=("server",), systems=SYSTEMS)
