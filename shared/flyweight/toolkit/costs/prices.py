"""The prices of all targets, and bills, which are amounts with their arithmetic.

Prices are in `toolkit/targets/NAME/prices.json`: list prices in US dollars without taxes, before discounts and commitments, for
the `region` named there, read by the date `checked`; free amounts are per month. The fields of a price: `value`, `unit`;
`source`, the provider's own page for it; `seen`, a quotation, `seen_at`, its place, and `date`, its date (for a page without a
date, the day on which its stored copy was read); `by`, its author: `provider` for the provider's own page or code, `price list`
for a recorded answer of its price list, `third party` for others. A price without `seen` is from memory, and marked as
unconfirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flyweight.toolkit.costs import tables
from flyweight.toolkit.errors import ToolkitError, Unpriced

HOURS = 730  # per month, as in the providers' own calculators
SECONDS = HOURS * 3600
FOREVER = float("inf")


@dataclass(frozen=True)
class Price:
    """A price, or a free amount; `seen`: a quotation of it, with its place `seen_at`, its author `by` and its `date`."""

    name: str
    value: float
    unit: str
    source: str
    seen: str = ""
    seen_at: str = ""
    by: str = ""
    date: str = ""
    note: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether a source was read; otherwise the price is from memory."""
        return bool(self.seen)

    @property
    def mark(self) -> str:
        """The suffix of an unconfirmed figure."""
        return "" if self.confirmed else " (unconfirmed)"


@dataclass(frozen=True)
class Line:
    """A line of a bill: dollars per month, and their arithmetic."""

    what: str
    amount: float
    arithmetic: str
    confirmed: bool = True


@dataclass(frozen=True)
class Bill:
    """The costs of a month."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        """The total in dollars per month."""
        return sum(line.amount for line in self.lines)

    @property
    def confirmed(self) -> bool:
        """Whether every price in the bill is confirmed."""
        return all(line.confirmed for line in self.lines)

    def document(self) -> dict[str, Any]:
        """Return the bill as a JSON object."""
        lines = [
            {"what": o.what, "dollars": round(o.amount, 4), "arithmetic": o.arithmetic, "confirmed": o.confirmed}
            for o in self.lines
        ]
        return {"dollars_a_month": round(self.total, 4), "confirmed": self.confirmed, "lines": lines}


@cache
def all_prices() -> dict[str, Price]:
    """Read the prices of all targets, by name.

    :raises ToolkitError: two targets use the same name for a price.
    """
    found: dict[str, Price] = {}
    for name, fields in tables.entries("prices", "prices"):
        one = Price(name, **fields)
        if found.setdefault(name, one) != one:
            raise ToolkitError(f"two targets have a price called {name!r}", "rename it in one prices.json")
    return found


def price(name: str) -> Price:
    """Find the price with this name.

    :raises Unpriced: no target has such a price.
    """
    found = all_prices().get(name)
    if found is None:
        raise Unpriced(f"the price {name!r} does not exist", "add it to the target's prices.json")
    return found


def regions() -> dict[str, str]:
    """Return the region of the prices, by cloud."""
    return {cloud: str(table["region"]) for cloud, table in tables.by_cloud("prices").items() if "region" in table}


def region(cloud: str) -> str:
    """Return the region of a cloud's prices; of an option in no cloud, those of all clouds."""
    return regions().get(cloud) or ", ".join(regions().values())


def checked() -> str:
    """Return the date by which the prices were read."""
    return max((str(table.get("checked", "")) for table in tables.by_target("prices").values()), default="")


def footnote(regions: str) -> str:
    """Describe a bill's prices: their regions, and the date by which they were read."""
    where = f" of {regions}" if regions else ""
    return (
        f"list prices{where}, without taxes, read by {checked()}; other regions differ; sources: toolkit/targets/NAME/prices.json"
    )


def metered(what: str, amount: float, name: str, free: str = "") -> Line:
    """Create a line for an amount at a price, after the free amount."""
    rate = price(name)
    free_amount = price(free) if free else None
    billed = max(amount - free_amount.value, 0.0) if free_amount else amount
    less = f" - {count(free_amount.value)} free{free_amount.mark}" if free_amount else ""
    text = f"{f'({count(amount)}{less})' if less else count(amount)} x {dollars(rate.value)}{rate.mark} per {rate.unit}"
    return Line(what, billed * rate.value, text, rate.confirmed and (free_amount is None or free_amount.confirmed))


def tiered(what: str, amount: float, tiers: Sequence[tuple[float, str]]) -> Line:
    """Create a line for an amount at tiered prices; each tier gives its upper end."""
    texts: list[str] = []
    total, start, confirmed = 0.0, 0.0, True
    for end, name in tiers:
        part = min(amount, end) - start
        if part > 0 or not texts:
            rate = price(name)
            total, confirmed = total + max(part, 0.0) * rate.value, confirmed and rate.confirmed
            texts.append(f"{count(max(part, 0.0))} x {dollars(rate.value)}{rate.mark}")
        start = end
    return Line(what, total, " + ".join(texts), confirmed)


def hourly(what: str, amount: float, name: str) -> Line:
    """Create a line for resources that run all month."""
    rate = price(name)
    text = f"{amount:g} x {HOURS} h x {dollars(rate.value)}{rate.mark} per {rate.unit}"
    return Line(what, amount * HOURS * rate.value, text, rate.confirmed)


def count(value: float) -> str:
    """Format an amount."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def dollars(value: float) -> str:
    """Format a price without an exponent."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return f"${value:.2f}" if len(text.partition(".")[2]) < 2 else f"${text}"
