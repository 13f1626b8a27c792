"""Pack every estimator that answers on new data, and write docs/coverage.md: what is packed, and why not.

Of scikit-learn in the newest version and in older ones, each in an environment of its own, and of libraries that build on it.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import sklearn
from rich.progress import track

from benchmarks import libraries, other_converters
from benchmarks.configurations import classes, defaults, fitted, others, tables, tables_for
from benchmarks.environments import ROOT, python_with
from flyweight.toolkit.convert._outside import OUTSIDE
from flyweight.toolkit.packing.pack import pack

RESULTS = ROOT / "benchmarks" / "results" / "coverage.json"
LIBRARY_RESULTS = ROOT / "benchmarks" / "results" / "coverage_libraries.json"
VERSION_RESULTS = ROOT / "benchmarks" / "results" / "coverage_versions.json"
VERSIONS = ("1.3", "1.5", "1.7")  # of scikit-learn, beside the newest
PAGE = ROOT / "docs" / "coverage.md"
COMPARED = ("skl2onnx", "m2cgen")
EDGE_ROWS = 100

HEAD = """# Coverage

Every class of scikit-learn {sklearn} that predicts or transforms new data: fitted in its defaults (as scikit-learn's own
tests configure it) on each of {tables} small tables that it accepts, and with each of its parameters
changed in turn on the first of these. Each fit is packed for the `pure` engine and compared on {edges} rows made to
break it. `make coverage` makes this page again; a test fails if a row gets worse.

The tables: {names}.

The column **packed** is about the defaults on the first table. The columns **skl2onnx** and **m2cgen** are about the same fit,
converted by these libraries; differences of up to {generous:g} count as "yes" for them (ours is compared within 1e-12).

| | of {all_predicting} that predict | of {all_transforming} that only transform |
|---|--:|--:|
| flyweight, pure engine | {predicting} ({predicting_share:.0%}) | {transforming} ({transforming_share:.0%}) |
| skl2onnx {skl2onnx} | {skl2onnx_predicting} | {skl2onnx_transforming} |
| m2cgen {m2cgen} | {m2cgen_predicting} | {m2cgen_transforming} |

Of all {tried:,} fits, {held:,} were packed at parity. A fit without parity for the pure engine still runs in the
`sklearn` engine ([engines.md](engines.md)).

{versions}| estimator | packed |{columns} fits packed | largest difference | bytes | skl2onnx | m2cgen | the first reason why |
|---|---|{dashes}--:|--:|--:|---|---|---|
"""

VERSIONS_TEXT = """The columns **{versions}** say of the defaults on the first table whether they are packed with that version of
scikit-learn; "-" stands where it has no such class.

"""

LIBRARY_HEAD = """
## Libraries that build on scikit-learn

Their classes that answer on new rows, in their defaults, or with what they can't do without, on each of {tables} tables that they
accept: {names}. Classes that remove rows, join other tables or
ask a network for embeddings are left out.

| | packed |
|---|--:|
{shares}

| class | packed | fits packed | largest difference | bytes | the first reason why not |
|---|---|--:|--:|--:|---|
"""

OUTSIDE_HEAD = """
## What stays outside

`pack` refuses models of these libraries, and says where to go.

