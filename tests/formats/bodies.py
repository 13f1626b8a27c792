"""Hostile bodies of any size, by kind: each begins with what a caller may send, and repeats one thing."""

from __future__ import annotations

from collections.abc import Callable

from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits

JSON, CSV, LINES = "application/json", "text/csv", "application/x-ndjson"
Make = Callable[[int], str]


def many(count: int, make: Callable[[int], str], between: str = ",") -> str:
    return between.join([make(number) for number in range(count)])


BODIES: dict[str, tuple[str, Make]] = {
    "nested arrays": (JSON, lambda n: "[" + ("[" * 400 + "]" * 400 + ",") * (n // 801) + "[]]"),
    "nested objects": (JSON, lambda n: "[" + ('{"":' * 200 + "1" + "}" * 200 + ",") * (n // 1001) + "1]"),
    "deep": (JSON, lambda n: "[" * n),
    "small arrays": (JSON, lambda n: "[" + "[]," * (n // 3) + "[]]"),
    "small objects": (JSON, lambda n: '{"instances":[' + '{"f0":1},' * (n // 9) + "{}]}"),
    "arrays in one instance": (JSON, lambda n: "[[" + "[1]," * (n // 4) + "1]]"),
    "objects in one instance": (JSON, lambda n: "[[" + many(n // 11, lambda i: f'{{"{i:04x}":1}}') + "]]"),
    "zeros": (JSON, lambda n: "[" + "0," * (n // 2) + "0]"),
    "a wide instance": (JSON, lambda n: "[[" + "1e1," * (n // 4) + "1]]"),
    "wide instances": (JSON, lambda n: "[" + many(n // 200, lambda i: "[" + "1," * 99 + "1]") + "]"),
    "keys of one instance": (JSON, lambda n: "[{" + many(n // 9, lambda i: f'"{i:04x}":1') + "}]"),
    "a key twice": (JSON, lambda n: "[{" + many(n // 9, lambda i: f'"{i:04x}":1') + ',"0000":1}]'),
    "keys of the request": (JSON, lambda n: "{" + many(n // 9, lambda i: f'"{i:04x}":1') + "}"),
    "misspelt names": (JSON, lambda n: "[" + many(n // 600, lambda i: "{" + many(40, lambda j: f'"ff{i}{j}":0.5') + "}") + "]"),
    "a long key": (JSON, lambda n: '[{"' + "a" * n + '":1}]'),
    "a long text": (JSON, lambda n: '[["' + "a" * n + '"]]'),
    "texts": (JSON, lambda n: "[[" + '"ab",' * (n // 5) + "1]]"),
    "outputs": (JSON, lambda n: '{"instances":[[1]],"outputs":[' + '"a",' * (n // 4) + '"a"]}'),
    "surrogates": (JSON, lambda n: '[["' + "\\ud800" * (n // 6) + '"]]'),
    "backslashes": (JSON, lambda n: '[["' + "\\\\" * (n // 2) + '"]]'),
    "an open text": (JSON, lambda n: '[["' + '\\"' * (n // 2)),
    "escaped quotes outside texts": (JSON, lambda n: "[" * 20 + '\\"' * (n // 2) + "\\"),
    "brackets in a text": (JSON, lambda n: '[["' + "[{" * (n // 2) + '"]]'),
    "letters of four bytes": (JSON, lambda n: '[["\U0001f600","' + "a" * n + '"]]'),
    "numbers of many digits": (JSON, lambda n: "[[" + ("9" * 4000 + ",") * (n // 4001) + "1]]"),
    "a number of endless digits": (JSON, lambda n: "[[" + "9" * n + "]]"),
    "a fraction of endless digits": (JSON, lambda n: "[[0." + "9" * n + "]]"),
    "one column": (CSV, lambda n: "f0\n" + "1\n" * (n // 2)),
    "no header": (CSV + "; header=absent", lambda n: "1\n" * (n // 2)),
    "commas": (CSV, lambda n: "f0\n" + "," * n),
    "a wide row": (CSV, lambda n: "f0\n" + "ab," * (n // 3)),
    "a wide header": (CSV, lambda n: "ab," * (n // 3) + "\n1"),
    "names in the header": (CSV, lambda n: many(n // 5, lambda i: f"{i:04x}") + "\n1"),
    "quotes": (CSV, lambda n: '"' + '""' * (n // 2) + '"\n'),
    "quoted values": (CSV, lambda n: "f0\n" + '"1"\n' * (n // 4)),
    "open quotes": (CSV, lambda n: "f0\n" + 'x""","z\n' * (n // 8)),
    "blank lines": (CSV, lambda n: "f0\n" + "\n" * n),
    "digits in a line": (CSV, lambda n: "f0\n" + "9" * 100_000 + "\n" + "9" * n),
    "numbers a line": (LINES, lambda n: "1\n" * (n // 2)),
    "arrays a line": (LINES, lambda n: "[1]\n" * (n // 4)),
    "nested lines": (LINES, lambda n: ("[" * 290 + "]" * 290 + "\n") * (n // 581)),
    "spaces a line": (LINES, lambda n: "[1]\n" + " \n" * (n // 2)),
    "a line of arrays": (LINES, lambda n: "[" + "[]," * (n // 3) + "1]\n"),
    "a bad line": (LINES, lambda n: "{" * n),
}
MODELS = {
    "one": [Feature("f0", "number", True)],
    "wide": [Feature(f"f{number}", "number", False) for number in range(800)],
    "text": [Feature("f0", "string", True)],
    "mixed": [
        Feature("f0", "number", True),
        Feature("flag", "boolean", False),
        Feature("city", "string", True, [f"city {number}" for number in range(10_000)]),
        Feature("at", "datetime", True),
        Feature("unread", "unread", True),
    ],
}


def validator(model: str, **limits: object) -> Validator:
    return Validator(Signature("regression", MODELS[model], 1), Limits(max_body_bytes=1 << 30)._replace(**limits))
