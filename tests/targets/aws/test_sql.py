"""Redshift, Athena and AgentCore invoke a function themselves: their raw events, and functions built with their protocols."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from flyweight.errors import ModelUnavailable
from flyweight.handler import bind
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.running import Runtime, runtime
from flyweight.toolkit.verbs import build
from tests.conftest import PYTHON
from tests.protocols.test_open_inference import NAMES, ROW
from tests.protocols.test_sql import TYPES, columns, said
from tests.targets.aws.events import CONTEXT, folder

__all__ = ["folder"]
Start = Callable[..., Runtime]


@pytest.fixture(scope="module")
def start(built: Callable[..., Path]) -> Iterator[Start]:
    """Start a function that was built with some protocols."""
    with ExitStack() as stack:
        yield cache(lambda *protocols: stack.enter_context(runtime("aws")(built("aws", *protocols))))


@pytest.mark.slow
def test_redshift_gets_results_and_its_own_form_of_an_error(start: Start) -> None:
    event, _ = said("redshift", [ROW, None, [None] * 7])
    assert json.loads(start("redshift").invoke(event).body)["results"][:2] == ["Gentoo", None]
    wrong, _ = said("redshift", [[7, *ROW[1:]]])
    document = json.loads(start("redshift").invoke(wrong).body)
    assert document == {"success": False, "error_msg": "instance 0, feature 'island': expected a string or null, got 7"}


@pytest.mark.slow
def test_a_function_without_the_protocol_names_it(start: Start) -> None:
    event, _ = said("redshift", [ROW])
    with pytest.raises(RuntimeFailed, match="--protocol redshift"):
        start().invoke(event)
    with pytest.raises(RuntimeFailed, match="--protocol athena"):
        start().invoke(columns([ROW], TYPES))


@pytest.mark.slow
def test_athena_is_answered_by_a_function_that_has_its_protocol(penguins: Path, tmp_path: Path) -> None:
    """Its packages are not installed into it: those of this Python are used."""
    folder = build("aws", penguins, tmp_path / "built", python=PYTHON, protocols=("athena",), install=False).folder
    with runtime("aws")(folder) as function:
        answer = json.loads(function.invoke(columns([ROW], TYPES)).body)
        assert answer["@type"] == "UserDefinedFunctionResponse" and answer["records"]["aId"] == "7b"
        with pytest.raises(RuntimeFailed, match="does not hold the output predictions"):
            function.invoke(columns([ROW], TYPES, returns=pa.float64()))


# what the handler does where the protocols are there, in this process


@pytest.fixture(scope="module")
def function(penguins: Path, folder: None) -> Callable[..., Any]:
    from aws_event import decode, encode
    from aws_triggers import find

    def called(model: str) -> Callable[..., Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FLYWEIGHT_MODEL", model)
            return bind(decode, encode, folder=str(penguins.parent), logs={"": lambda: lambda entry: None}, triggers=find)

    return cache(called)


def test_athena_gets_a_column_and_a_failed_invocation_for_an_error(function: Callable[..., Any], penguins: Path) -> None:
    answer = function(penguins.name)(columns([ROW], TYPES), CONTEXT)
    records = answer["records"]
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(records["schema"])))
    batch = pa.ipc.read_record_batch(pa.py_buffer(base64.b64decode(records["records"])), schema)
    assert batch.column(0).to_pylist() == ["Gentoo"]
    with pytest.raises(Exception, match="does not hold the output predictions") as raised:
        function(penguins.name)(columns([ROW], TYPES, returns=pa.float64()), CONTEXT)
    assert type(raised.value).__name__ == "QueryFailed"
    assert function(penguins.name)({"@type": "PingRequest", "queryId": "q"}, CONTEXT)["@type"] == "PingResponse"


def test_a_model_that_can_not_be_loaded_fails_the_invocation(function: Callable[..., Any]) -> None:
    event, _ = said("redshift", [ROW])
    with pytest.raises(ModelUnavailable):
        function("gone.safetensors")(event, CONTEXT)


def gateway(tool: str) -> Any:
    custom = {"bedrockAgentCoreToolName": tool, "bedrockAgentCoreGatewayId": "g", "bedrockAgentCoreTargetId": "t"}
    return SimpleNamespace(**vars(CONTEXT), client_context=SimpleNamespace(custom=custom, env=None, client=None))


ARGUMENTS = dict(zip(NAMES, ROW, strict=True))


def test_agentcore_gets_the_result_of_a_tool(function: Callable[..., Any], penguins: Path) -> None:
    answer = function(penguins.name)(ARGUMENTS, gateway("target___predict"))
    assert answer["prediction"] == "Gentoo" and sum(answer["probabilities"].values()) == pytest.approx(1)
    assert function(penguins.name)({"island": "Biscoe"}, gateway("target___predict"))["prediction"]


@pytest.mark.parametrize(
    ("arguments", "tool", "words"),
    [
        ({**ARGUMENTS, "year": "x"}, "t___predict", "feature 'year'"),
        ({**ARGUMENTS, "years": 1}, "t___predict", "years"),
        (ARGUMENTS, "t___absent", "the tools are predict"),
        ([1], "t___predict", "arguments should be an object"),
        ({"warmer": True}, "t___predict", "warmer"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "t___predict", "Records"),
    ],
)
def test_agentcore_gets_an_error_that_an_agent_can_correct(
    arguments: Any, tool: str, words: str, function: Callable[..., Any], penguins: Path
) -> None:
    assert words in function(penguins.name)(arguments, gateway(tool))["error"]


def test_another_client_context_changes_nothing(function: Callable[..., Any], penguins: Path) -> None:
    context = SimpleNamespace(**vars(CONTEXT), client_context=SimpleNamespace(custom=None, env=None, client=None))
    assert function(penguins.name)({"instances": [ROW]}, context)["predictions"] == ["Gentoo"]
