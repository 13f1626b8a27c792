"""Stand-ins for the providers' tools: they record how they are called, and answer as the real ones document it.

They are called a thousand times by the tests, so they import little: what they keep are Python's literals.
They keep one release: a deployment makes the next version live, going back names an earlier one, and what is deployed is
reached at the URL that the test gives. What they answer for a target is in `tests/targets/NAME/stand_in.py`.
"""

from __future__ import annotations

import sys
from ast import literal_eval
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.toolkit.deploying.stand_in import stand_ins

STAND_INS = [{**asdict(one), "answers": dict(one.answers), "apart": []} for one in stand_ins()]
TOOLS = tuple(dict.fromkeys(tool for one in stand_ins() for tool in one.tools))

SCRIPT = """#!{python} -IS
import os, sys

home = {home!r}
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
line = " ".join([name, *words])
with open(home + "/calls", "a") as file:
    file.write(repr({{"words": [name, *words], "cwd": os.getcwd()}}) + "\\n")
with open(home + "/state") as file:
    state = eval(file.read())
stand_ins = [one for one in {stand_ins!r} if name in one["tools"]]
if any(fault in line for fault in state["failing"]):
    print("the service said no", file=sys.stderr)
    sys.exit(1)
live = state["live"]
if not live and any(part in line for one in stand_ins for part in one["needs_live"]):
    print("there is no such thing", file=sys.stderr)
    sys.exit(255)
known = {{**state, **({{"earlier": live - 1}} if live > 1 else {{}})}}
answers = {{asked: answer for one in stand_ins for asked, answer in one["answers"].items()}}
for asked, answer in answers.items():
    if asked in line and ("earlier" in known or "{{earlier" not in answer):
        if "{{parameters}}" in answer:
            import json

            known["parameters"] = json.dumps([*state["parameters"].items()])
        print(answer.format(**known))
for one in stand_ins:
    if one["keeps"] in words and line.startswith(tuple(one["makes"])):
        given = words[words.index(one["keeps"]) + 1:]
        state["parameters"].update(pair.split("=", 1) for pair in given)
if line.startswith(tuple(start for one in stand_ins for start in one["makes"])):
    state["made"] += 1
    state["live"] = state["made"]
if line.startswith(tuple(start for one in stand_ins for start in one["removes"])):
    state.update(live=0, parameters={{}})
for pattern in [one["back"] for one in stand_ins if one["back"]]:
    import re

    if found := re.search(pattern, line):
        state["live"] = int(found[1])
with open(home + "/state", "w") as file:
    file.write(repr(state))
"""


class ProviderTools:
    """A folder of stand-ins, for the front of PATH."""

    def __init__(self, home: Path, tools: tuple[str, ...] = TOOLS) -> None:
        self.home, self.folder = home, home / "bin"
        self.folder.mkdir(parents=True)
        script = SCRIPT.format(python=sys.executable, home=str(home), stand_ins=STAND_INS)
        for tool in tools:
            file = self.folder / tool
            file.write_text(script)
            file.chmod(0o755)
        self.state(url="", live=0, made=0, failing=[], parameters={}, stack="UPDATE_COMPLETE")

    def state(self, **changes: Any) -> dict[str, Any]:
        """What they keep, after these changes."""
        file = self.home / "state"
        now = {**(literal_eval(file.read_text()) if file.exists() else {}), **changes}
        file.write_text(repr(now))
        return now

    def lines(self) -> list[dict[str, Any]]:
        """Their calls so far: the words of each, and the folder in which it was made."""
        file = self.home / "calls"
        return [literal_eval(line) for line in file.read_text().splitlines()] if file.exists() else []

    def calls(self) -> list[list[str]]:
        """The words of each of their calls so far."""
        return [line["words"] for line in self.lines()]
