"""Read the optional tables of targets: prices, limits and residency, each a JSON document in a target's folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyweight.toolkit import targets


def by_target(name: str) -> dict[str, dict[str, Any]]:
    """Read `NAME.json` of each target that has it, by the target's name."""
    found = {target.name: target.table(name) for target in targets.all_targets()}
    return {target: table for target, table in found.items() if table}


def by_cloud(name: str) -> dict[str, dict[str, Any]]:
    """Read `NAME.json` by cloud: the first target with this table represents its cloud."""
    found: dict[str, dict[str, Any]] = {}
    for target, table in by_target(name).items():
        found.setdefault(targets.find(target).cloud, table)
    return found


def entries(name: str, key: str) -> Iterator[tuple[str, Any]]:
    """The named entries under one key of `NAME.json`, of all targets."""
    for table in by_target(name).values():
        yield from table.get(key, {}).items()
