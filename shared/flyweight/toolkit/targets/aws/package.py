"""AWS Lambda: packages at the root, 250 MB with all layers, an image of up to 10 GB.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from flyweight.toolkit.targets.package import MIB, Limit, Target

SMALLER = "take another engine (`flyweight pack` prefers `pure`, which needs no packages)"


def dockerfile(python: str, install: bool) -> str:
    """On AWS's base image, which has the runtime client (https://docs.aws.amazon.com/lambda/latest/dg/python-image.html)."""
    lines = [f"FROM public.ecr.aws/lambda/python:{python}"]
    if install:
        packages = 'RUN python -m pip install --no-cache-dir -r requirements.txt -t "${LAMBDA_TASK_ROOT}"'
        lines += ["COPY requirements.txt .", packages]
    return "\n".join([*lines, "COPY . ${LAMBDA_TASK_ROOT}/", 'CMD ["app.lambda_handler"]']) + "\n"


TARGET = Target(
    architectures=("arm64", "x86_64"),  # as infra/aws/template.yaml has it
    older=("3.11",),  # Amazon Linux 2, glibc 2.26; later Pythons are on Amazon Linux 2023, glibc 2.34
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
            "upload through S3, as `sam deploy` does by itself, and `aws lambda update-function-code --s3-bucket`",
            zipped=True,
        ),
        Limit("Lambda, image", 10_000 * MIB, SMALLER, refuses=True, forms=("image",)),
    ),
    dockerfile=dockerfile,
)
