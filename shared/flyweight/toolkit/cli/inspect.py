"""`flyweight inspect`: what a model file is, takes, gives, and how it was proved; or what a pickle holds, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flyweight.toolkit.cli import _show

EXAMPLES = """\b
Examples:
  flyweight inspect penguins.safetensors
  flyweight inspect model.joblib --wheels
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--wheels", is_flag=True, help="Of a pickle: ask pip's registry for wheels for every target; takes some seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print everything but the plan as JSON.")
def command(model: Path, wheels: bool, as_json: bool) -> None:
    """Check MODEL as a function would, and show what it is, takes and gives, and how it was proved.

    Of a joblib or pickle file, show what it holds, needs and would do, before it is ever loaded: nothing in it is run.
    """
    from flyweight.predictor import load
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
    rows = [
        (feature.name, feature.kind + (" or null" if feature.nullable else ""), text)
        for feature, text in zip(signature.features, seen, strict=True)
    ]
    _show.columns(f"{predictor.name} {predictor.version}: {signature.task}", ("feature", "kind", "seen in training"), rows)
    classes = [", ".join(map(str, labels)) for labels in signature.classes or []]
    _show.table(
        str(model),
        {
            "classes": " / ".join(classes) or None,
            **_engines(document),
            **proof(document.get("parity")),
            "made by": ", ".join(f"{key} {value}" for key, value in _flat(document.get("provenance"))) or None,
            "self test": "passed" if predictor.passes_self_test() else "NO: its sample does not answer as recorded",
            "size": _show.size(len(predictor.file.data)),
            "sha256": predictor.file.sha256,
        },
    )


def _engines(document: dict[str, Any]) -> dict[str, str | None]:
    """What runs the model, what that needs, and why other engines do not."""
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


def _seen(feature: Any) -> str:
    if feature.range:
        return f"{feature.range[0]:g} to {feature.range[1]:g}"
    shown = [str(category) for category in (feature.categories or [])[:8]]
    return ", ".join(shown) + (", ..." if len(feature.categories or []) > 8 else "")


def proof(parity: Any) -> dict[str, str]:
    """The parity report as rows; a file made by other hands may have none, or an odd one."""
    if not isinstance(parity, dict):
        return {"parity": "not recorded"}
    largest = parity.get("largest")
    differences = ", ".join(f"{key} {value}" for key, value in largest.items()) if isinstance(largest, dict) else ""
    rows = f"{parity.get('rows_sample')} of a sample, {parity.get('rows_edge')} made to break it"
    if parity.get("compared_with"):
        rows = f"{parity.get('rows_sample')}, with {parity['compared_with']}"
    return {"rows compared": rows, "label differences": str(parity.get("label_differences")), "largest difference": differences}


def _flat(provenance: Any) -> list[tuple[str, Any]]:
    return [(k, v) for k, v in provenance.items() if isinstance(v, str)] if isinstance(provenance, dict) else []
