"""What is special about Azure's worker on this machine."""

from __future__ import annotations

from pathlib import Path

from flyweight.toolkit.running import runtime
from tests.toolkit.running.functions import event, function


def test_an_async_azure_function_runs(tmp_path: Path) -> None:
    folder = function(tmp_path, "azure")
    file = folder / "function_app.py"
    file.write_text(file.read_text().replace("def predict", "async def predict"))
    with runtime("azure")(folder) as process:
        assert process.invoke(event("azure")).body == b"hi"