| package | what they are, and where to go |
|---|---|
"""


@dataclass
class Row:
    """The results of one estimator; `difference` is the largest absolute one of all outputs on its first table."""

    name: str
    predicts: bool
    packed: bool = False
    tried: int = 0
    held: int = 0
    difference: float | None = None
    size: int | None = None
    reasons: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)  # by converter: "" if it answers, else the reason


@click.command()
@click.option("--only", help="Names of classes, separated by commas; the results are printed and not written.")
@click.option("--part", type=click.Choice(["all", "newest", "libraries", "versions", "page"]), default="all", show_default=True)
@click.option(
    "--defaults", type=click.Path(path_type=Path), help="Write which defaults are packed here to this file, and no page."
)
@click.option("--workers", type=int, default=os.cpu_count() or 1, show_default=True, help="Processes at a time.")
def main(only: str | None, part: str, defaults: Path | None, workers: int) -> None:
    """Try each estimator in a process of its own and write the results; a part leaves the results of the others as they are."""
    if only or defaults:
        rows = _rows(only.split(",") if only else [*classes()], workers, attempt_defaults if defaults else attempt)
        if defaults:
            defaults.write_text(json.dumps({row.name: row.packed for row in rows}, indent=1) + "\n")
        else:
            click.echo(json.dumps([asdict(row) for row in rows], indent=1))
        return
    if part in ("all", "newest"):
        save(_rows([*classes()], workers, attempt), RESULTS)
    if part in ("all", "libraries"):
        names = [f"{library}: {name}" for library in libraries.LIBRARIES for name in libraries.classes(library)]
        save(_rows(names, workers, attempt_library), LIBRARY_RESULTS)
    if part in ("all", "versions"):
        packed = {version: _with_version(version, workers) for version in VERSIONS}
        VERSION_RESULTS.write_text(json.dumps(packed, indent=1) + "\n")
    write(PAGE)
    click.echo(f"see {PAGE.relative_to(ROOT)}")


def _rows(names: list[str], workers: int, trying: Callable[[str], Row]) -> list[Row]:
    """Try classes, in processes of their own."""
    # spawned: a child that is forked after scikit-learn has used OpenMP hangs when it uses it too
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return [*track(pool.map(trying, names), total=len(names), description="trying", transient=True)]


def _with_version(version: str, workers: int) -> dict[str, bool]:
    """Try the defaults with another version of scikit-learn, in an environment of its own, which is made first."""
    python = python_with(f"scikit-learn=={version}.*")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "packed.json"
        paths = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
        command = [str(python), "-m", "benchmarks.coverage", "--defaults", str(path), "--workers", str(workers)]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths})
        packed: dict[str, bool] = json.loads(path.read_text())
    return packed


def attempt_defaults(name: str) -> Row:
    """Fit and pack one class in its defaults, on the first table that it accepts."""
    return attempt(name, 1)


def attempt_library(name: str, tables: int | None = None) -> Row:
    """Fit and pack one class of a library, named `library: class`, on every table that it accepts.

    :param tables: on how many of them; None: all.
    """
    library, _, word = name.partition(": ")
    cls = libraries.classes(library)[word]
    row = Row(name, hasattr(cls, "predict"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for label, estimator, table in islice(libraries.fits(library, cls), tables):
            _try(row, label, estimator, libraries.tables()[table][0])
    if not row.tried:
        row.reasons.append("it takes none of the tables")
    return row


def attempt(name: str, configurations: int | None = None) -> Row:
    """Fit and pack one class on its tables and in other configurations.

    :param configurations: how many of its configurations to try; None: all.
    """
    cls = classes()[name]
    row = Row(name, hasattr(cls, "predict"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # lazily, so that no further fit is made: one against one with a hundred classes takes a minute
        for number, (label, estimator, table) in enumerate(islice(_fits(cls), configurations)):
            _try(row, label, estimator, tables()[table][0])
            if number == 0 and configurations is None:
                row.others = {tool: getattr(other_converters, tool)(estimator, tables()[table][0]) for tool in COMPARED}
    if not row.tried:
        row.reasons.append("it takes none of the tables")
    return row


def _fits(cls: Any) -> Iterator[tuple[str, Any, str]]:
    """Fit the defaults on the first table, each other configuration on the same table, then the defaults on every other table."""
    names = tables_for(cls)
    own = next((table for table in names if _fit(defaults(cls), table) is not None), None)
    if own is None:
        return
    yield f"on {own}", _fit(defaults(cls), own), own
    for label, estimator in others(cls):
        if (made := _fit(estimator, own)) is not None:
            yield label, made, own
    for table in names:
        if table != own and (made := _fit(defaults(cls), table)) is not None:
            yield f"on {table}", made, table


def _fit(estimator: Any, table: str) -> Any:
    try:
        return fitted(estimator, table)
    except Exception:  # it does not take this table
        return None


def _try(row: Row, label: str, estimator: Any, sample: Any) -> None:
    """Pack one fit with its sample; note any error as the reason."""
    row.tried += 1
    try:
        packed = pack(estimator, sample=sample, edge_count=EDGE_ROWS, engine="pure")
    except Exception as error:
        row.reasons.append(f"{label}: {_short(error)}")
        return
    row.held += 1
    if row.tried == 1:
        row.packed, row.size = True, len(packed.data)
        row.difference = float(max(packed.parity.largest.values(), default=0.0))


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text.removeprefix("step (the estimator itself), ")[:150].strip().replace("|", "/")


def save(rows: list[Row], path: Path) -> None:
    """Write results, by the names of the classes."""
    path.write_text(json.dumps({row.name: asdict(row) for row in rows}, indent=1) + "\n")


def load(path: Path) -> list[Row]:
    """Read results; there are none where there is no file yet."""
    return [Row(**row) for row in json.loads(path.read_text()).values()] if path.is_file() else []


def write(page: Path) -> None:
    """Write the page of all results."""
    packed = json.loads(VERSION_RESULTS.read_text()) if VERSION_RESULTS.is_file() else {}
    rows, library_rows = load(RESULTS), load(LIBRARY_RESULTS)
    lines = [_head(rows, packed), *(_line(row, packed) for row in rows)]
    page.write_text("\n".join(lines) + "\n" + _library_part(library_rows) + _outside_part())


def _head(rows: list[Row], packed: dict[str, dict[str, bool]]) -> str:
    """Return the page's head: how it is made, the counts, and the head of the first table."""
    import m2cgen
    import skl2onnx

    groups = {"predicting": [row for row in rows if row.predicts], "transforming": [row for row in rows if not row.predicts]}
    counts: dict[str, Any] = {}
    for word, group in groups.items():
        held = sum(row.packed for row in group)
        counts |= {word: held, f"all_{word}": len(group), f"{word}_share": held / len(group)}
        counts |= {f"{tool}_{word}": sum(row.others.get(tool) == "" for row in group) for tool in COMPARED}
    return HEAD.format(
        sklearn=sklearn.__version__,
        skl2onnx=skl2onnx.__version__,
        m2cgen=getattr(m2cgen, "__version__", "0.10"),
        tables=len(tables()),
        names=", ".join(tables()),
        edges=EDGE_ROWS,
        generous=other_converters.GENEROUS,
        tried=sum(row.tried for row in rows),
        held=sum(row.held for row in rows),
        versions=VERSIONS_TEXT.format(versions="**, **".join(packed)) if packed else "",
        columns="".join(f" {version} |" for version in packed),
        dashes="---|" * len(packed),
        **counts,
    ).rstrip("\n")


