"""The layout of a Cloud Run service: Google's build installs requirements.txt, if there is one, and starts what Procfile says.

https://docs.cloud.google.com/docs/buildpacks/service-specific-configs
"""

from dataclasses import replace

from flyweight.toolkit.targets.dockerfile import dockerfile
from flyweight.toolkit.targets.gcp.package import PACKAGE as FUNCTION
from flyweight.toolkit.targets.package import Image

IMAGE = Image(command=("python3", "cloudrun_main.py"))
PACKAGE = replace(FUNCTION, beside=("server", "gcp"), limits=(), image=IMAGE, dockerfile=dockerfile(IMAGE))
