"""HTML that describes a model, for notebooks: plain, without scripts, and readable on light and on dark pages."""

from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from flyweight.models.file import ModelFile
    from flyweight.models.signature import Feature, Signature

FEATURES_SHOWN = 20
LISTED = 6  # categories of a feature
# No colour of text or ground is set, so that the notebook's own are used.
BLOCK = "display:inline-block;max-width:100%;overflow-x:auto;font-size:13px;line-height:1.5"
TABLE = "border-collapse:collapse;margin:4px 0 8px 0;color:inherit;font-size:inherit"  # some pages let tables inherit nothing
CELL = "text-align:left;vertical-align:top;padding:1px 14px 1px 0;border:0;white-space:pre-wrap;overflow-wrap:anywhere"
HEAD = f"{CELL};font-weight:600;border-bottom:1px solid rgba(128,128,128,.4)"
NAME = f"{CELL};opacity:.7;white-space:nowrap"


def model_card(file: "ModelFile", signature: "Signature", name: str, version: str) -> str:
    """Describe a loaded model: its engine, parity, size and hash, and its signature as a table."""
    document = file.document
    engines = document.get("engines")
    provenance = document.get("provenance")
    facts = {
        "task": signature.task + ("" if signature.outputs == 1 else f", {signature.outputs} outputs"),
        "estimator": provenance.get("estimator") if isinstance(provenance, dict) else None,
        "classes": "; ".join(_listed(labels) for labels in (signature.classes or [])[:LISTED]) or None,
        "engine": ", ".join(map(str, engines)) if isinstance(engines, list) else None,
        "parity": parity_text(document.get("parity")),
        "size": f"{len(file.data):,} bytes",
        "sha256": file.sha256,
    }
    rows = [_feature(feature) for feature in signature.features[:FEATURES_SHOWN]]
    left = len(signature.features) - FEATURES_SHOWN
    header = ("feature", "kind", "values")
    return card(f"{name} {version}", facts, [(header, rows, f"and {left:,} more features" if left > 0 else "")])


def card(
    title: str, facts: "Mapping[str, Any]", tables: "Iterable[tuple[Sequence[str], Sequence[Sequence[str]], str]]" = ()
) -> str:
    """Write a title, names with their values, and tables; all text is escaped.

    :param facts: those whose value is None are left out.
    :param tables: of each the header, the rows, and a line below them or "".
    """
    lines = "".join(_line(NAME, CELL, (name, value)) for name, value in facts.items() if value is not None)
    parts = [f'<div style="font-weight:600">{escape(title)}</div>', f'<table style="{TABLE}">{lines}</table>']
    for header, rows, below in tables:
        heading = "".join(f'<th style="{HEAD}">{escape(word)}</th>' for word in header)
        body = "".join(_line(CELL, CELL, row) for row in rows)
        parts.append(f'<table style="{TABLE}"><thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table>')
        parts.append(f'<div style="opacity:.7">{escape(below)}</div>' if below else "")
    return f'<div style="{BLOCK}">{"".join(parts)}</div>'


def parity_text(parity: "Any") -> "str | None":
    """Describe the comparison with the estimator; None if the file has none."""
    if not isinstance(parity, dict):
        return None
    sample, edges, bounds = (parity.get(key) for key in ("rows_sample", "rows_edge", "bounds"))
    if not bounds:
        return "not compared"
    differences, largest = parity.get("label_differences"), parity.get("largest")
    words = [f"{sample} rows of the sample and {edges} edge cases"]
    if isinstance(bounds, dict) and "index" in bounds:
        words.append(f"{differences} labels differ")
    if isinstance(largest, dict) and largest:
        apart = [f"{name} {value:.2g}" for name, value in largest.items() if isinstance(value, (int, float))]
        words.append(f"largest difference: {', '.join(apart)}")
    return "; ".join(words)


def _feature(feature: "Feature") -> "tuple[str, str, str]":
    """Describe one feature: its name, its kind, and the values seen in training."""
    kind = feature.kind + (" or missing" if feature.nullable and feature.kind != "unread" else "")
    span = feature.range
    values = _listed(feature.categories) if feature.categories else f"{span[0]:g} to {span[1]:g}" if span else ""
    return feature.name, kind, values


def _listed(values: "Sequence[Any]") -> str:
    more = f", … ({len(values):,})" if len(values) > LISTED else ""
    return ", ".join(str(value)[:60] for value in values[:LISTED]) + more


def _line(first: str, others: str, cells: "Sequence[Any]") -> str:
    """Write a row of cells; the first has a style of its own."""
    styles = [first, *[others] * (len(cells) - 1)]
    return (
        "<tr>"
        + "".join(f'<td style="{style}">{escape(str(cell))}</td>' for style, cell in zip(styles, cells, strict=True))
        + "</tr>"
    )
