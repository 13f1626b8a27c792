"""`infra/terraform/gcp` and `azure`: formatted, naming only what they declare, and giving the rights that the scripts give.

`terraform validate` needs the providers' plugins from their registry, and is left to where that can be reached.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.infra.handler import ROOT

FOLDER = ROOT / "infra" / "terraform"
MODULES = ["gcp", "azure"]


def source(module: str) -> str:
    return "\n".join(path.read_text() for path in sorted((FOLDER / module).glob("*.tf")))


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
@pytest.mark.parametrize("module", MODULES)
def test_terraform_reads_the_module_and_would_not_format_it_otherwise(module: str) -> None:
    done = subprocess.run(["terraform", f"-chdir={FOLDER / module}", "fmt", "-check", "-diff"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_module_names_what_it_declares_and_declares_nothing_idle(module: str) -> None:
    text = source(module)
    variables = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    assert set(re.findall(r"\bvar\.(\w+)", text)) == variables
    declared = {f"{kind}.{name}" for kind, name in re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE)}
    assert set(re.findall(r"(?<![\w.])((?:google|azurerm)_\w+\.\w+)", text)) <= declared
    for path in re.findall(r"\$\{path\.module\}/([\w./]+)", text):
        assert (FOLDER / module / path).is_file()


def test_the_module_of_google_gives_no_right_that_the_script_does_not_give() -> None:
    script = (ROOT / "infra" / "gcp" / "deploy.sh").read_text()
    roles = re.findall(r'"(roles/[\w.]+)"', source("gcp"))
    assert roles
    assert [role for role in roles if role not in script] == []
    assert "startsWith" in source("gcp")
    assert "google_project_iam" not in source("gcp")
