"""HTML that describes a packed model, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flyweight.models.card import card, parity_text

if TYPE_CHECKING:
    from flyweight.toolkit.packing.pack import Packed


def packed_card(packed: Packed) -> str:
    """Describe a packed model: its engine, the proof, its file, what was converted, and why other engines were skipped."""
    facts = {
        "engine": packed.engine,
        "needs": ", ".join(f"{package} {version}" for package, version in packed.requires.items()) or None,
        "parity": parity_text(packed.parity.document()),
        "narrowed": packed.narrowed,
        "file": packed.path or "not written: give `pack` a path",
        "size": f"{len(packed.data):,} bytes",
        "sha256": packed.sha256,
        "took": f"{packed.seconds:.1f} s",
    }
    steps = [(step.path or "(itself)", step.cls, ", ".join(step.ops)) for step in packed.steps]
    engines = [*packed.skipped.items()]
    tables: list[tuple[Sequence[str], Sequence[Sequence[str]], str]] = []
    tables += [(("step", "class", "ops"), steps, "")] if steps else []
    tables += [(("engine", "why it was skipped"), engines, "")] if engines else []
    return card(f"{packed.name} {packed.version}", facts, tables)
