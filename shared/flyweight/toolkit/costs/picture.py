"""Cost against traffic: advice in, an SVG with every option's curve and the points where the cheapest changes out."""

from __future__ import annotations

from pathlib import Path

from flyweight.toolkit.costs.advice import HIGHEST, LOWEST, Advice, leading
from flyweight.toolkit.costs.options import Option

STEPS = 281


def draw(advice: Advice, path: Path) -> None:
    """Write the picture; the same advice gives the same bytes.

    :raises ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    options = [one.option for one in advice.considered if not one.excluded and one.option.family != "edge"]
    with matplotlib.rc_context(
        {"svg.hashsalt": "flyweight", "svg.fonttype": "none", "path.simplify_threshold": 0.5, "font.size": 9}
    ):
        figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
        for number, option in enumerate(options):
            points, dollars = curve(advice, option)
            axes.plot(
                points, dollars, label=option.name, color=f"C{number % 10}", linestyle="-" if number < 10 else "--", linewidth=1.3
            )
        for crossing in leading(advice):
            axes.axvline(crossing.requests, color="0.6", linewidth=0.7)
            axes.annotate(crossing.cheaper_above, (crossing.requests, 0.011), rotation=90, va="bottom", ha="right", fontsize=7)
        axes.axvline(advice.workload.requests, color="black", linewidth=1, linestyle=":")
        axes.set(xscale="log", yscale="log", xlim=(LOWEST, HIGHEST), ylim=(0.01, None))
        axes.set_xlabel("requests a month (dotted: yours; grey: from here on the one named is the cheapest)")
        axes.set_ylabel("US dollars a month, list price")
        axes.legend(fontsize=7, ncols=2, loc="upper left")
        figure.savefig(path, format="svg", metadata={"Date": None})
        pyplot.close(figure)


def curve(advice: Advice, option: Option) -> tuple[list[float], list[float]]:
    """Requests a month and dollars a month, evenly on a scale of powers; what is free lies at the picture's floor."""
    ratio = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    points = [LOWEST * ratio**step for step in range(STEPS)]
    return points, [max(option.bill(advice.workload.at(requests)).total, 0.01) for requests in points]
