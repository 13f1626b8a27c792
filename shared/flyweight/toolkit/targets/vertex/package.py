"""The layout of a custom container of Vertex AI: our server, the core, the model.

https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements: the container listens on the port of the
variable AIP_HTTP_PORT, and sets no variable whose name begins with AIP_ itself.
"""

from flyweight.toolkit.targets.dockerfile import dockerfile
from flyweight.toolkit.targets.package import Image, PackageSpec

IMAGE = Image(environ={"FLYWEIGHT_PORT": "$AIP_HTTP_PORT"})
PACKAGE = PackageSpec(architectures=("x86_64",), image=IMAGE, dockerfile=dockerfile(IMAGE))
