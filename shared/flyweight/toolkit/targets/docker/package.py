"""The layout of a container's folder: our server, the core, the model."""

from flyweight.toolkit.targets.dockerfile import dockerfile
from flyweight.toolkit.targets.package import Image, PackageSpec

IMAGE = Image()
PACKAGE = PackageSpec(image=IMAGE, dockerfile=dockerfile(IMAGE))
