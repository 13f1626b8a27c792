"""`flyweight inspect`: describe a model file, or a pickle without running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _own_code, _show

if TYPE_CHECKING:
    from flyweight.models.signature import Feature

EXAMPLES = """\b
Examples:
  flyweight inspect penguins.safetensors
  flyweight inspect model.joblib --wheels
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--wheels", is_flag=True, help="For a pickle: look up wheels for every target in pip's registry; takes some seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything but the plan as JSON.")
@_own_code.options
def command(model: Path, wheels: bool, as_json: bool) -> None:
    """Check a model file, and print its signature and its parity.

    The checks are those of a deployed function. MODEL can also be a joblib or pickle file: its parts, the libraries that it needs
    and the code that it would run are then printed without loading it.
    """
    from flyweight.toolkit.model_files import load
    from flyweight.toolkit.pickles import is_pickle

    if is_pickle(model):
        from flyweight.toolkit.cli import _pickle

        return _pickle.show(model, wheels, as_json)
    if wheels:
        raise click.UsageError("--wheels is for pickles: a model file needs no libraries")
    predictor = load(str(model))
    if as_json:
        return _show.document(predictor.metadata())
    document, signature = predictor.file.document, predictor.signature
    seen = [_seen(feature) for feature in signature.features]
    rows = [(feature.name, _kind(feature), text) for feature, text in zip(signature.features, seen, strict=True)]
    _show.columns(f"{predictor.name} {predictor.version}: {signature.task}", ("feature", "kind", "seen in training"), rows)
    classes = [", ".join(map(str, labels)) for labels in signature.classes or []]
    _show.table(
        str(model),
        {
            "classes": " / ".join(classes) or None,
            **_engines(document),
            **proof(document.get("parity")),
            "made by": ", ".join(f"{key} {value}" for key, value in _flat(document.get("provenance"))) or None,
            "self test": "passed"
            if predictor.passes_self_test()
            else "FAILED: the answers to its sample differ from the recorded ones",
            "size": _show.size(len(predictor.file.data)),
            "sha256": predictor.file.sha256,
        },
    )


def _engines(document: dict[str, Any]) -> dict[str, str | None]:
    """List the engine of the model, its packages, and the reasons against other engines."""
    entries = [document.get(key) for key in ("plan", "estimator", "requires", "skipped")]
    plan, estimator, requires, passed = (entry if isinstance(entry, dict) else {} for entry in entries)
    return {
        "ops": ", ".join(node["op"] for node in plan.get("nodes", [])) or None,
        "engines": ", ".join(document["engines"]),
        "needs": ", ".join(f"{package} {version}" for package, version in requires.items()) or None,
        "types": ", ".join(map(str, estimator.get("types") or [])) or None,
        "narrowed": document.get("narrowed"),
        **{f"not {engine}": str(reason) for engine, reason in passed.items()},
    }


def _kind(feature: Feature) -> str:
    """Describe what a caller sends: the kind, its zone, and whether it may be null."""
    if feature.kind == "unread":
        return "anything, never read"
    zone = f" with an offset, as {feature.zone}" if feature.zone != "none" else ""
    return feature.kind + zone + (" or null" if feature.nullable else "")


def _seen(feature: Feature) -> str:
    if feature.range:
        return f"{feature.range[0]:g} to {feature.range[1]:g}"
    shown = [str(category) for category in (feature.categories or [])[:8]]
    return ", ".join(shown) + (", ..." if len(feature.categories or []) > 8 else "")


def proof(parity: Any) -> dict[str, str]:
    """List the parity report as rows; a file from another program may have none, or a malformed one."""
    if not isinstance(parity, dict):
        return {"parity": "not recorded"}
    largest = parity.get("largest")
    differences = ", ".join(f"{key} {value}" for key, value in largest.items()) if isinstance(largest, dict) else ""
    rows = f"{parity.get('rows_sample')} of a sample, {parity.get('rows_edge')} edge cases"
    if parity.get("compared_with"):
        rows = f"{parity.get('rows_sample')}, with {parity['compared_with']}"
    return {"rows compared": rows, "label differences": str(parity.get("label_differences")), "largest difference": differences}


def _flat(provenance: Any) -> list[tuple[str, Any]]:
    return [(k, v) for k, v in provenance.items() if isinstance(v, str)] if isinstance(provenance, dict) else []
