"""Stand-ins for the providers' tools: they record how they are called, and answer as the real ones document it.

They keep one release: a deployment makes the next version live, going back names an earlier one, and what is deployed is
reached at the URL that the test gives. A stack keeps the parameters that a later deployment leaves out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TOOLS = ("sam", "aws", "gcloud", "az", "func")

SCRIPT = """#!{python} -IS
import json, os, sys
from pathlib import Path

home = Path({home!r})
name, words = Path(sys.argv[0]).name, sys.argv[1:]
line = " ".join([name, *words])
with (home / "calls.jsonl").open("a") as file:
    file.write(json.dumps({{"words": [name, *words], "cwd": os.getcwd()}}) + "\\n")
state = json.loads((home / "state.json").read_text())
if any(fault in line for fault in state["failing"]):
    print("the service said no", file=sys.stderr)
    sys.exit(1)
live = state["live"]
answers = {{
    "sts get-caller-identity": "123456789012",
    "OutputKey=='Url'": state["url"],
    "OutputKey=='FunctionName'": "flyweight-Function-1ABC" if live else "None",
    "OutputKey=='FunctionVersion'": str(state["made"]),
    "OutputKey=='ApiKeyId'": "key-id",
    "apigateway get-api-key": "an-api-key",
    "[StackStatus,Parameters[]": json.dumps([state["stack"], [*state["parameters"].items()]]),
    "lambda get-alias": str(live),
    "list-versions-by-function": str(live - 1) if live > 1 else "null",
    "config get-value project": "a-project",
    "account show --query id": "a-subscription",
    "run revisions list": f"flyweight-{{live - 1:05d}}" if live > 1 else "",
    "format=value(status.url)": state["url"],
    "traffic[0].revisionName": f"flyweight-{{live:05d}}",
    "outputs.functionApp.value": "flyweight-app",
    "outputs.url.value": state["url"],
    "functionKeys.default": "a-function-key",
    "[StackName,StackStatus": "flyweight " + state["stack"],
    "status.conditions[0]": "NAME flyweight True",
    "functionapp show": "flyweight-app Running",
}}
asks_for_live = "get-alias" in line or "revisionName" in line or "describe-stacks" in line or "services describe" in line
if asks_for_live and not live:
    print("there is no such thing", file=sys.stderr)
    sys.exit(255)
for asked, answer in answers.items():
    if asked in line:
        print(answer)
if line.startswith(("sam deploy", "gcloud run deploy", "func azure functionapp publish")):
    state["made"] += 1
    state["live"] = state["made"]
    state["traffic"] = "latest"
if line.startswith("sam deploy"):
    given = words[words.index("--parameter-overrides") + 1:]
    state["parameters"].update(one.split("=", 1) for one in given)
if line.startswith("sam delete"):
    state.update(live=0, parameters={{}})
for option, value in zip(words, [*words[1:], ""]):
    if option == "--function-version":
        state["live"] = int(value)
    if option.startswith("--to-revisions="):
        state["live"] = int(option.split("=")[1].split("-")[-1])
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
