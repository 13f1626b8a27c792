"""The schemas of Terraform's providers for Google Cloud and Azure, as far as `infra/terraform` uses them.

They are read out of the bindings that HashiCorp generated from the providers themselves: names, types, nesting, what is required.
`.ci/install-terraform-schemas` gets those.
"""

from __future__ import annotations

import json
import re
import tarfile
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).parents[2] / ".tools" / "terraform-schemas"
MODULES = Path(__file__).parents[2] / "infra" / "terraform"
TYPES = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "string[]": ["list", "string"],
    "number[]": ["list", "number"],
    "cdktf.StringMap": ["map", "string"],
}
INTERFACE = re.compile(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
# comment, the argument's own name, whether it may be left out, its type
ARGUMENT = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\s*readonly \w+(\??): ([^\n]+);", re.DOTALL)
NAMED = re.compile(r"Docs at Terraform Registry: \{@link [^ }]+#(\w+) ")
GETTER = re.compile(r"^    get (\w+)\(\): ([^\n]+);", re.MULTILINE)


def block(name: str, interfaces: dict[str, str]) -> dict[str, Any]:
    """What may stand in one block."""
    attributes, blocks = {}, {}
    for comment, optional, written in ARGUMENT.findall(interfaces[name]):
        plain = written.replace(" | cdktf.IResolvable", "")
        (argument,) = NAMED.findall(comment)
        if re.search(rf"^\s*\* {argument} block$", comment, re.MULTILINE):
            least = 0 if optional else 1
            inner = block(plain.removesuffix("[]"), interfaces)
            blocks[argument] = {"least": least, "most": 0 if plain.endswith("[]") else 1, "block": inner}
        elif plain in TYPES:
            attributes[argument] = {"type": TYPES[plain], "required": not optional}
    return {"attributes": attributes, "blocks": blocks}


def schema(text: str) -> dict[str, Any]:
    """A resource, with what it tells of itself when it is there."""
    text = re.sub(r"\{\s*\[key: string\]: string;\s*\}", "cdktf.StringMap", text)
    interfaces = dict(INTERFACE.findall(text))
    name = next(one for one in interfaces if one.endswith("Config"))
    made = block(name, interfaces)
    own = text[text.index(f"export declare class {name.removesuffix('Config')} ") :]
    for getter, kind in GETTER.findall(own):
        argument = re.sub(r"(?<!^)([A-Z])", r"_\1", getter).lower()
        kind = kind.replace("cdktf.IResolvable", "boolean")
        if kind in TYPES and argument not in made["attributes"] and not argument.endswith("_input"):
            made["attributes"][argument] = {"type": TYPES[kind], "computed": True}
    return made


@cache
def schemas(provider: str) -> dict[str, Any]:
    """The schemas of a provider itself and of its types that our modules name.

    :raises FileNotFoundError: its bindings are not here (`.ci/install-terraform-schemas`).
    """
    text = "\n".join(path.read_text() for path in MODULES.glob("*/*.tf"))
    wanted = {
        (place, kind): [f"lib/{folder}/index.d.ts" for folder in _folders(word, kind, provider)]
        for word, place in (("resource", "resources"), ("data", "data"))
        for kind in sorted(set(re.findall(rf'^{word} "({provider}_\w+)"', text, re.MULTILINE)))
    }
    files = _read(provider, {"package.json", "lib/provider/index.d.ts", *chain.from_iterable(wanted.values())})
    version = json.loads(files["package.json"])["cdktf"]["provider"]["version"]
    own = schema(files["lib/provider/index.d.ts"])
    blocks = {name: one for name, one in own["blocks"].items() if name == "features"}  # the others are for who needs them
    found: dict[str, Any] = {"version": version, "provider": {"attributes": {}, "blocks": blocks}, "resources": {}, "data": {}}
    for (place, kind), names in wanted.items():
        found[place][kind] = schema(next(files[name] for name in names if name in files))
    return found


def _folders(word: str, kind: str, provider: str) -> list[str]:
    """Where a type may be in the bindings."""
    short = kind.removeprefix(f"{provider}_").replace("_", "-")
    return [f"data-{provider}-{short}"] if word == "data" else [short, f"{provider}-{short}", kind.replace("_", "-")]


def _read(provider: str, names: set[str]) -> dict[str, str]:
    """Files of a package, those that it has."""
    found = {}
    with tarfile.open(PACKAGES / f"{provider}.tgz") as package:
        for member in package:
            name = member.name.removeprefix("package/")
            if name in names and (file := package.extractfile(member)) is not None:
                found[name] = file.read().decode()
    return found
