"""The folders that travel beside the package, in a wheel or in a checkout: `handlers`, `infra` and `events`."""

from pathlib import Path

HERE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder of that name: the wheel's data if this is an installed wheel, else the checkout's."""
    packed = HERE / "data" / name
    return packed if packed.is_dir() else HERE.parents[2] / name


def handlers() -> list[str]:
    """The transports that there are handlers for, by name: each folder of `handlers/` with a Python file in it."""
    folders = [path for path in folder("handlers").iterdir() if path.is_dir() and path.name.isidentifier()]
    return sorted(path.name for path in folders if any(path.glob("*.py")))
