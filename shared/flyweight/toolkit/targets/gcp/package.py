"""Google Cloud: its build installs what requirements.txt lists; functions of the first generation are limited.

https://cloud.google.com/functions/quotas (the second generation, on Cloud Run, has no such limit)
"""

from flyweight.toolkit.targets.package import MIB, Limit, PackageSpec, System


def dockerfile(python: str, install: bool) -> str:
    """What Google's buildpacks would make, on Python's own image: functions-framework at the port that Cloud Run names."""
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


FIRST = "deploy to Cloud Run functions (2nd gen), as infra/gcp does: it has no such limit"

PACKAGE = PackageSpec(
    architectures=("x86_64",),
    packages=None,
    systems=dict.fromkeys(("3.11", "3.12", "3.13"), System("Ubuntu 22.04", (2, 35))),  # its stack google-22
    limits=(
        Limit("Cloud Functions (1st gen), files and packages", 500 * MIB, FIRST),
        Limit("Cloud Functions (1st gen), zip", 100 * MIB, FIRST, zipped=True),
    ),
    dockerfile=dockerfile,
)
