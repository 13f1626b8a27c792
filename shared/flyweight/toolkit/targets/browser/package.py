"""The layout of a page's folder: the core as one zip, the model, the page with its form, and Pyodide where node finds it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight import predictor
from flyweight.protocols import _page_document, _page_script, _page_style
from flyweight.toolkit.building import archive
from flyweight.toolkit.targets import pyodide
from flyweight.toolkit.targets.package import PackageSpec

CORE, BESIDE = "core.zip", "pyodide/"
UNUSED = ("files", "records")  # rooms of the core that no request reaches
POLICY = {
    "default-src": "'none'",
    "connect-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self'",
    "img-src": "data:",
    **dict.fromkeys(("base-uri", "form-action"), "'none'"),
}
STYLE = '<link rel="stylesheet" href="page.css">'
SCRIPT = '<script type="module" src="page.mjs"></script>\n<script type="module" src="form.js"></script>'


def refuse_unfit(folder: Path) -> None:
    """Check that a page can run the model.

    :raises BuildFailed: the model needs packages, or comes from a store.
    """
    pyodide.refuse_unfit(folder, "a page")


def lay_out(folder: Path, marker: Mapping[str, Any]) -> None:
    """Make a page of the handler, the core and the model in a folder.

    :raises BuildFailed: Pyodide's files are not those of its version.
    """
    _pack_core(folder)
    found = pyodide.found()
    if found is not None:
        pyodide.copy(found, folder / BESIDE)
    address = pyodide.ADDRESS if found is None else BESIDE
    _write(folder / "pyodide.json", json.dumps({"version": pyodide.VERSION, "address": address}) + "\n")
    policy = _policy("" if found else pyodide.ADDRESS)
    meta = f'<meta http-equiv="content-security-policy" content="{policy}">\n{STYLE}'
    model = predictor.load(str(folder / pyodide.MODEL))
    _write(folder / "index.html", _page_document.write(model, None, "", meta, SCRIPT))
    _write(folder / "page.css", _page_style.STYLE)
    _write(folder / "form.js", _page_script.SCRIPT)
    headers = [f"Content-Security-Policy: {policy}; frame-ancestors 'none'", "X-Content-Type-Options: nosniff"]
    _write(folder / "_headers", "/*\n" + "".join(f"  {line}\n" for line in [*headers, "Referrer-Policy: no-referrer"]))


def _pack_core(folder: Path) -> None:
    """Move the core and the handler's Python into one zip."""
    place = folder / "core"
    place.mkdir()
    for path in [folder / "flyweight", *sorted(folder.glob("*.py"))]:
        path.rename(place / path.name)
    for room in UNUSED:
        shutil.rmtree(place / "flyweight" / room, ignore_errors=True)
    archive.write(place, folder / CORE)
    shutil.rmtree(place)


def _policy(address: str) -> str:
    """Write the policy of the page, https://www.w3.org/TR/CSP3/, which admits scripts and files of one more address."""
    more = {name: f" {address}" for name in ("connect-src", "script-src") if address}
    return "; ".join(f"{name} {value}{more.get(name, '')}" for name, value in POLICY.items())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


PACKAGE = PackageSpec(reads=(), alone=True, check=refuse_unfit, further=lay_out)
