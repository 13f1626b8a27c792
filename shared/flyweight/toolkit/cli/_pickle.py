"""Print what `flyweight inspect` finds in a pickle: parts, libraries, dangerous names, and its size if deployed unconverted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from flyweight.toolkit import pickles
from flyweight.toolkit.cli import _show
from flyweight.toolkit.pickles import wheels as sizes

_MOST_SHOWN = 12


def show(path: Path, with_wheels: bool, as_json: bool) -> None:
    """Read the pickle without running it, look up wheels if requested, and print the results."""
    contents = pickles.read(path)
    size = sizes.installed_size(contents.distributions)
    wheels = None
    if with_wheels:
        with _show.progress(not as_json) as progress:
            wheels = sizes.wheels(contents.requirements(), progress)
            if not _measured_rightly(contents, size) and (there := [answer for answer in wheels if answer.chosen]):
                progress("measuring wheels", 0, 0)
                size = sizes.wheels_size(([answer for answer in there if answer.runtime.limit] or there)[-1])
    if as_json:
        return _show.document(_document(contents, size, wheels))
    _parts(contents)
    _show.table(str(path), _facts(contents, size))
    if wheels is not None:
        _wheels(wheels)


def _document(contents: pickles.Contents, size: sizes.Size, wheels: list[sizes.Wheels] | None) -> dict[str, Any]:
    parts = [{"path": p.path, "class": p.cls, "count": p.count, "scikit_learn": p.sklearn} for p in contents.parts]
    modules = {"standard": contents.standard, **{k: list(v) for k, v in contents.distributions.items()}}
    chosen = [{**_where(w.runtime), "chosen": w.chosen or None, "problem": w.problem} for w in wheels or []]
    libraries = {name: {"version": version, "bytes": count} for name, (version, count) in size.distributions.items()}
    limit = sizes.smallest_limit()
    return {
        "path": str(contents.path),
        "bytes": contents.bytes,
        "sha256": contents.sha256,
        "compression": contents.compression,
        "protocol": contents.protocol,
        "class": contents.cls,
        "arrays": {"count": contents.arrays, "bytes": contents.array_bytes},
        "parts": parts,
        "scikit_learn": contents.sklearn,
        "numpy": contents.numpy,
        "names": modules,
        "custom": contents.custom,
        "dangerous": contents.dangerous,
        "notes": contents.notes,
        "requirements": contents.requirements(),
        "deployed": {
            "bytes": size.bytes + contents.bytes,
            "smallest_limit": limit and {"target": limit[0], "bytes": limit[1]},
            "measured": size.measured,
            "libraries": libraries,
            "not_counted": size.absent,
        },
        "engine": contents.engine,
        "reason": contents.reason,
        "wheels": chosen if wheels is not None else None,
    }


def _measured_rightly(contents: pickles.Contents, size: sizes.Size) -> bool:
    """Tell whether all that the pickle needs is installed here, with the same version of scikit-learn."""
    version, _ = size.distributions.get("scikit-learn", (None, 0))
    return not size.absent and contents.sklearn[:1] in ((), (version,))


def _where(runtime: sizes.TargetPython) -> dict[str, Any]:
    glibc = "{}.{}".format(*runtime.glibc)
    return {"target": runtime.target, "python": runtime.python, "machine": runtime.machine, "glibc": glibc}


def _parts(contents: pickles.Contents) -> None:
    rows = [
        (part.path or "(itself)", part.cls + (f" x {part.count}" if part.count > 1 else ""), part.sklearn or "-")
        for part in contents.parts[:50]
    ]
    rows += [(f"and {len(contents.parts) - 50} more", "", "")] if len(contents.parts) > 50 else []
    _show.columns("read without running it", ("part", "class", "scikit-learn"), rows)


def _facts(contents: pickles.Contents, size: sizes.Size) -> dict[str, Any]:
    missing = f"MISSING IN THE CLOUD: {_some(contents.custom)}; move them to a module that is deployed too, and dump it again"
    warning = f"LOADING IT CAN RUN ANY CODE, through {_some(contents.dangerous)}: load it only if you know why they are there"
    return {
        "format": f"protocol {contents.protocol}, {_show.size(contents.bytes)}, {contents.compression or 'not compressed'}",
        "arrays": f"{contents.arrays} written by joblib, {_show.size(contents.array_bytes)}" if contents.arrays else None,
        "scikit-learn": ", ".join(contents.sklearn) or "not recorded in the file",
        "numpy": f"{contents.numpy}, judged by its module names" if contents.numpy else "not recorded in the file",
        "other libraries": ", ".join(n for n in contents.distributions if n not in ("numpy", "scikit-learn")) or None,
        "your own code": missing if contents.custom else "none",
        "warning": warning if contents.dangerous else None,
        "unknown": "; ".join(contents.notes) or None,
        "deployed unconverted": _deployed(contents, size),
        "engine": f"{contents.engine or 'none'}: {contents.reason}",
        "sha256": contents.sha256,
    }


def _deployed(contents: pickles.Contents, size: sizes.Size) -> str:
    total = size.bytes + contents.bytes
    versions = ", ".join(f"{name} {version}" for name, (version, _) in size.distributions.items())
    text = f"{_show.size(total)} unzipped"
    if limit := sizes.smallest_limit():
        title, most = limit
        text += f", {'more than' if total > most else 'of'} the {_show.size(most)} that {title} takes"
    text += f"; measured on {size.measured}: {versions or 'nothing'}"
    return text + (f"; not installed, so not counted: {', '.join(size.absent)} (--wheels measures them)" if size.absent else "")


def _wheels(wheels: Iterable[sizes.Wheels]) -> None:
    named = ("scikit-learn", "numpy", "scipy")
    rows = []
    for answer in wheels:
        versions = ", ".join(f"{name} {answer.chosen[name]}" for name in named if name in answer.chosen)
        runtime = answer.runtime
        where = f"{runtime.system}, glibc {'{}.{}'.format(*runtime.glibc)}"
        rows.append((str(runtime), where, f"no: {answer.problem}" if answer.problem else f"yes: {versions or 'all'}"))
    _show.columns("wheels, installed without compiling", ("target, Python, machine", "system", "all there"), rows)


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
