"""How flyweight was installed here, as the words that install it with more extras (PEP 610)."""

import json
import re
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from flyweight import __version__

DISTRIBUTIONS = {
    "cyclonedx": "cyclonedx-python-lib",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}  # by module, if named otherwise
CHECKOUT = Path(__file__).resolve().parents[3]


def requirement(*extras: str) -> str:
    """Write the requirement of this flyweight: by the folder, the file or the commit that it came from, or by its version."""
    origin = _origin()
    name = f"flyweight[{','.join(extras)}]" if extras else "flyweight"
    if not origin:
        return f"{name}>={__version__}"
    commit = origin.get("vcs_info", {})
    url = f"{commit['vcs']}+{origin['url']}@{commit['commit_id']}" if commit else origin["url"]
    return f"{name} @ {url}"


def command(*extras: str) -> str:
    """Write the pip command that adds extras to this flyweight; an editable checkout stays editable."""
    if _origin().get("dir_info", {}).get("editable"):
        return f"pip install {shlex.join(arguments(*extras))}"
    return f"pip install {shlex.quote(requirement(*extras).partition('>=')[0])}"


def arguments(*extras: str) -> list[str]:
    """Write the words after `pip install` that install exactly this flyweight elsewhere; an editable checkout is followed."""
    origin = _origin()
    if origin.get("dir_info", {}).get("editable"):
        folder = url2pathname(urlsplit(origin["url"]).path)
        return ["-e", f"{folder}[{','.join(extras)}]"]
    return [requirement(*extras).replace(">=", "==") if not origin else requirement(*extras)]


def bringing(module: str) -> str:
    """Say how to install a module that is missing here: by the pip command of the extra that has it, `toolkit` first."""
    name = module.partition(".")[0].replace("_", "-").lower()
    name = DISTRIBUTIONS.get(name, name)
    try:
        listed = distribution("flyweight").requires or []
    except PackageNotFoundError:
        listed = []
    extras = [found[1] for line in listed if (found := re.search(rf"^{re.escape(name)}\b(?!-).*extra == ['\"]([\w-]+)", line))]
    return command("toolkit" if "toolkit" in extras else extras[0]) if extras else "install the package that has it"


def _origin() -> dict[str, Any]:
    """What the installer recorded of where the package came from; empty if that was a package registry."""
    try:
        origin: dict[str, Any] = json.loads(distribution("flyweight").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:  # the sources are on the path, and nothing was installed
        return {"url": CHECKOUT.as_uri(), "dir_info": {"editable": True}}
    return origin
