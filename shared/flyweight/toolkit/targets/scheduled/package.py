"""The layout of a job's folder: its program, the core with the scorer of record batches, the model."""

from flyweight.toolkit.targets.dockerfile import dockerfile
from flyweight.toolkit.targets.package import Image, PackageSpec

IMAGE = Image(command=("python3", "scheduled_main.py"), health="")
PACKAGE = PackageSpec(batches=True, image=IMAGE, dockerfile=dockerfile(IMAGE))
