"""Write the image of a build: the folder's own layers on the base that the build names."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flyweight.settings import ADDRESS_FILE
from flyweight.toolkit import images
from flyweight.toolkit.building.archive import MOMENT
from flyweight.toolkit.building.assembly import MODEL, SIGNATURE, Installed
from flyweight.toolkit.building.spec import BuildSpec
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.images import bases
from flyweight.toolkit.images.bases import Base
from flyweight.toolkit.images.layout import Layout
from flyweight.toolkit.targets.package import MARKER

OF_THE_MODEL = frozenset({MODEL, SIGNATURE, ADDRESS_FILE, MARKER})  # files that are others for another model


@contextmanager
def base(spec: BuildSpec) -> Iterator[list[Base]]:
    """Open the base of a build, and check first that it has the build's Python; a build without a base has none.

    :raises ImageRefused: it is damaged, or has another Python.
    """
    if spec.options.form != "oci":
        yield []
        return
    layout = Layout(Path(spec.options.base))
    try:
        found = bases.read(layout)
        for one in found:
            one.python(spec.options.python)
        yield found
    finally:
        layout.close()


def write(spec: BuildSpec, below: list[Base], folder: Path, installed: Installed, parts: Path, out: Path) -> images.Written:
    """Write the layout of an image.

    :param below: the base, as `base` opened it.
    :param folder: the built folder, whose permissions are settled.
    :param parts: the list of its parts.
    :param out: the layout's folder, which does not exist.
    :raises ImageRefused: the base is damaged, or can't run the folder.
    :raises BuildFailed: the folder needs packages that are not in it.
    """
    assert spec.package.image is not None  # as `spec.checked` has asked
    if installed.pins and not installed.shipped:
        step = "build without --no-install; an image installs nothing when it starts"
        raise BuildFailed(f"the image would lack {', '.join(installed.pins)}", step)
    source = spec.source
    contents = images.Contents(
        folder=folder,
        image=spec.package.image,
        python=spec.options.python,
        machine=spec.arch if installed.shipped else spec.options.arch or "",
        moment=MOMENT,
        labels={"title": source["model"], "version": source["version"], "revision": source["sha256"]},
        tag=re.sub(r"[^A-Za-z0-9_.-]", "-", source["version"]),
        model=OF_THE_MODEL,
        parts=parts.read_bytes(),
    )
    return images.write(contents, below, out)
