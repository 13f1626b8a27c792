"""Read the variables of deployment scripts, which set their defaults by `: "${NAME:=default}"`, and refuse unknown ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed


def defaults(scripts: Sequence[Path]) -> dict[str, str]:
    """Read the default of each variable."""
    texts = [path.read_text(encoding="utf-8") for path in scripts]
    return dict(found for text in texts for found in re.findall(r'"\$\{([A-Z_]+):=([^}]*)\}"', text))


def refuse_unknown(given: Iterable[str], known: Mapping[str, str], scripts: Sequence[str]) -> None:
    """Check that the scripts have these variables.

    :param known: the variables with their defaults.
    :param scripts: their paths in `infra/`.
    :raises DeployFailed: they do not have one.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known)
            hint = f" ({', '.join(near)}?)" if near else ""
            step = f"see the comment at the top of {' and of '.join(f'infra/{path}' for path in scripts)}"
            raise DeployFailed(f"the script has no variable {name}{hint}", step)
