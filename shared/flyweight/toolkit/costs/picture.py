"""Draw cost against traffic: every option's curve, and the points where the cheapest option changes."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

from flyweight.toolkit import installation, targets
from flyweight.toolkit.costs.advice import Advice
from flyweight.toolkit.costs.break_even import HIGHEST, LOWEST
from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.errors import ToolkitError

FORMATS = ("svg", "png", "pdf")
STEPS = 113
FLOOR = 0.1  # dollars per month: smaller amounts are drawn on the axis
STYLES = {
    "serverless": "-", "container": "--", "virtual machine": "-.", "managed endpoint": ":", "cluster": (0, (5, 1, 1, 1, 1, 1)),
    "batch": (0, (6, 2)),
}  # fmt: skip
NO_CLOUD = "#444444"
COLORS = (
    "#c25700",
    "#5a2d91",
    "#1a66cc",
    "#1b7a3d",
    "#a3145a",
    "#7a6a00",
)  # of clouds in order, repeated if there are more clouds


def draw(advice: Advice, path: Path) -> None:
    """Write the chart in the format of the path's suffix; the same advice gives the same bytes.

    :raises ToolkitError: the suffix is not one of `FORMATS`, or matplotlib is not installed.
    """
    form = form_of(path)
    import matplotlib

    matplotlib.use({"png": "agg"}.get(form, form))
    from matplotlib import pyplot

    settings: Any = {"svg.hashsalt": "flyweight", "svg.fonttype": "none", "path.simplify_threshold": 0.5, "font.size": 9}
    with matplotlib.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(10, 5.6), layout="constrained")
        colors = dict(zip(targets.clouds(), cycle(COLORS), strict=False))
        for option in advice.priced:
            points, dollars = curve(advice, option)
            thick = 2.2 if any(option.name in (c.cheaper_above, c.cheaper_below) for c in advice.leading) else 1.1
            style: Any = STYLES.get(option.family, "-")
            color = colors.get(option.cloud, NO_CLOUD)
            axes.plot(points, dollars, label=option.name, color=color, linestyle=style, linewidth=thick)
        top = _crossovers(advice, axes)
        axes.axvline(advice.workload.requests, color="black", linewidth=1, linestyle=(0, (1, 2)))
        axes.set(xscale="log", yscale="log", xlim=(LOWEST, HIGHEST), ylim=(FLOOR, top))
        axes.grid(visible=True, which="major", color="0.92", linewidth=0.6)
        axes.set_axisbelow(True)
        of = f"of {advice.workload.rows:,} rows each" if advice.workload.rows > 1 else "of one row"
        axes.set_xlabel(f"requests per month, {of} (dotted line: yours)")
        axes.set_ylabel("US dollars per month, list price")
        axes.set_title("Cost against traffic", fontsize=10, loc="left")
        figure.legend(fontsize=8, loc="outside right upper", frameon=False, handlelength=3.2)
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form, {})
        figure.savefig(path, format=form, metadata=metadata, dpi=150)
        pyplot.close(figure)


def form_of(path: Path) -> str:
    """Get the format of a picture from the suffix of its path, where one can be drawn.

    :raises ToolkitError: the suffix is not one of `FORMATS`, or matplotlib is not installed.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        listed = ", ".join(f".{name}" for name in FORMATS)
        raise ToolkitError(f"{path} does not end in a format of pictures", f"give a path that ends in one of {listed}")
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise ToolkitError(f"a picture needs {error.name}, which is not installed", installation.command("plots")) from None
    return form


def curve(advice: Advice, option: Option) -> tuple[list[float], list[float]]:
    """Compute requests and dollars per month, evenly spaced on a logarithmic scale; free usage is drawn at the floor."""
    ratio = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    points = [LOWEST * ratio**step for step in range(STEPS)]
    return points, [max(option.cost(advice.workload.at(requests)).total, FLOOR) for requests in points]


def _crossovers(advice: Advice, axes: Any) -> float:
    """Draw a number at each change, with a legend in the corner that no curve reaches; return the top of the chart."""
    by_name = {option.name: option for option in advice.priced}
    labels = []
    for number, change in enumerate(advice.leading, start=1):
        dollars = max(by_name[change.cheaper_above].cost(advice.workload.at(change.requests)).total, FLOOR)
        axes.plot([change.requests], [dollars], marker="o", color="black", markersize=4, markerfacecolor="white", zorder=5)
        aside = (
            (11, -13) if number % 2 and dollars > 3 * FLOOR else (-11, 13)
        )  # on alternating sides, so that close numbers do not overlap
        where: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8, "zorder": 6, "textcoords": "offset points"}
        where["bbox"] = {"boxstyle": "circle,pad=0.25", "facecolor": "white", "linewidth": 0.8}
        where["arrowprops"] = {"arrowstyle": "-", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 2}
        axes.annotate(str(number), (change.requests, dollars), aside, **where)
        labels.append(f"{number}  {change.cheaper_above}, from {_short(change.requests)} on")
    if labels:
        axes.text(
            0.985, 0.03, "\n".join(["the cheapest is", *labels]), transform=axes.transAxes, ha="right", va="bottom", fontsize=8
        )
    return max(float(option.cost(advice.workload.at(HIGHEST)).total) for option in by_name.values()) * 2


def _short(requests: int) -> str:
    """Abbreviate a number: 1234567 as 1.23M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if requests >= size:
            return f"{requests / size:.3g}{letter}"
    return str(requests)
