"""Stand-ins for the providers' tools: they record how they are called, and answer as the real ones document it.

They keep one release: a deployment makes the next version live, going back names an earlier one, and what is deployed is
reached at the URL that the test gives. What they answer for a target is in `tests/targets/NAME/stand_in.py`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.toolkit.deploying.stand_in import stand_ins

TOOLS = tuple(dict.fromkeys(tool for one in stand_ins() for tool in one.tools))

SCRIPT = """#!{python} -IS
import json, os, re, sys
from pathlib import Path

home = Path({home!r})
name, words = Path(sys.argv[0]).name, sys.argv[1:]
line = " ".join([name, *words])
with (home / "calls.jsonl").open("a") as file:
    file.write(json.dumps({{"words": [name, *words], "cwd": os.getcwd()}}) + "\\n")
state = json.loads((home / "state.json").read_text())
stand_ins = [one for one in json.loads((home / "stand_ins.json").read_text()) if name in one["tools"]]
if any(fault in line for fault in state["failing"]):
    print("the service said no", file=sys.stderr)
    sys.exit(1)
live = state["live"]
if not live and any(part in line for one in stand_ins for part in one["needs_live"]):
    print("there is no such thing", file=sys.stderr)
    sys.exit(255)
known = {{**state, "parameters": json.dumps([*state["parameters"].items()]), **({{"earlier": live - 1}} if live > 1 else {{}})}}
answers = {{asked: answer for one in stand_ins for asked, answer in one["answers"].items()}}
for asked, answer in answers.items():
    if asked in line and ("earlier" in known or "{{earlier" not in answer):
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
for found in [re.search(one["back"], line) for one in stand_ins if one["back"]]:
    if found:
        state["live"] = int(found[1])
(home / "state.json").write_text(json.dumps(state))
"""


class ProviderTools:
    """A folder of stand-ins, for the front of PATH."""

    def __init__(self, home: Path, tools: tuple[str, ...] = TOOLS) -> None:
        self.home, self.folder = home, home / "bin"
        self.folder.mkdir(parents=True)
        for tool in tools:
            file = self.folder / tool
            file.write_text(SCRIPT.format(python=sys.executable, home=str(home)))
            file.chmod(0o755)
        told = [{**asdict(one), "answers": dict(one.answers), "apart": []} for one in stand_ins()]
        (home / "stand_ins.json").write_text(json.dumps(told))
        self.state(url="", live=0, made=0, failing=[], parameters={}, stack="UPDATE_COMPLETE")

    def state(self, **changes: Any) -> dict[str, Any]:
        """What they keep, after these changes."""
        file = self.home / "state.json"
        now = {**(json.loads(file.read_text()) if file.exists() else {}), **changes}
        file.write_text(json.dumps(now))
        return now

    def calls(self) -> list[list[str]]:
        """How they were called so far."""
        file = self.home / "calls.jsonl"
        return [json.loads(line)["words"] for line in file.read_text().splitlines()] if file.exists() else []
