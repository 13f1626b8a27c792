"""Cost against traffic for a terminal: advice in, lines of text out, a letter for each option and the crossovers below."""

from __future__ import annotations

import math

from flyweight.toolkit.costs.advice import Advice
from flyweight.toolkit.costs.break_even import HIGHEST, LOWEST
from flyweight.toolkit.costs.options import Option

TEN = 10  # columns a power of ten of requests
WIDTH, HEIGHT = round(TEN * math.log10(HIGHEST / LOWEST)) + 1, 16
MOST = 6  # options that are drawn; more can't be told apart
FLOOR = 0.1  # dollars a month: what is less lies on the axis


def shown(advice: Advice) -> list[Option]:
    """Which options are drawn: those that are ever the cheapest, then the recommended and those that follow it."""
    by_name = {option.name: option for option in advice.priced}
    changes = advice.leading
    named = [*([changes[0].cheaper_below] if changes else []), *(change.cheaper_above for change in changes)]
    ordered = [*named, *by_name]
    return [by_name[name] for name in dict.fromkeys(ordered)][:MOST]


def text(advice: Advice) -> str:
    """The chart, with a legend."""
    options = shown(advice)
    costs = [
        [max(option.bill(advice.workload.at(_requests(column))).total, FLOOR) for column in range(WIDTH)] for option in options
    ]
    top = math.ceil(math.log10(max(max(row) for row in costs)) + 1e-9)
    low = math.floor(math.log10(FLOOR))
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    for number in reversed(range(len(options))):  # the cheapest last, so that its letter stands on top
        for column, dollars in enumerate(costs[number]):
            height = round((math.log10(dollars) - low) / (top - low) * (HEIGHT - 1))
            grid[HEIGHT - 1 - height][column] = chr(ord("A") + number)
    lines = ["dollars a month, against requests a month (both by powers of ten)", ""]
    for row, cells in enumerate(grid):
        power = low + (HEIGHT - 1 - row) / (HEIGHT - 1) * (top - low)
        before = low + (HEIGHT - row) / (HEIGHT - 1) * (top - low)
        label = f"${_short(10 ** math.floor(before - 1e-9))}" if math.floor(before - 1e-9) >= power or row == HEIGHT - 1 else ""
        lines.append(f"{label:>7} |{''.join(cells).rstrip()}")
    return "\n".join([*lines, *_axis(advice), "", *_legend(advice, options), ""])


def _axis(advice: Advice) -> list[str]:
    """The line below, its powers of ten, where the cheapest changes, and where this workload is."""
    ticks = "".join("+" if column % TEN == 0 else "-" for column in range(WIDTH))
    labels = "".join(f"{_short(_requests(column)):<{TEN}}" for column in range(0, WIDTH, TEN))
    marks = [" "] * WIDTH
    for change in advice.leading:
        marks[_column(change.requests)] = "^"
    marks[_column(advice.workload.requests)] = "o"
    return [f"{'':>7} +{ticks}", f"{'':>7}  {labels.rstrip()}", f"{'':>7}  {''.join(marks).rstrip()}"]


def _legend(advice: Advice, options: list[Option]) -> list[str]:
    names = [f"{chr(ord('A') + number)} {option.name}" for number, option in enumerate(options)]
    told = [", ".join(names), "o: you are here; ^: the cheapest changes"]
    more = len(advice.priced) - len(options)
    return [f"  {line}" for line in (*told, *([f"({more} more options: -o FILE.svg draws all of them)"] if more else []))]


def _requests(column: int) -> float:
    return float(LOWEST * 10 ** (column / TEN))


def _column(requests: float) -> int:
    return round(min(max(math.log10(max(requests, 1.0) / LOWEST) * TEN, 0), WIDTH - 1))


def _short(number: float) -> str:
    """10000 as 10k."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size * 0.999:
            return f"{number / size:g}{letter}"
    return f"{number:g}"
