"""The folders that travel beside the package, in a wheel or in a checkout: `handlers`, `infra` and `events`."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder of that name: the wheel's data if this is an installed wheel, else the checkout's."""
    packed = HERE / "data" / name
    return packed if packed.is_dir() else HERE.parents[2] / name


def providers() -> list[str]:
    """The providers that there are handlers for, by name."""
    return sorted(path.name for path in folder("handlers").iterdir() if path.is_dir() and path.name.isidentifier())


def event(provider: str, name: str) -> Path:
    """A file of an event: `name` itself if it is a file, else the sample of that name, with or without `.json`."""
    if Path(name).is_file():
        return Path(name)
    return folder("events") / provider / (name if name.endswith(".json") else f"{name}.json")


def event_of(provider: str, instances: list[Any]) -> Any:
    """An event of a prediction: the provider's own sample, with these instances for its body."""
    content = json.loads(event(provider, "predict").read_text())
    return {**content, "body": json.dumps({"instances": instances})}
