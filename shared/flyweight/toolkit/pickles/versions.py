"""The versions of the libraries that fitted an estimator, as its file records them, and those that are installed here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

_OVERLAP = 64  # bytes of the piece before, since a record can lie on both sides of a cut

# top-level package -> where its models record the version: XGBoost's UBJSON and JSON, the tag of CatBoost's sources, and
# LightGBM's text, which names its form; forms are numbered as the library's major versions are
_RECORDS = {
    "xgboost": re.compile(rb'version\[#L\0{7}\x03i(.)i(.)i(.)|"version":\[(\d{1,3}),(\d{1,3}),(\d{1,3})\]', re.DOTALL),
    "catboost": re.compile(rb"Branch: (?:tags|heads)/v(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)"),
    "lightgbm": re.compile(rb"tree\nversion=v(\d{1,3})\n"),
}


@dataclass(frozen=True)
class Difference:
    """A library whose version here is not the one that fitted the estimator.

    :param distribution: the library's name, as it is installed.
    :param fitted: the version that fitted it; for LightGBM its first number; for NumPy a bound, such as ">=2".
    :param installed: the version here; None if it is not installed.
    """

    distribution: str
    fitted: str
    installed: str | None

    @property
    def requirement(self) -> str:
        """The requirement that the version which fitted it fulfils."""
        if not self.fitted[:1].isdigit():
            return f"{self.distribution}{self.fitted}"
        return f"{self.distribution}=={self.fitted}" + ("" if "." in self.fitted else ".*")

    def __str__(self) -> str:
        return f"{self.distribution} {self.fitted} (here: {self.installed or 'not installed'})"


class Records:
    """Finds the versions that boosters record in the bytes of their models, while a file is read."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._before = b""

    def look(self, data: bytes) -> None:
        """Look through the next piece of a file."""
        joined = self._before + data
        for package, pattern in _RECORDS.items():
            if package not in self.found and (match := pattern.search(joined)):
                self.found[package] = ".".join(map(_number, filter(None, match.groups())))
        self._before = joined[-_OVERLAP:]


def _number(part: bytes) -> str:
    """Write a part of a version, which UBJSON holds as one byte, and all others as text."""
    return part.decode() if part[:1].isdigit() else str(part[0])


def installed_version(distribution: str) -> str | None:
    """Find the version of a distribution that is installed here; None if it is not."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def differences(recorded: Iterable[tuple[str, str]]) -> list[Difference]:
    """List the libraries that are installed here in another version than a file records.

    :param recorded: names of distributions, each with the version that fitted a part of the estimator.
    """
    found = [Difference(name, fitted, installed_version(name)) for name, fitted in recorded]
    return [one for one in found if not _alike(one.fitted, one.installed)]


def _alike(fitted: str, here: str | None) -> bool:
    """Tell whether an installed version is the one that fitted, down to the last number that the file records."""
    if here is None:
        return False
    if not fitted[:1].isdigit():
        old = int(here.partition(".")[0]) < 2  # the only bounds are those of NumPy's modules, `<2` and `>=2`
        return not (fitted == ">=2" and old)  # newer ones still find what older ones wrote
    return here == fitted or ("." not in fitted and here.startswith(f"{fitted}."))
