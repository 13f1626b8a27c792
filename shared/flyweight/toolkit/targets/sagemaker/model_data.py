"""Write model.tar.gz, which SageMaker unpacks below /opt/ml/model before it starts a container.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html#your-algorithms-inference-code-load-artifacts
"""

from __future__ import annotations

from pathlib import Path

from flyweight.toolkit.building.folder import MODEL, MOMENT
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.images.layers import Entry, write

SIGNATURE = f"{MODEL}.sig"


def archive(folder: Path, out: Path) -> Path:
    """Write the model of a built folder, and its digital signature if there is one, as an archive with the same bytes each time.

    :raises DeployFailed: the folder holds the address of a model, and not the model.
    """
    if not (folder / MODEL).is_file():
        message = f"{folder} holds the address of a model, which a container without a network can't load"
        raise DeployFailed(message, "build it with the model file: flyweight build sagemaker --model FILE")
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        write([Entry(name, 0o644, folder / name) for name in (MODEL, SIGNATURE) if (folder / name).is_file()], MOMENT, file)
    return out
