"""Draw the benchmark's figures as one picture, on a logarithmic scale, legible on light and on dark pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmarks.folders import EMPTY, FLYWEIGHT, JOBLIB, KINDS, ONNX, OWN

INK = "#768390"  # between GitHub's two backgrounds, readable on both
COLORS = {EMPTY: "#8c959f", FLYWEIGHT: "#2da44e", OWN: "#116329", ONNX: "#bf8700", JOBLIB: "#cf4f46"}
MARKS = {EMPTY: "|", FLYWEIGHT: "o", OWN: "^", ONNX: "s", JOBLIB: "D"}
SIZES = {EMPTY: 260}  # a stroke, which stays visible behind other marks
MODELS = {
    "linear": "logistic\nregression",
    "forest": "forest of\n100 trees",
    "boosting": "histogram\nboosting",
    "mixed": "mixed\npipeline",
}
COLD = (12, 2500)  # the same in each panel, so that providers can be compared
PANELS = (
    ("AWS Lambda: cold start, ms, log scale", "aws", "cold_ms", COLD),
    ("Google Cloud Functions: cold start, ms, log scale", "gcp", "cold_ms", COLD),
    ("Azure Functions: cold start, ms, log scale", "azure", "cold_ms", COLD),
    ("AWS Lambda: warm handler, µs, log scale", "aws", "handler_p50_us", (5, 7000)),
)
STYLE: Any = {
    "svg.hashsalt": "flyweight",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": INK,
}


def draw(document: dict[str, Any], path: Path) -> None:
    """Draw the figures of a `cold_start.json` and write the picture."""
    rows = {(row["provider"], row["model"], row["function"]): row for row in document["results"]}
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(11, 7.2))
        for panel, (title, provider, name, limits) in zip(axes.flat, PANELS, strict=True):
            _panel(panel, title, name, {key[1:]: row for key, row in rows.items() if key[0] == provider})
            panel.set_xlim(*limits)
        handles = [Line2D([], [], marker=MARKS[k], color=COLORS[k], linestyle="", markersize=9, mew=2) for k in KINDS]
        figure.legend(handles, KINDS, loc="upper center", ncols=5, frameon=False, fontsize=11)
        figure.tight_layout(rect=(0, 0, 1, 0.95), h_pad=2.0, w_pad=2.5)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)


def _panel(panel: Axes, title: str, name: str, rows: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Draw one line for each model, with one mark for each function and its value above it."""
    panel.set_title(title, loc="left", fontsize=11, fontweight="bold")
    panel.set_xscale("log")
    for height, model in enumerate(MODELS):
        values = {kind: rows[model, kind][name] for kind in KINDS if name in rows.get((model, kind), {})}
        if name == "handler_p50_us":
            values.pop(EMPTY, None)  # it does nothing, in a fifth of a microsecond
        panel.hlines(height, min(values.values()), max(values.values()), color=INK, alpha=0.35, linewidth=1.5, zorder=1)
        for kind, value in values.items():
            panel.scatter(value, height, color=COLORS[kind], marker=MARKS[kind], s=SIZES.get(kind, 70), linewidths=2, zorder=3)
            _label(panel, kind, value, height)
    panel.set_yticks(range(len(MODELS)), list(MODELS.values()))
    panel.set_ylim(len(MODELS) - 0.5, -0.65)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", which="major", color=INK, alpha=0.2)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _label(panel: Axes, kind: str, value: float, height: float) -> None:
    """Write the value above its mark; the empty function's and ours under the provider's client touch, so that ours is below."""
    place: Any = {"xytext": (0, 8), "ha": "center", "va": "bottom"}
    if kind == EMPTY:
        place = {"xytext": (-3, 8), "ha": "right", "va": "bottom"}
    elif kind == FLYWEIGHT:
        place = {"xytext": (0, -8), "ha": "center", "va": "top"}
    weight = "bold" if kind == FLYWEIGHT else "normal"
    text = f"{value:,.0f}"
    panel.annotate(text, (value, height), textcoords="offset points", color=COLORS[kind], weight=weight, **place)


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[1]
    draw(json.loads((root / "benchmarks/results/cold_start.json").read_text()), root / "docs/images/cold_start.svg")
