"""Show figures as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.folders import FLYWEIGHT

COLUMNS = ("cold", "x empty", "warm p50", "p95", "handler p50", "sklearn / this", "memory", "x empty", "folder", "+ installed")
RUNTIMES = {"aws": "AWS Lambda", "gcp": "Google Cloud Functions", "azure": "Azure Functions"}


def results(console: Console, rows: Sequence[dict[str, Any]], refused: dict[str, str]) -> None:
    """Show one table for each provider; each ratio is beside its figure."""
    for provider in dict.fromkeys(row["provider"] for row in rows):
        own = [row for row in rows if row["provider"] == provider]
        table = _table(f"{RUNTIMES[provider]}: {own[0]['runtime']}", "model", "function")
        for name in COLUMNS:
            table.add_column(name, justify="right", no_wrap=True)
        before = ""
        for row in own:
            if before and row["model"] != before:
                table.add_section()
            cells = _cells(row)
            table.add_row(row["model"] if row["model"] != before else "", row["function"], *cells, style=style(row["function"]))
            before = row["model"]
        console.print(table)
        for model, reason in refused.items():
            console.print(f"  onnxruntime, {model}: skl2onnx can't convert it ({reason})", style="dim", markup=False)
        console.print()


def ranges(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """Show the least and the most of our functions' figures over the models."""
    names = {"cold_ms": "cold, ms", "cold_vs_empty": "x empty", "memory_vs_empty": "memory, x empty"}
    table = _table("over the models, from the least to the most", "provider", "function", *names.values())
    for row in found:
        spans = [" to ".join(f"{value:.3g}" for value in row[name]) if name in row else "" for name in names]
        table.add_row(RUNTIMES[row["provider"]], row["function"], *spans)
    console.print(table)


def targets(console: Console, judged: Sequence[dict[str, Any]]) -> None:
    """Show the targets and the results."""
    table = _table("targets", "target", "of", "bound", "measured", "")
    for row in judged:
        verdict = "[green]met[/]" if row["met"] else "[red]missed[/]"
        table.add_row(row["target"], row["of"], f"{row['bound']:g}", f"{row['value']:g} ({row['model']})", verdict)
    console.print(table)


def differences(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """Show the differences from scikit-learn's own answers."""
    for kind in dict.fromkeys(row["function"] for row in found):
        own = [row for row in found if row["function"] == kind]
        labels = "all labels equal" if all(row["labels_equal"] for row in own) else "labels differ"
        most = max(row["largest_difference"] for row in own)
        console.print(f"answers of {kind} beside scikit-learn's: {labels}, numbers at most {most:.2g} apart", markup=False)


def style(kind: str) -> str:
    """Choose the style of a row; flyweight's rows are highlighted."""
    return "bold" if kind == FLYWEIGHT else ""


def times(value: float | None) -> str:
    """Format a ratio."""
    return "" if value is None else f"{value:.2f}x" if value < 10 else f"{value:.0f}x"


def duration(microseconds: float | None) -> str:
    """Format microseconds in a suitable unit."""
    if microseconds is None:
        return ""
    if microseconds >= 1e4:
        return f"{microseconds / 1e3:.0f} ms"
    return f"{microseconds:.1f} us" if microseconds < 100 else f"{microseconds:.0f} us"


def megabytes(value: float | None) -> str:
    """Format a size in megabytes."""
    return "" if not value else f"{value:.1f} MB" if value >= 1 else f"{1000 * value:.0f} kB"


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['cold_ms']:.0f} ms",
        times(row.get("cold_vs_empty")),
        duration(row.get("warm_p50_us")),
        duration(row.get("warm_p95_us")),
        duration(row.get("handler_p50_us")),
        times(row.get("times_joblib")) if row["function"] != "empty" else "",
        megabytes(row.get("memory_mb")),
        times(row.get("memory_vs_empty")),
        megabytes(row["folder_mb"]),
        megabytes(row["installed_mb"]),
    ]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table
