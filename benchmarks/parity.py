"""Check parity over at least 100,000 rows for each family: `flyweight.pack` with many more rows than users take."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy
import sklearn
from rich.progress import Progress
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.environments import ROOT
from flyweight.toolkit.packing.pack import ParityFailed, pack
from flyweight.toolkit.packing.parity import Parity
from tests.parity import families as all_families

FAMILIES = all_families()

RESULTS = ROOT / "benchmarks" / "results" / "parity.json"
PAGE = ROOT / "docs" / "parity.md"

PAGE_HEAD = """# Parity

Before it writes a model file, `flyweight pack` compares the file with the estimator, row by row. This page is the same
comparison over at least {rows:,} rows for each family, made by `python -m benchmarks.parity` with scikit-learn {sklearn},
NumPy {numpy} and Python {python}. The cases are those of `tests/parity/cases.py`; each is a fitted estimator in another
configuration.

The rows are the case's own sample, and rows made from the plan to break it: values on, just below and just above thresholds (in
float64 and in float32), missing values, unseen categories, zeros of both signs, values far outside the training range.

| family | cases | rows | refused by both | labels compared | label differences | ties | largest difference | bound |
|---|--:|--:|--:|--:|--:|--:|--:|---|
"""

PAGE_TAIL = """
- **refused by both**: rows for which scikit-learn raises an error, and flyweight too.
- **ties**: rows whose labels differ while scikit-learn's own margin between the two labels is smaller than the bound,
  so that the order of a sum decides; and rows whose answer is no function of the row:
  a KNNImputer takes the nearest training rows, and of several at the same distance those that the rounding of its matrix
  products and its partial sort put first. Others come first on another machine, and often if the same row is asked together
  with other rows. flyweight computes distances exactly and takes the first in the order of training, with any other rows;
  for all rows without such a tie its answer is the estimator's.
- **largest difference**: absolute, of any score, probability or value; `0` means equal in every bit. It may exceed 1e-12
  where terms are large; therefore the bound is relative to the scale.
- **bound**: `equal` if every output results from exact operations only (trees, bins, encoders); otherwise 1e-12 of the scale
  of the summed terms, at least 1, because BLAS adds in another order. A family with both kinds lists both.

The table was made in {seconds:.0f} seconds on {cores} cores; each case's own figures are in `benchmarks/results/parity.json`.
"""


@dataclass(frozen=True)
class Proof:
    """The report of one case."""

    family: str
    case: str
    parity: Parity
    labelled: bool
    seconds: float


@click.command()
@click.option("--rows", default=100_000, show_default=True, type=click.IntRange(1), help="The fewest rows for each family.")
@click.option("--families", help=f"Families to check, among {','.join(FAMILIES)}.")
@click.option("--jobs", default=os.cpu_count(), show_default=True, type=click.IntRange(1), help="The number of processes.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder for both files.  [default: benchmarks/results and docs]")
def main(rows: int, families: str | None, jobs: int, out: Path | None) -> None:
    """Check every family and write the results; the exit status is 1 if parity does not hold for one."""
    chosen = families.split(",") if families else [*FAMILIES]
    if unknown := [family for family in chosen if family not in FAMILIES]:
        raise click.BadParameter(f"{', '.join(unknown)}; there are {', '.join(FAMILIES)}", param_hint="--families")
    began = time.perf_counter()
    with Progress(transient=True) as bar:
        tasks = {family: bar.add_task(family, total=len(FAMILIES[family])) for family in chosen}
        proofs = prove(chosen, rows, jobs, lambda family: bar.advance(tasks[family]))
    document = summary(proofs, rows, time.perf_counter() - began)
    results, page = (RESULTS, PAGE) if out is None else (out / RESULTS.name, out / PAGE.name)
    for path, text in ((results, json.dumps(document, indent=1) + "\n"), (page, markdown(document))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    click.echo(markdown(document))
    failures = [f"{proof.family}/{proof.case}: {failure}" for proof in proofs for failure in proof.parity.failures[:3]]
    if failures:
        raise click.ClickException("parity does not hold\n" + "\n".join(failures))


def prove(families: list[str], rows: int, jobs: int, advance: Callable[[str], None] = lambda family: None) -> list[Proof]:
    """Check every case of the families, in their order, with the rows spread evenly over the cases of a family."""
    cases = [(family, case, math.ceil(rows / len(FAMILIES[family]))) for family in families for case in FAMILIES[family]]
    found: dict[tuple[str, str], Proof] = {}
    # One thread in each process: OpenMP's threads wait for each other busily, and two such processes block each other.
    # spawned: a child that is forked after scikit-learn has used OpenMP hangs when it uses it too
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=threadpool_limits, initargs=(1,)) as pool:
        for future in as_completed([pool.submit(prove_case, *case) for case in cases]):
            proof = future.result()
            found[proof.family, proof.case] = proof
            advance(proof.family)
    return [found[family, case] for family, case, _ in cases]


def prove_case(family: str, case: str, rows: int) -> Proof:
    """Check one case as `pack` does, with `rows` made rows beside its sample."""
    began = time.perf_counter()
    estimator, sample = FAMILIES[family][case]()
    try:
        parity = pack(estimator, sample=sample, name=case, edge_count=rows, engine="pure").parity
    except ParityFailed as failed:
        parity = failed.parity
    return Proof(family, case, parity, "index" in parity.bounds, time.perf_counter() - began)


def summary(proofs: list[Proof], rows: int, seconds: float) -> dict[str, Any]:
    """Collect the results for JSON: one record for each family, with its cases."""
    families = {}
    for family in dict.fromkeys(proof.family for proof in proofs):
        own = [proof for proof in proofs if proof.family == family]
        families[family] = {**_total(own), "cases": {proof.case: _total([proof]) for proof in own}}
    return {
        "rows_a_family": rows,
        "seconds": round(seconds, 1),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": numpy.__version__},
        "families": families,
    }


def markdown(document: dict[str, Any]) -> str:
    """Write the page as Markdown."""
    versions = document["versions"]
    named = {"sklearn": versions["scikit-learn"], "numpy": versions["numpy"], "python": versions["python"]}
    lines = [
        f"| {family} | {len(own['cases'])} | {own['rows']:,} | {own['refused_alike']:,} | {own['rows_labelled']:,} | "
        f"{own['label_differences']} | {own['ties']} | {own['largest']:.2g} | {', '.join(own['bounds'])} |\n"
        for family, own in document["families"].items()
    ]
    tail = PAGE_TAIL.format(seconds=document["seconds"], cores=document["cores"])
    return PAGE_HEAD.format(rows=document["rows_a_family"], **named) + "".join(lines) + tail


def _total(proofs: list[Proof]) -> dict[str, Any]:
    reports = [proof.parity for proof in proofs]
    return {
        "rows": sum(report.rows_sample + report.rows_edge for report in reports),
        "refused_alike": sum(report.refused_alike for report in reports),
        "rows_labelled": sum(_labelled(proof) for proof in proofs),
        "label_differences": sum(report.label_differences for report in reports),
        "ties": sum(len(report.ties) for report in reports),
        "largest": max((apart for report in reports for apart in report.largest.values()), default=0.0),
        "bounds": sorted({bound for report in reports for bound in report.bounds.values()}, reverse=True),
        "failures": sum(len(report.failures) for report in reports),
    }


def _labelled(proof: Proof) -> int:
    report = proof.parity
    return report.rows_sample + report.rows_edge - report.refused_alike if proof.labelled else 0


if __name__ == "__main__":
    main()
