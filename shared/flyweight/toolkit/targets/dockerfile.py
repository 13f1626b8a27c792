"""Write the Dockerfile of an image that runs our own server: Python's slim image, and the built folder on top."""

import json
from collections.abc import Callable

from flyweight.toolkit.targets.package import Image


def dockerfile(image: Image) -> Callable[[str, bool], str]:
    """Return the writer of an image's Dockerfile, as `PackageSpec.dockerfile` has it.

    Without packages to install it runs nothing while it is built, so that a base without a shell will do.
    """

    def write(python: str, install: bool) -> str:
        lines = [f"FROM python:{python}-slim", f"WORKDIR {image.folder}"]
        if install:
            lines += ["COPY requirements.txt .", "RUN python3 -m pip install --no-cache-dir -r requirements.txt"]
        # a $ is a letter here: https://docs.docker.com/reference/dockerfile/#environment-replacement
        values = {name: json.dumps(value).replace("$", r"\$") for name, value in image.variables.items()}
        lines += ["COPY . .", *(f"ENV {name}={value}" for name, value in values.items())]
        lines += [f"LABEL {name}={json.dumps(value)}" for name, value in image.labels.items()]
        lines += [f"USER {image.user}"]
        if image.health:
            lines += [f"EXPOSE {image.port}", f"HEALTHCHECK CMD {json.dumps(['python3', *image.check])}"]
        lines += [f"ENTRYPOINT {json.dumps(list(image.command))}", f"CMD {json.dumps(list(image.arguments))}"]
        return "\n".join(lines) + "\n"

    return write
