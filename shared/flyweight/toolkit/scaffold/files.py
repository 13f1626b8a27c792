"""A project's name, model and providers to its files, as bytes by their paths: the same each time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from flyweight import predictor
from flyweight.toolkit import resources

TEMPLATE = Path(__file__).resolve().parent / "template"  # `.template`: a file that tools would take for this project's own
# what a function of any model answers alike; `predict` is made of the model's own sample
EVENTS = ("health", "ready", "model")
OWN = ("__pycache__", ".pyc")


@dataclass(frozen=True)
class File:
    """The contents of a file, and whether it may be run."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Plan:
    """What a project is made of; `model`: the model file's path in it; `trains`: whether it comes with the example's training."""

    name: str
    model: str
    providers: tuple[str, ...]
    trains: bool = False


def files(plan: Plan, root: Path) -> dict[str, File]:
    """All files of a project but its model, which lies in `root` already."""
    found = {}
    for path in _sources(TEMPLATE):
        name = path.relative_to(TEMPLATE).as_posix()
        if name != "train.py" or plan.trains:
            found[name.removesuffix(".template")] = File(_filled(path.read_text(encoding="utf-8"), plan))
    for provider in plan.providers:
        for folder in (f"handlers/{provider}", f"infra/{provider}", f"infra/terraform/{provider}"):
            top, _, rest = folder.partition("/")
            source = resources.folder(top) / rest
            for path in _sources(source) if source.is_dir() else ():
                data = File(path.read_bytes(), bool(path.stat().st_mode & 0o100))
                found[f"{folder}/{path.relative_to(source).as_posix()}"] = data
        found |= _events(provider, root / plan.model)
    return dict(sorted(found.items()))


def _events(provider: str, model: Path) -> dict[str, File]:
    samples = {name: resources.event(provider, name) for name in EVENTS}
    found = {f"events/{provider}/{name}.json": File(path.read_bytes()) for name, path in samples.items() if path.is_file()}
    sample = predictor.load(str(model)).file.document.get("sample")
    if isinstance(sample, dict) and sample.get("instances"):
        event = resources.event_of(provider, sample["instances"][:1])
        found[f"events/{provider}/predict.json"] = File((json.dumps(event, indent=2, ensure_ascii=False) + "\n").encode())
    return found


def _sources(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not {*OWN} & {path.suffix, path.parent.name}]


def _filled(text: str, plan: Plan) -> bytes:
    """The text with this project's words in it."""
    first = plan.providers[0]
    words = {"NAME": plan.name, "MODEL": plan.model, "PROVIDERS": ",".join(plan.providers), "PROVIDER": first}
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text.encode()
