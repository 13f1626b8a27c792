"""Export a model file to a form: write it, run it, compare it, and keep it only if it answers as the model does."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from flyweight.toolkit import model_files
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.exporting import forms
from flyweight.toolkit.exporting.edge_cases import rows_of
from flyweight.toolkit.exporting.planned import NotExported, Planned
from flyweight.toolkit.exporting.proof import Proof, compare

ROWS = 2000  # that are made to find differences


class Form(Protocol):
    """What a form's package says in its value `FORM`.

    `title`: its name in messages; `suffix`: of its file; `needs`: the modules and programs that have to be there, and `install`:
    what installs them; `precise`: whether it computes in float64.
    """

    title: str
    suffix: str
    needs: tuple[str, ...]
    install: str
    precise: bool

    def write(self, planned: Planned) -> dict[str, bytes]:
        """Make the files of an export: their contents by suffix, the form's own suffix first.

        :raises NotExported: the form can't hold an op of the plan.
        """
        ...

    def annotate(self, files: dict[str, bytes], about: dict[str, str]) -> dict[str, bytes]:
        """Return the files with texts by name in their metadata."""
        ...


@dataclass(frozen=True)
class Exported:
    """An export that was written: its form, its files with their sizes, and the proof."""

    form: str
    model: str
    files: dict[str, int]
    proof: Proof

    def document(self) -> dict[str, Any]:
        """Return what `flyweight export --json` prints."""
        return {"form": self.form, "model": self.model, "files": self.files, **self.proof.document()}


def find(name: str) -> Form:
    """Find a form by its name.

    :raises NotExported: none exists.
    """
    if name not in forms():
        raise NotExported(f"there is no form {name!r} of exports", f"choose one of {', '.join(forms())}")
    form: Form = import_module(f"flyweight.toolkit.exporting.{name}.form").FORM
    return form


def export(
    model: str | Path, form: str, path: str | Path | None = None, *, tolerance: float | None = None, rows: int = ROWS
) -> Exported:
    """Export a model file, compare the export with the model, and write it.

    :param model: the model file.
    :param form: one of `forms()`.
    :param path: the file to write; None writes nothing.
    :param tolerance: the difference to accept, relative to the largest sum of terms in the plan, or 1 if that is larger.
    :param rows: the number of rows to make for the comparison, beside the model's sample.
    :returns: what was written, with its proof.
    :raises ModelRefused: the model file fails a check.
    :raises NotExported: the form can't hold the model, or answers otherwise; nothing is written.
    :raises RuntimeFailed: the form's runtime is not installed, or ended with an error.
    """
    place = find(form)
    _require(place)
    planned = Planned(model_files.read(str(model)))
    files = place.write(planned)
    suffix = Path(path).suffix if path else place.suffix
    if suffix != place.suffix:
        raise NotExported(f"{path} does not end in {place.suffix}, as files of {place.title} do", f"name it *{place.suffix}")
    with tempfile.TemporaryDirectory() as folder:
        written = _written(files, Path(folder) / f"export{place.suffix}")
        proof = compare(planned, form, written[0], rows_of(planned, rows), tolerance)
    if not proof.holds:
        raise NotExported(
            f"exported to {place.title}, {planned.name} answers otherwise: {'; '.join(proof.faults)}",
            proof.next_step(place.precise),
        )
    files = place.annotate(files, _about(planned, proof))
    paths = _written(files, Path(path)) if path else []
    named = [str(own) for own in paths] or [f"{planned.name}{end}" for end in files]
    return Exported(form, planned.name, dict(zip(named, map(len, files.values()), strict=True)), proof)


def _require(form: Form) -> None:
    """Check that what makes and runs the form is installed.

    :raises ToolkitError: something is not.
    """
    for name in form.needs:
        if shutil.which(name) is None and not _is_module(name):
            raise ToolkitError(
                f"an export to {form.title} is made and compared with {name}, which is not installed", form.install
            )


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _written(files: dict[str, bytes], path: Path) -> list[Path]:
    """Write the files of an export: the first at the path, the others beside it under their own suffixes."""
    paths: list[Path] = []
    for suffix, content in files.items():
        paths.append(path if not paths else path.with_suffix(suffix))
        paths[-1].write_bytes(content)
    return paths


def _about(planned: Planned, proof: Proof) -> dict[str, str]:
    """Return what the file says about itself: the model, its sha256, its inputs, and the proof."""
    document = planned.file.document
    features = [[feature.name, feature.kind] for feature in planned.signature.features]
    return {
        "flyweight.model": f"{document['name']} {document['version']}",
        "flyweight.sha256": planned.file.sha256,
        "flyweight.features": json.dumps(features, ensure_ascii=False),
        "flyweight.proof": json.dumps(proof.document()),
    }
