"""The layout of a device's folder: the agent over our server, its unit, what installs it, the core, the model."""

from flyweight.toolkit.targets.dockerfile import dockerfile
from flyweight.toolkit.targets.package import READS, Image, PackageSpec, System

# the Python of each system's own repository: https://packages.debian.org/python3, which Raspberry Pi OS follows, and
# https://packages.ubuntu.com/noble/python3, on which JetPack 7 is built
SYSTEMS = {"3.11": System("Debian 12", (2, 36)), "3.12": System("Ubuntu 24.04", (2, 39)), "3.13": System("Debian 13", (2, 41))}
# of an image: a new volume at /tmp has the permissions of the image's own /tmp, to which every user may write
STATE = "/tmp/flyweight"
IMAGE = Image(command=("python3", "edge_main.py"), environ={"FLYWEIGHT_EDGE_STATE": STATE})
PACKAGE = PackageSpec(
    architectures=("arm64", "x86_64"),
    beside=("server",),
    systems=SYSTEMS,
    image=IMAGE,
    dockerfile=dockerfile(IMAGE),
    reads=(*READS, "s3"),
)
