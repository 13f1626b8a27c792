"""Microsoft's schemas of the resources that `infra/azure` makes: a resource of an ARM template comes in, its faults go out.

`arm_schemas.json` is cut out of https://github.com/Azure/azure-resource-manager-schemas (MIT licence) by
`python -m tests.infra.arm_schemas CHECKOUT COMMIT`: what the template's types need, without descriptions. Where Microsoft's
schemas let any property pass, here only those pass that they name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FILE = Path(__file__).with_suffix(".json")
# the file of each type and version, where its name does not follow from them
FILES = {"Microsoft.Insights/components": "Microsoft.Insights.Application"}
HOST = "https://schema.management.azure.com/schemas/"


def faults(resource: dict[str, Any]) -> list[str]:
    """What Microsoft's schema of a resource's type and version has against it.

    :raises KeyError: there is no schema of that type and version here.
    """
    schemas = _schemas()
    kind = f"{resource['type']}@{resource['apiVersion']}"
    validator = jsonschema.Draft4Validator({**schemas, "$ref": schemas["resources"][kind]})
    return [error.message for error in validator.iter_errors(resource) if not _of_a_text(error)]


def _of_a_text(error: jsonschema.ValidationError) -> bool:
    """Bounds are for what an expression comes to, not for its text."""
    return error.validator == "maxLength" and str(error.instance).startswith("[")


@cache
def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = json.loads(FILE.read_text())
    return schemas


def cut(checkout: Path, commit: str, kinds: list[str]) -> dict[str, Any]:
    """The schemas of `TYPE@VERSION`, with what they refer to, from a checkout of Microsoft's repository."""
    definitions: dict[str, Any] = {}

    @cache
    def file(path: str) -> Any:
        shown = ["git", "-C", str(checkout), "show", f"{commit}:schemas/{path}"]
        return json.loads(subprocess.run(shown, check=True, capture_output=True, text=True).stdout)

    def taken(reference: str, path: str) -> str:
        place, _, pointer = reference.partition("#")
        path = place.removeprefix(HOST) or path
        name = f"{path}{pointer}".replace("/", ".").replace(".json", "")
        if name not in definitions:
            definitions[name] = {}  # for those that refer to themselves
            found = file(path)
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
            schema = {**schema, "properties": {name: one for name, one in schema["properties"].items() if name != "resources"}}
        kept = {key: trimmed(value, path) for key, value in schema.items() if key != "description" or isinstance(value, dict)}
        if "type" in kept and isinstance(kept.get("properties"), dict):
            if "oneOf" in kept:  # forms of one thing, each with properties of its own besides these
                kept.pop("additionalProperties", None)
                for form in kept["oneOf"]:
                    form.pop("additionalProperties", None)
            else:
                kept.setdefault("additionalProperties", False)
        return kept

    def resource(kind: str) -> str:
        whole, _, version = kind.partition("@")
        provider, _, name = whole.partition("/")
        path = f"{version}/{FILES.get(whole, provider)}.json"
        nodes = file(path)
        group = next(one for one in nodes if name.replace("/", "_") in nodes.get(one, {}) and one.endswith("Definitions"))
        return taken(f"#/{group}/{name.replace('/', '_')}", path)

    resources = {kind: resource(kind) for kind in sorted(set(kinds))}
    for reference in resources.values():  # which every resource of a template may have
        definitions[reference.removeprefix("#/definitions/")].get("properties", {}).update(
            {"condition": {}, "dependsOn": {}, "scope": {}, "comments": {}}
        )
    return {"commit": commit, "resources": resources, "definitions": dict(sorted(definitions.items()))}


if __name__ == "__main__":
    template = json.loads((Path(__file__).parents[2] / "infra" / "azure" / "main.json").read_text())
    named = [f"{one['type']}@{one['apiVersion']}" for one in template["resources"]]
    made = cut(Path(sys.argv[1]), sys.argv[2], named)
    lines = [f" {json.dumps(name)}: {json.dumps(one, separators=(',', ':'))}" for name, one in made.pop("definitions").items()]
    head = json.dumps(made, indent=1).removesuffix("\n}")
    FILE.write_text(f'{head},\n "definitions": {{\n' + ",\n".join(lines) + "\n }\n}\n")
