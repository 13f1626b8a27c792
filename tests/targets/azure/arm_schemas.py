"""Microsoft's schemas of the resources that `infra/azure` makes: a resource of an ARM template comes in, its faults go out.

They are https://github.com/Azure/azure-resource-manager-schemas, no part of this repository: some may lie beside a checkout, all
are where ARM_SCHEMAS leads, to their own folder `schemas`. Where they let any property pass, here only those pass that they name.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FOLDER = Path(os.environ.get("ARM_SCHEMAS") or Path(__file__).parents[4] / "shared" / "data" / "arm")
# the file of a type, or of all of a provider's types, where its name does not follow from them
FILES = {"Microsoft.Insights/components": "Microsoft.Insights.Application", "Microsoft.Network": "Microsoft.Network.NRP"}
HOST = "https://schema.management.azure.com/schemas/"


def faults(resource: dict[str, Any]) -> list[str]:
    """What Microsoft's schema of a resource's type and version has against it.

    :raises LookupError: there is no schema of that type and version here.
    """
    kind = f"{resource['type']}@{resource['apiVersion']}"
    try:
        validator = jsonschema.Draft4Validator(schema_of(kind))
    except FileNotFoundError:
        raise LookupError(f"no schema of {kind}") from None
    return [error.message for error in validator.iter_errors(resource) if not _of_a_text(error)]


def _of_a_text(error: jsonschema.ValidationError) -> bool:
    """Bounds are for what an expression comes to, not for its text."""
    return error.validator == "maxLength" and str(error.instance).startswith("[")


@cache
def _file(path: str) -> Any:
    """One of Microsoft's files: in a folder a version, as they have them, or all in one."""
    whole = FOLDER / path
    return json.loads((whole if whole.is_file() else FOLDER / path.replace("/", ".")).read_text())


@cache
def schema_of(kind: str) -> dict[str, Any]:
    """The schema of `TYPE@VERSION`, with what it refers to."""
    definitions: dict[str, Any] = {}

    def taken(reference: str, path: str) -> str:
        place, _, pointer = reference.partition("#")
        path = place.removeprefix(HOST) or path
        name = f"{path}{pointer}".replace("/", ".").replace(".json", "")
        if name not in definitions:
            definitions[name] = {}  # for those that refer to themselves
            found = _file(path)
            for step in pointer.strip("/").split("/"):
                found = found[step]
            definitions[name] = trimmed(found, path)
        return f"#/definitions/{name}"

    def trimmed(schema: Any, path: str) -> Any:
        if isinstance(schema, list):
            return [trimmed(one, path) for one in schema]
        if not isinstance(schema, dict):
            return schema
        if isinstance(schema.get("$ref"), str):
            return {"$ref": taken(schema["$ref"], path)}
        if isinstance(schema.get("properties"), dict):  # children, which our templates have beside their parents
            own = {name: one for name, one in schema["properties"].items() if name != "resources" or one.get("type") != "array"}
            schema = {**schema, "properties": own}
        kept = {key: trimmed(value, path) for key, value in schema.items() if key != "description" or isinstance(value, dict)}
        if "type" in kept and isinstance(kept.get("properties"), dict):
            if "oneOf" in kept:  # forms of one thing, each with properties of its own besides these
                kept.pop("additionalProperties", None)
                for form in kept["oneOf"]:
                    form.pop("additionalProperties", None)
            else:
                kept.setdefault("additionalProperties", False)
        return kept

    whole, _, version = kind.partition("@")
    provider, _, name = whole.partition("/")
    path = f"{version}/{FILES.get(whole) or FILES.get(provider, provider)}.json"
    nodes = _file(path)
    group = next(one for one in nodes if name.replace("/", "_") in nodes.get(one, {}) and one.endswith("Definitions"))
    reference = taken(f"#/{group}/{name.replace('/', '_')}", path)
    # which every resource of a template may have
    more: dict[str, Any] = {"condition": {}, "dependsOn": {}, "scope": {}, "comments": {}, "metadata": {}}
    definitions[reference.removeprefix("#/definitions/")].get("properties", {}).update(more)
    return {"$ref": reference, "definitions": definitions}
