"""What was deployed from here, so that one can go back: folders and parameters, kept in a folder of the user's."""

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
    """One deployment that answered as it should; `label`: the provider's name for it, if it has one."""

    number: int
    folder: Path
    model: str
    label: str
    parameters: Mapping[str, str]


class Releases:
    """The releases of one function at one target, the newest last."""

    def __init__(self, target: str, name: str, home: Path = HOME) -> None:
        self.home = home / target / name
        self._record = self.home / "releases.json"

    def all(self) -> list[Release]:
        """Those that there are."""
        if not self._record.is_file():
            return []
        return [Release(**{**one, "folder": self.home / one["folder"]}) for one in json.loads(self._record.read_text())]

    def stage(self, folder: Path) -> Path:
        """A copy of the folder, to be deployed, and to be kept if that comes out well."""
        number = max([one.number for one in self.all()], default=0) + 1
        copy = self.home / f"{number:04d}"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        return copy

    def keep(self, staged: Path, label: str, parameters: Mapping[str, str]) -> Release:
        """Note that a staged folder is live and well; the oldest are forgotten."""
        marker = read_marker(staged)
        release = Release(int(staged.name), staged, f"{marker['model']} {marker['version']}", label, dict(parameters))
        self._write([*self.all(), release])
        return release

    def drop(self, staged: Path) -> None:
        """Forget a staged folder that did not come out well."""
        shutil.rmtree(staged, ignore_errors=True)

    def make_current(self, release: Release) -> None:
        """Note that one went back to a release: those after it are forgotten."""
        listed = [one for one in self.all() if one.number <= release.number]
        for one in self.all():
            if one.number > release.number:
                self.drop(one.folder)
        self._write(listed)

    def forget(self) -> None:
        """Forget all of them: there is nothing any more that one could go back to."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _write(self, releases: list[Release]) -> None:
        for one in releases[:-KEPT]:
            self.drop(one.folder)
        listed = [{**asdict(one), "folder": one.folder.name, "parameters": dict(one.parameters)} for one in releases[-KEPT:]]
        draft = self._record.with_suffix(".draft")
        draft.write_text(json.dumps(listed, indent=2) + "\n")
        draft.replace(self._record)
