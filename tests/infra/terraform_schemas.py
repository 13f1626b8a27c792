"""The schemas of Terraform's providers for Google Cloud and Azure, as far as `infra/terraform` uses them.

`terraform_schemas.json` is read out of the bindings that HashiCorp generated from the providers themselves, npm's
`@cdktf/provider-google` 16.12.1 (of google 6.50.0) and `@cdktf/provider-azurerm` 14.23.1 (of azurerm 4.55.0), both MPL-2.0:
`python -m tests.infra.terraform_schemas FOLDER_OF_GOOGLE FOLDER_OF_AZURERM`. Names, types, nesting and what is required.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")
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


def cut(package: Path, provider: str) -> dict[str, Any]:
    """The schemas of one provider's types that our modules name."""
    version = json.loads((package / "package.json").read_text())["cdktf"]["provider"]["version"]
    text = "\n".join(path.read_text() for path in MODULES.glob("*/*.tf"))
    own = schema((package / "lib" / "provider" / "index.d.ts").read_text())
    blocks = {name: one for name, one in own["blocks"].items() if name == "features"}  # the others are for who needs them
    found: dict[str, Any] = {"version": version, "provider": {"attributes": {}, "blocks": blocks}, "resources": {}, "data": {}}
    for word, place in (("resource", "resources"), ("data", "data")):
        for kind in sorted(set(re.findall(rf'^{word} "({provider}_\w+)"', text, re.MULTILINE))):
            short = kind.removeprefix(f"{provider}_").replace("_", "-")
            folders = [f"data-{provider}-{short}"] if word == "data" else [short, f"{provider}-{short}", kind.replace("_", "-")]
            folder = next(package / "lib" / one for one in folders if (package / "lib" / one).is_dir())
            found[place][kind] = schema((folder / "index.d.ts").read_text())
    return found


if __name__ == "__main__":
    made = {name: cut(Path(place), name) for name, place in zip(("google", "azurerm"), sys.argv[1:], strict=True)}
    text = json.dumps(made, sort_keys=True, separators=(",", ":"))
    FILE.write_text(re.sub(r'"(?=(?:google|azurerm)\w+":)', '\n"', text) + "\n")  # a line for each
