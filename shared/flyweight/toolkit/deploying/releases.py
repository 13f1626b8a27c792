"""Store the folders and parameters of releases in the working directory, for rollbacks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from flyweight.toolkit.targets.deployment import HOME
from flyweight.toolkit.targets.package import read_marker

KEPT = 5


@dataclass(frozen=True)
class Release:
    """A deployment whose answers were verified; `label`: the provider's name for it, if it has one."""

    number: int
    folder: Path
    model: str
    label: str
    parameters: Mapping[str, str]


class Releases:
    """The releases of one function at one target, newest last."""

    def __init__(self, target: str, name: str, home: Path = HOME) -> None:
        self.home = home / target / name
        self._record = self.home / "releases.json"

    def all(self) -> list[Release]:
        """List the releases."""
        if not self._record.is_file():
            return []
        return [
            Release(**{**one, "folder": self.home / one["folder"]})
            for one in json.loads(self._record.read_text(encoding="utf-8"))
        ]

    def stage(self, folder: Path) -> Path:
        """Copy the folder for a deployment; the copy is kept if the deployment succeeds."""
        number = max([one.number for one in self.all()], default=0) + 1
        copy = self.home / f"{number:04d}"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        return copy

    def keep(self, staged: Path, label: str, parameters: Mapping[str, str]) -> Release:
        """Record a staged folder as a release, and remove the oldest releases."""
        marker = read_marker(staged)
        release = Release(int(staged.name), staged, f"{marker['model']} {marker['version']}", label, dict(parameters))
        self._write([*self.all(), release])
        return release

    def drop(self, staged: Path) -> None:
        """Remove a staged folder whose deployment failed."""
        shutil.rmtree(staged, ignore_errors=True)

    def make_current(self, release: Release) -> None:
        """Record a rollback to a release: remove the later releases."""
        listed = [one for one in self.all() if one.number <= release.number]
        for one in self.all():
            if one.number > release.number:
                self.drop(one.folder)
        self._write(listed)

    def forget(self) -> None:
        """Remove all releases, after the function was destroyed."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _write(self, releases: list[Release]) -> None:
        for one in releases[:-KEPT]:
            self.drop(one.folder)
        listed = [{**asdict(one), "folder": one.folder.name, "parameters": dict(one.parameters)} for one in releases[-KEPT:]]
        draft = self._record.with_suffix(".draft")
        draft.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
        draft.replace(self._record)
