"""The toy box takes a folder of up to a gigabyte."""

from flyweight.toolkit.targets.package import MIB, Limit, PackageSpec, System

PACKAGE = PackageSpec(
    systems={"3.13": System("Debian 12", (2, 36))},
    limits=(Limit("toy box", 1024 * MIB, "take another engine", refuses=True),),
)
