"""The layout and limits of Google Cloud: its build installs requirements.txt; only first-generation functions are limited.

https://cloud.google.com/functions/quotas (the second generation, on Cloud Run, has no such limit)
"""

from flyweight.toolkit.targets.package import MIB, Limit, PackageSpec, System


def dockerfile(python: str, install: bool) -> str:
    """Write a Dockerfile on Python's own image that runs functions-framework, as an image of Google's buildpacks does."""
    lines = [
        f"FROM python:{python}-slim",
        "WORKDIR /app",
        "COPY requirements.txt .",
        "RUN python -m pip install --no-cache-dir -r requirements.txt",  # functions-framework, for every engine
        "COPY . .",
        "USER 65534:65534",
        'CMD ["functions-framework", "--target=predict"]',
    ]
    return "\n".join(lines) + "\n"


# its stacks google-22 and google-24 (https://docs.cloud.google.com/run/docs/runtimes/python)
JAMMY, NOBLE = System("Ubuntu 22.04", (2, 35)), System("Ubuntu 24.04", (2, 39))
FIRST = "deploy to Cloud Run functions (2nd gen), as infra/gcp does: it has no such limit"

PACKAGE = PackageSpec(
    architectures=("x86_64",),
    packages=None,
    systems={"3.11": JAMMY, "3.12": JAMMY, "3.13": JAMMY, "3.14": NOBLE},
    limits=(
        Limit("Cloud Functions (1st gen), files and packages", 500 * MIB, FIRST),
        Limit("Cloud Functions (1st gen), zip", 100 * MIB, FIRST, zipped=True),
    ),
    dockerfile=dockerfile,
)
