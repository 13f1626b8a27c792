"""The layout of a folder for Azure ML, which serves three ways: `score.py`, `batch_driver.py`, and the server of a container."""

from flyweight.toolkit.targets.dockerfile import dockerfile
from flyweight.toolkit.targets.package import Image, PackageSpec

IMAGE = Image(command=("python3", "azure_ml_container.py"))
PACKAGE = PackageSpec(architectures=("x86_64",), beside=("azure_ml_server", "server"), image=IMAGE, dockerfile=dockerfile(IMAGE))
