"""Draw the floors from the imports, and one request on its way through them: the pictures of docs/architecture.md.

python -m tests.architecture.drawing
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape

from tests.architecture.sources import CORE, imports, module_name
from tests.architecture.test_floors import FLOORS, room
from tests.conftest import ROOT

IMAGES = ROOT / "docs" / "images"
# The rooms above the core's own floors.
ABOVE = (("handlers/",), ("toolkit",))
# One request for a prediction: (room, what happens there, module and name), in the order in which it happens.
JOURNEY = (
    ("handlers/", "decode: the event becomes a Request", "handlers/aws/aws_event.py:decode"),
    ("handler", "bind: trigger or request?", "shared/flyweight/handler.py:bind"),
    ("serving", "Service.answer: one log line, one response", "shared/flyweight/serving/service.py:answer"),
    ("protocols", "route, then infer", "shared/flyweight/protocols/__init__.py:infer"),
    ("formats", "parse: bytes to instances", "shared/flyweight/formats/__init__.py:parse"),
    ("models", "Validator.rows: instances to rows", "shared/flyweight/models/validation.py:rows"),
    ("predictor", "Predictor.answer", "shared/flyweight/predictor.py:answer"),
    ("engines", "Engine.outputs runs the plan's ops", "shared/flyweight/engines/pure.py:outputs"),
    ("protocols", "render: a Prediction to bytes", "shared/flyweight/protocols/native.py:render"),
    ("handlers/", "encode: the platform's own answer", "handlers/aws/aws_event.py:encode"),
)
# What each room is for, in three words.
WORDS = {
    "toolkit": "packs, builds, deploys",
    "handlers/": "transports, one folder each",
    "jobs": "many files, all cores",
    "files": "files in buckets",
    "handler": "what a platform calls",
    "arrow": "record batches",
    "records": "queues and streams",
    "serving": "a request's life",
    "protocols": "paths, bodies, errors",
    "registry": "models from stores",
    "predictor": "a loaded model",
    "engines": "a model that runs",
    "formats": "bytes and instances",
    "ops": "the words of plans",
    "models": "a model as data",
    "stores": "objects by key",
    "values": "frozen values",
    "errors": "codes and statuses",
    "settings": "the environment",
    "strict_json": "JSON, both ways",
}
WIDTH, ROW, BOX, HEIGHT, TOP = 1180, 92, 170, 46, 40
STYLE = """<style>
text{font:13px system-ui,sans-serif;fill:#1b2430}
.small,.floor{font-size:11px;fill:#5b6675}
.room{fill:#f4f7fb;stroke:#6c8ebf;stroke-width:1.2} .faint{fill:#fafbfd;stroke:#c5d0e0}
.arrow{fill:none;stroke:#6c8ebf;stroke-opacity:.5;stroke-width:1.4}
.way{fill:none;stroke:#d1495b;stroke-width:2;stroke-linejoin:round} .stop{fill:#d1495b}
.number{fill:#fff;font-size:12px;font-weight:600;text-anchor:middle}
@media(prefers-color-scheme:dark){text{fill:#dfe6ef}.small,.floor{fill:#98a3b3}.room{fill:#1c2633}.faint{fill:#161d27;stroke:#3a475a}}
</style>"""


@dataclass(frozen=True)
class Room:
    """A room on the sheet, and where its box stands."""

    name: str
    x: float
    y: float


def rooms() -> dict[str, Room]:
    """Every room by name, the highest floor at the top."""
    placed = {}
    for row, names in enumerate([*ABOVE[::-1], *FLOORS[::-1]]):
        gap = (WIDTH - 90 - BOX * len(names)) / (len(names) + 1)
        for column, name in enumerate(names):
            placed[name] = Room(name, 90 + gap + column * (BOX + gap), TOP + row * ROW)
    return placed


def arrows() -> set[tuple[str, str]]:
    """Which room imports which, but for what the toolkit and the handlers import."""
    found = set()
    for path in CORE:
        here = room(module_name(path))
        found |= {(here, room(name)) for name in imports(path) if name.startswith("flyweight.")}
    return {(one, other) for one, other in found if one and other and one != other}


def floors_svg() -> str:
    """The floors, and which room of the core imports which."""
    placed, parts = rooms(), list[str]()
    for one, other in sorted(arrows()):
        parts.append(_arrow(placed[one], placed[other]))
    return _sheet([*parts, *_boxes(placed, "room"), *_labels(placed)], "Each room imports rooms below it only")


def journey_svg() -> str:
    """One request on its way down and up again."""
    placed = rooms()
    parts = [*_boxes(placed, "room faint"), *_labels(placed)]
    stops, seen = [], Counter[str]()
    for name, _, _ in JOURNEY:
        here = placed[name]
        stops.append((here.x - 15 + (BOX + 30) * seen[name], here.y + HEIGHT / 2))
        seen[name] += 1
    path = " ".join(f"{'M' if not number else 'L'}{x:.0f} {y:.0f}" for number, (x, y) in enumerate(stops))
    parts.append(f'<path class="way" d="{path}"/>')
    for number, ((x, y), (_, words, _)) in enumerate(zip(stops, JOURNEY, strict=True), 1):
        parts.append(f'<circle class="stop" cx="{x:.0f}" cy="{y:.0f}" r="11"><title>{escape(words)}</title></circle>')
        parts.append(f'<text class="number" x="{x:.0f}" y="{y + 4:.0f}">{number}</text>')
    below = TOP + (len(FLOORS) + len(ABOVE)) * ROW
    for number, (name, words, _) in enumerate(JOURNEY, 1):
        x, y = 100 + 540 * ((number - 1) // 5), below + 22 * ((number - 1) % 5)
        parts.append(f'<text x="{x}" y="{y}">{number}. {escape(name)}: {escape(words)}</text>')
    return _sheet(parts, "One prediction: down once, up once", extra=120)


def _sheet(parts: list[str], title: str, extra: int = 0) -> str:
    height = TOP + (len(FLOORS) + len(ABOVE)) * ROW + extra
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">'
    return "\n".join([head, f"<title>{title}</title>", STYLE, *parts, "</svg>"]) + "\n"


def _boxes(placed: dict[str, Room], kind: str) -> list[str]:
    return [
        f'<rect class="{kind}" x="{one.x:.0f}" y="{one.y:.0f}" width="{BOX}" height="{HEIGHT}" rx="7"/>'
        for one in placed.values()
    ]


def _labels(placed: dict[str, Room]) -> list[str]:
    labels = [f'<text class="floor" x="10" y="{TOP + row * ROW + 28}">floor {9 + 2 - row}</text>' for row in range(11)]
    for one in placed.values():
        labels.append(f'<text x="{one.x + 10:.0f}" y="{one.y + 20:.0f}">{escape(one.name)}</text>')
        labels.append(f'<text class="small" x="{one.x + 10:.0f}" y="{one.y + 36:.0f}">{WORDS[one.name]}</text>')
    return labels


def _arrow(one: Room, other: Room) -> str:
    x, y, u, v = one.x + BOX / 2, one.y + HEIGHT, other.x + BOX / 2, other.y
    if one.y == other.y:
        v += HEIGHT
        bend = f"Q{(x + u) / 2:.0f} {y + 30:.0f} {u:.0f} {v:.0f}"
    else:
        bend = f"C{x:.0f} {y + 40:.0f} {u:.0f} {v - 40:.0f} {u:.0f} {v:.0f}"
    return f'<path class="arrow" d="M{x:.0f} {y:.0f} {bend}"><title>{one.name} imports {other.name}</title></path>'


def main() -> None:
    """Write both pictures."""
    for name, drawn in (("floors", floors_svg()), ("request", journey_svg())):
        (IMAGES / f"{name}.svg").write_text(drawn)
        print(f"docs/images/{name}.svg")


if __name__ == "__main__":
    main()
