"""What was built to a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/): the same bytes for the same build.

Written by hand: cyclonedx-python-lib would bring seven packages and take longer to import than a whole build of a pure model
takes.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import flyweight
from flyweight.toolkit.build.archive import MOMENT
from flyweight.toolkit.build.packages import Package

NAMESPACE = uuid.UUID("5b0f1f0c-6b2c-5b57-9d8e-3a4d1c7f2e60")  # any, but always the same


def document(source: dict[str, str], packages: Sequence[Package], listed: Sequence[str], target: str) -> dict[str, Any]:
    """The function's parts: our core, the model, the packages in it, and those that the provider installs from a list.

    :param source: the model's `model`, `version` and `sha256`.
    :param listed: pins of packages that the provider installs, or whoever deploys.
    """
    named = {"name": source["model"], "version": source["version"]}
    model: dict[str, Any] = {"type": "machine-learning-model", "bom-ref": "model", **named}
    model["hashes"] = [{"alg": "SHA-256", "content": source["sha256"]}]
    core = _library(Package("flyweight", flyweight.__version__, 0, "Apache-2.0"))
    others = [_library(package) for package in packages]
    absent = {"properties": [{"name": "flyweight:installed-by", "value": "provider"}]}
    others += [_library(Package(name, number, 0)) | absent for name, _, number in [pin.partition("==") for pin in listed]]
    parts = [core, model, *sorted(others, key=lambda part: str(part["bom-ref"]))]
    root = {"type": "application", "bom-ref": "function", "name": f"{source['model']}-{target}", "version": source["version"]}
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(MOMENT, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "flyweight", "version": flyweight.__version__}]},
            "component": root,
        },
        "components": parts,
        "dependencies": [{"ref": "function", "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    return {**made, "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, json.dumps(made))}"}


def text(made: dict[str, Any]) -> str:
    """As it lies beside what was built."""
    return json.dumps(made, indent=2) + "\n"


def _library(package: Package) -> dict[str, Any]:
    """A package of PyPI."""
    reference = f"pkg:pypi/{package.name}@{package.version}"
    part: dict[str, Any] = {"type": "library", "bom-ref": reference, "name": package.name, "version": package.version}
    part |= {"scope": "required", "purl": reference}
    if package.license:
        part["licenses"] = [{"license": {"name": package.license}}]
    return part
