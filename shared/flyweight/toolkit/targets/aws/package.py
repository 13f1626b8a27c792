"""The layout and limits of AWS Lambda: packages at the root, 250 MB with all layers, an image of up to 10 GB.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from flyweight.toolkit.targets.package import MIB, READS, Limit, PackageSpec, System

SMALLER = "use another engine (`flyweight pack` prefers `pure`, which needs no packages)"
# Python 3.12 is the first version on Amazon Linux 2023; the C library's version is that of the system's release
AL2, AL2023 = System("Amazon Linux 2", (2, 26)), System("Amazon Linux 2023", (2, 34))


def dockerfile(python: str, install: bool) -> str:
    """Write a Dockerfile on AWS's base image with its runtime client (docs.aws.amazon.com/lambda/latest/dg/python-image.html)."""
    lines = [f"FROM public.ecr.aws/lambda/python:{python}"]
    if install:
        packages = 'RUN python -m pip install --no-cache-dir -r requirements.txt -t "${LAMBDA_TASK_ROOT}"'
        lines += ["COPY requirements.txt .", packages]
    return "\n".join([*lines, "COPY . ${LAMBDA_TASK_ROOT}/", 'CMD ["app.lambda_handler"]']) + "\n"


PACKAGE = PackageSpec(
    architectures=("arm64", "x86_64"),  # the same default as in infra/aws/template.yaml
    systems={"3.11": AL2, "3.12": AL2023, "3.13": AL2023, "3.14": AL2023},
    first=("aws_client", "aws_client_site", "app"),
    layer="python",
    limits=(
        Limit(
            "Lambda, unzipped with all layers",
            250 * MIB,
            f"build an image (--as image, up to 10 GB), or {SMALLER}",
            refuses=True,
        ),
        Limit(
            "Lambda, zip uploaded directly",
            50 * MIB,
            "upload through S3, as `sam deploy` does, or with `aws lambda update-function-code --s3-bucket`",
            zipped=True,
        ),
        Limit("Lambda, image", 10_000 * MIB, SMALLER, refuses=True, forms=("image",)),
    ),
    dockerfile=dockerfile,
    reads=(*READS, "s3"),
)
