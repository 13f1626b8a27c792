"""Azure Functions: packages in `.python_packages`, where `func` puts them as well; a zip of up to 2 GB.

https://learn.microsoft.com/azure/azure-functions/python-build-options
"""

from flyweight.toolkit.targets.package import MIB, Limit, PackageSpec, System

# by the folders of its images' sources; the C library's version is that of the system's release
BULLSEYE, BOOKWORM = System("Debian 11", (2, 31)), System("Debian 12", (2, 36))
# the sources of 3.14's image were not found: it is taken to be no older than that of 3.13
NO_OLDER = System("Debian 12 or later", BOOKWORM.glibc)


def dockerfile(python: str, install: bool) -> str:
    """As `func init --docker` writes it (https://learn.microsoft.com/azure/azure-functions/functions-create-container-registry)."""
    lines = [
        f"FROM mcr.microsoft.com/azure-functions/python:4-python{python}",
        "ENV AzureWebJobsScriptRoot=/home/site/wwwroot AzureFunctionsJobHost__Logging__Console__IsEnabled=true",
    ]
    if install:
        lines += ["COPY requirements.txt /", "RUN python -m pip install --no-cache-dir -r /requirements.txt"]
    return "\n".join([*lines, "COPY . /home/site/wwwroot"]) + "\n"


PACKAGE = PackageSpec(
    architectures=("x86_64",),
    packages=".python_packages/lib/site-packages",
    beside=("azure_custom", "server"),  # a custom handler, which runs where the app's settings name it
    systems={"3.11": BULLSEYE, "3.12": BOOKWORM, "3.13": BOOKWORM, "3.14": NO_OLDER},
    limits=(
        # https://learn.microsoft.com/azure/app-service/deploy-zip has it for the service beneath. For Flex Consumption itself no
        # document that we found gives a number; what instances download at each start says to stay far below.
        Limit(
            "Azure, zip",
            2048 * MIB,
            "build an image (--as image, for Premium or Container Apps), or take another engine (`pure` needs no packages)",
            zipped=True,
            refuses=True,
        ),
    ),
    dockerfile=dockerfile,
)