def _line(row: Row, packed: dict[str, dict[str, bool]]) -> str:
    """Return an estimator's line of the first table."""
    compared = " | ".join({"": "yes", None: ""}.get(row.others.get(tool), row.others.get(tool, "")) for tool in COMPARED)
    with_versions = [{True: "yes", False: "no", None: "-"}[known.get(row.name)] for known in packed.values()]
    cells = [row.name, "yes" if row.packed else "no", *with_versions, _numbers(row), compared, _reason(row)]
    return f"| {' | '.join(cells)} |"


def _numbers(row: Row) -> str:
    numbers = " | " if row.difference is None or row.size is None else f"{row.difference:.2g} | {row.size:,}"
    return f"{row.held} of {row.tried} | {numbers}"


def _reason(row: Row) -> str:
    return row.reasons[0] if row.reasons else ""


def _library_part(rows: list[Row]) -> str:
    """Return the part of the page about libraries that build on scikit-learn."""
    shares = []
    for library in libraries.LIBRARIES:
        own = [row for row in rows if row.name.startswith(f"{library}: ")]
        held = sum(row.packed for row in own)
        shares.append(f"| {library} | {held} of {len(own)} ({held / max(1, len(own)):.0%}) |")
    names = libraries.tables()
    head = LIBRARY_HEAD.format(tables=len(names), names=", ".join(names), shares="\n".join(shares))
    lines = [f"| {row.name} | {'yes' if row.packed else 'no'} | {_numbers(row)} | {_reason(row)} |" for row in rows]
    return head + "\n".join(lines) + "\n"


def _outside_part() -> str:
    """Return the part of the page about what is refused."""
    return OUTSIDE_HEAD + "".join(f"| {package} | {text} |\n" for package, text in sorted(OUTSIDE.items()))


if __name__ == "__main__":
    main()
