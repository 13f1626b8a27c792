"""Feed random events to both Runtime API clients of Lambda, and compare every byte that they post.

    python -m benchmarks.clients --count 1000000

The same seed makes the same events. A difference ends the run: the event is printed, and the exit status is 1.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import click

from tests.targets.aws.runtime_api import OWN, PLATFORM, Request, Session, event
from tests.targets.aws.test_client import BROKEN, HEADERS, NAMES, RAISES, RETURNS, SEEN, SITUATIONS, posted

TEXTS = ["", "a", "é", "漢字", "😀", '"\\', "\u2028", "\x00\x1f\x7f", "x" * 300, " \t\n", "</script>", "\ufeff"]
# The code of these takes long, or fills the log.
SLOW = ("a large message", "recursion", "5000 digits", "a long text", "a depth of 900")


def value(choose: random.Random, depth: int = 0) -> Any:
    """Make any value that JSON can hold."""
    kind = choose.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return choose.choice([None, True, False])
    if kind == 1:
        return choose.randrange(-(10**6), 10**6) if choose.random() < 0.8 else choose.getrandbits(choose.randrange(1, 400))
    if kind == 2:
        return choose.choice([choose.random(), choose.uniform(-1e9, 1e9), choose.random() * 10.0 ** choose.randrange(-300, 300)])
    if kind < 6:
        return choose.choice(TEXTS) + choose.choice(TEXTS)
    if kind < 8:
        return [value(choose, depth + 1) for _ in range(choose.randrange(5))]
    return {choose.choice(TEXTS) + str(number): value(choose, depth + 1) for number in range(choose.randrange(5))}


def echoed(choose: random.Random) -> bytes:
    """Make an event that is returned as it is, in any way of writing JSON."""
    text = json.dumps({"return": value(choose)}, ensure_ascii=choose.random() < 0.5, indent=choose.choice([None, None, 1]))
    return event(text.encode(), choose.randrange(10**9))


def headed(choose: random.Random) -> bytes:
    """Make an event with other headers, of which the function tells what it sees."""
    first, second = choose.choice([*HEADERS.values()]), choose.choice([*HEADERS.values()])
    return event({"run": SEEN}, **{**first, **second})


def written(choose: random.Random) -> bytes:
    """Make an event whose function returns a value that is no plain JSON."""
    inner = repr(value(choose, 2))
    forms = ["P({0}, 1)", "[P(1, P({0}, 2))]", "({0}, {0})", "Decimal('{1}')", "{{'a': [Decimal('{1}E{2}'), nan, {0}]}}"]
    forms += ["{{b'k': {0}, 1: 2, None: inf}}", "{{1, 2}}", "[b'text', {0}]", "collections.OrderedDict(a={0})"]
    code = choose.choice(forms).format(inner, choose.randrange(10**9), choose.randrange(40))
    return event({"run": f"{NAMES}\nresult = {code}"})


def listed(choose: random.Random) -> bytes:
    """Make an event of the list of returns and errors."""
    code = {name: code for name, code in {**RETURNS, **RAISES}.items() if name not in SLOW}
    return event({"run": choose.choice([*code.values()])}, choose.randrange(10**9))


def broken(choose: random.Random) -> bytes:
    """Make an event that is not JSON: an entry of a list, or a text with some bytes changed."""
    if choose.random() < 0.2:
        return event(choose.choice([body for name, body in BROKEN.items() if name != "a depth of 100,000"]))
    body = bytearray(json.dumps({"return": value(choose)}).encode())
    for _ in range(choose.randrange(1, 4)):
        body[choose.randrange(len(body))] = choose.choice(b'{}[]":,\\ \x00\x80ae1.-')
    return echoed(choose) if _ends_the_platforms_client(bytes(body)) else event(bytes(body))


def _ends_the_platforms_client(body: bytes) -> bool:
    """Tell whether a body holds half a character, at which AWS's client ends its process."""
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        pass
    return False


KINDS: list[tuple[Callable[[random.Random], bytes], float]] = [
    (echoed, 0.6), (headed, 0.08), (written, 0.12), (listed, 0.1), (broken, 0.1)
]  # fmt: skip


def promised(requests: list[Request]) -> list[tuple[Any, ...]]:
    """What is compared: of an event that is no JSON all but the words of its error, which are Python's own."""
    found = []
    for method, path, headers, body in posted(requests):
        if b'"errorType": "Runtime.UnmarshalError"' in body:
            found.append((method, path, "Runtime.UnmarshalError"))
        else:
            found.append((method, path, headers, body))
    return found


@click.command()
@click.option("--count", default=10_000, show_default=True, type=click.IntRange(1), help="Events to compare.")
@click.option("--seconds", default=0.0, help="End after this time instead, whatever the count.")
@click.option("--seed", default=0, show_default=True, help="The seed of the events.")
@click.option("--restart", default=20_000, show_default=True, help="Events after which both processes start anew.")
def main(count: int, seconds: float, seed: int, restart: int) -> None:
    """Compare both clients on random events."""
    choose = random.Random(seed)
    makers, weights = zip(*KINDS, strict=True)
    began = time.monotonic()
    done, told = 0, dict.fromkeys([make.__name__ for make in makers], 0)
    while done < count and not (seconds and time.monotonic() - began > seconds):
        with Session(PLATFORM, SITUATIONS) as platform, Session(OWN, SITUATIONS) as own:
            for _ in range(min(restart, count - done)):
                (make,) = choose.choices(makers, weights)
                answer = make(choose)
                for session in (platform, own):
                    session.requests.clear()
                    session.give(answer)
                platform.waits(), own.waits()
                if promised(platform.requests) != promised(own.requests):
                    click.echo(f"event {done}, {make.__name__}, seed {seed}:\n{answer!r}\n{platform.requests}\n{own.requests}")
                    raise SystemExit(1)
                done, told[make.__name__] = done + 1, told[make.__name__] + 1
                if seconds and time.monotonic() - began > seconds:
                    break
    kinds = ", ".join(f"{number} {name}" for name, number in told.items())
    click.echo(f"{done} events without a difference in {time.monotonic() - began:.0f} s ({kinds})")


if __name__ == "__main__":
    main()
