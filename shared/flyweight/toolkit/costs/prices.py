"""The prices of all targets; and bills, which are amounts with the arithmetic that made them.

Prices stand in `toolkit/targets/NAME/prices.json`: list prices in US dollars without taxes, before discounts and commitments, for
the `region` named there, read by the date `checked`; free amounts are a month's. The fields of a price: `value`, `unit`;
`source`, the provider's own page for it; `seen`, what was read, `seen_at`, where, and `date`, when that was written (of a page
without a date: when its stored copy was read); `by`, whose word it is: `provider` for the provider's own page or code, `price
list` for a record of what its price list answered, `third party` for anybody else. A price without `seen` is from memory, and
marked as unconfirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flyweight.toolkit.costs import tables
from flyweight.toolkit.errors import ToolkitError, Unpriced

HOURS = 730  # of a month, as the providers' own calculators have it
SECONDS = HOURS * 3600
FOREVER = float("inf")


@dataclass(frozen=True)
class Price:
    """One price, or a free amount; `seen`: what was read of it, in its words, `seen_at` where, `by` whom, `date` when."""

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
        """Whether it was read somewhere, and is not from memory."""
        return bool(self.seen)

    @property
    def mark(self) -> str:
        """What stands behind a figure that was not confirmed."""
        return "" if self.confirmed else " (unconfirmed)"


@dataclass(frozen=True)
class Line:
    """One line of a bill: dollars a month, and how they come about."""

    what: str
    amount: float
    arithmetic: str
    confirmed: bool = True


@dataclass(frozen=True)
class Bill:
    """What a month costs."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        """Dollars a month."""
        return sum(line.amount for line in self.lines)

    @property
    def confirmed(self) -> bool:
        """Whether every price in it is."""
        return all(line.confirmed for line in self.lines)

    def document(self) -> dict[str, Any]:
        """The bill for JSON."""
        lines = [
            {"what": o.what, "dollars": round(o.amount, 4), "arithmetic": o.arithmetic, "confirmed": o.confirmed}
            for o in self.lines
        ]
        return {"dollars_a_month": round(self.total, 4), "confirmed": self.confirmed, "lines": lines}


@cache
def all_prices() -> dict[str, Price]:
    """The prices of all targets, by name.

    :raises ToolkitError: two targets have one name for two prices.
    """
    found: dict[str, Price] = {}
    for name, fields in tables.entries("prices", "prices"):
        one = Price(name, **fields)
        if found.setdefault(name, one) != one:
            raise ToolkitError(f"two targets have a price called {name!r}", "rename it in one prices.json")
    return found


def price(name: str) -> Price:
    """The price of that name.

    :raises Unpriced: no target has such a price.
    """
    found = all_prices().get(name)
    if found is None:
        raise Unpriced(f"there is no price {name!r}", "add it to the target's prices.json")
    return found


def regions() -> dict[str, str]:
    """The regions that prices are of, by cloud."""
    return {cloud: str(table["region"]) for cloud, table in tables.by_cloud("prices").items() if "region" in table}


def checked() -> str:
    """The date until which prices were read."""
    return max((str(table.get("checked", "")) for table in tables.by_target("prices").values()), default="")


def footnote(regions: str) -> str:
    """Say what a bill's prices are: of which regions, and read until when."""
    where = f" of {regions}" if regions else ""
    return f"list prices{where}, others differ; read by {checked()}, without taxes; sources: toolkit/targets/NAME/prices.json"


def metered(what: str, amount: float, name: str, free: str = "") -> Line:
    """A line of so much at a price, after what is free."""
    rate = price(name)
    free_amount = price(free) if free else None
    billed = max(amount - free_amount.value, 0.0) if free_amount else amount
    less = f" - {count(free_amount.value)} free{free_amount.mark}" if free_amount else ""
    text = f"{f'({count(amount)}{less})' if less else count(amount)} x {dollars(rate.value)}{rate.mark} per {rate.unit}"
    return Line(what, billed * rate.value, text, rate.confirmed and (free_amount is None or free_amount.confirmed))


def tiered(what: str, amount: float, tiers: Sequence[tuple[float, str]]) -> Line:
    """A line of so much at prices that change with the amount: each tier ends where it says."""
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
    """A line of what runs all month."""
    rate = price(name)
    text = f"{amount:g} x {HOURS} h x {dollars(rate.value)}{rate.mark} per {rate.unit}"
    return Line(what, amount * HOURS * rate.value, text, rate.confirmed)


def count(value: float) -> str:
    """An amount as people read it."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def dollars(value: float) -> str:
    """A price as people read it: never with an exponent."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return f"${value:.2f}" if len(text.partition(".")[2]) < 2 else f"${text}"
