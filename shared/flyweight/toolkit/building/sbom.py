"""Write the parts of a build as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/), with reproducible bytes.

The CycloneDX project's own library writes it, see docs/decisions/0016-parts-and-locks.md.
"""

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

import flyweight
from flyweight.toolkit.building.archive import MOMENT
from flyweight.toolkit.building.packages import Package

NAMESPACE = uuid.UUID("5b0f1f0c-6b2c-5b57-9d8e-3a4d1c7f2e60")  # arbitrary but fixed
TIME = datetime.fromtimestamp(MOMENT, UTC)


def text(source: dict[str, str], packages: Sequence[Package], listed: Sequence[str], target: str, shipped: bool = True) -> str:
    """Describe the function's parts: the core, the model, its packages, and packages that are installed elsewhere.

    :param source: the model's `model`, `version` and `sha256`.
    :param listed: requirements that the provider or the user installs.
    :param shipped: whether `packages` are in the folder; otherwise the provider installs them.
    """
    named: dict[str, Any] = {"name": source["model"], "version": source["version"]}
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=source["sha256"])]
    model = Component(type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref="model", hashes=hashes, **named)
    parts = [model, _library(Package("flyweight", flyweight.__version__, 0, "Apache-2.0"))]
    elsewhere = [Property(name="flyweight:installed-by", value="provider")]
    parts += [_library(package, () if shipped else elsewhere) for package in packages]
    parts += [_library(Package(name, number, 0), elsewhere) for name, number in map(_parted, listed)]
    named["name"] += f"-{target}"
    root = Component(type=ComponentType.APPLICATION, bom_ref="function", **named)
    tool = Component(type=ComponentType.APPLICATION, name="flyweight", version=flyweight.__version__)
    about = BomMetaData(timestamp=TIME, tools=ToolRepository(components=[tool]), component=root)
    # The id is a hash of the contents, so the document is written twice.
    draft = _written(Bom(serial_number=NAMESPACE, metadata=about, components=parts), parts)
    return _written(Bom(serial_number=uuid.uuid5(NAMESPACE, draft), metadata=about, components=parts), parts)


def _parted(requirement: str) -> tuple[str, str]:
    """Parse a line of a requirements.txt into a name, and a version if it has one."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    number = re.search(r"==\s*([0-9][^*,;\s]*)\s*(?:;|$)", requirement)
    return name, number[1] if number else ""


def _written(bom: Bom, parts: Sequence[Component]) -> str:
    assert bom.metadata.component is not None
    bom.register_dependency(bom.metadata.component, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _library(package: Package, properties: Sequence[Property] = ()) -> Component:
    """Describe a package of PyPI."""
    url = PackageURL("pypi", None, package.name, package.version or None)
    named: dict[str, Any] = {"name": package.name, "version": package.version or None, "bom_ref": str(url), "purl": url}
    licenses = [LicenseFactory().make_from_string(package.license)] if package.license else []
    return Component(type=ComponentType.LIBRARY, scope=ComponentScope.REQUIRED, licenses=licenses, properties=properties, **named)
