"""The layout of a SageMaker container: our server, the core, the model.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html: SageMaker starts the image with the word
`serve` in place of the image's own, as root, and asks it on port 8080. The labels say that the container takes another port from
a variable, and loads and unloads models when it is asked to.
"""

from flyweight.toolkit.targets.dockerfile import dockerfile
from flyweight.toolkit.targets.package import Image, Limit, PackageSpec

CAPABILITIES = "com.amazonaws.sagemaker.capabilities"
IMAGE = Image(
    arguments=("serve",),
    health="/ping",
    labels={f"{CAPABILITIES}.accept-bind-to-port": "true", f"{CAPABILITIES}.multi-models": "true"},
)
# https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html: "The maximum size of the container image"
LARGEST = Limit("image of a serverless endpoint", 10 * (1 << 30), "choose Kind=realtime", forms=("folder", "image", "oci"))
# the first one is that of SageMaker's usual machines
PACKAGE = PackageSpec(image=IMAGE, dockerfile=dockerfile(IMAGE), limits=(LARGEST,))
