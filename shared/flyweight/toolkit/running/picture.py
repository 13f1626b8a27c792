"""Draw a cold start by step beside an empty function's, as two bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flyweight.toolkit.costs.picture import form_of
from flyweight.toolkit.running.cold_start import STEPS, ColdStart

INK = "#768390"  # readable on light and on dark pages
EMPTY = "#8c959f"
COLORS = ("#1a66cc", "#5a2d91", "#2da44e", "#7a6a00", "#a3145a", "#bf8700", "#c25700")  # of the steps in their order


def draw(found: ColdStart, path: Path) -> None:
    """Write the picture in the format of the path's suffix.

    :raises ToolkitError: the suffix is not that of a picture, or matplotlib is not installed.
    """
    form = form_of(path)
    import matplotlib

    matplotlib.use({"png": "agg"}.get(form, form))
    from matplotlib import pyplot

    colors = dict(zip(STEPS, COLORS, strict=True))
    ink = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), INK)
    settings: Any = {"svg.hashsalt": "flyweight", "svg.fonttype": "none", "font.size": 10, **ink}
    with matplotlib.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(9, 2.4), layout="constrained")
        begun = 0.0
        for step, spent in found.steps.items():
            axes.barh(1, 1000 * spent, left=1000 * begun, color=colors[step], label=f"{step}, {1000 * spent:.1f} ms", height=0.55)
            begun += spent
        axes.barh(0, 1000 * found.empty, color=EMPTY, height=0.55)
        axes.set_yticks([1, 0], [f"this folder\n{1000 * found.total:.0f} ms", f"empty function\n{1000 * found.empty:.0f} ms"])
        axes.set_xlabel(f"ms from exec to the whole first answer; {found.runtime}, median of {found.rounds}")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside right upper", frameon=False, fontsize=9)
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form, {})
        figure.savefig(path, format=form, transparent=True, metadata=metadata, dpi=150)
        pyplot.close(figure)
