"""The real runtimes, driven here: folders that are not ours run too, and what goes wrong is said."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.costs.limits import limits
from flyweight.toolkit.running import Runtime, RuntimeFailed, runtime
from flyweight.toolkit.running.measure import measure, split
from flyweight.toolkit.targets.runtime import Answer
from tests.services.web import wait_until
from tests.toolkit.running.functions import event, function

# whose functions run in the interpreter that a runtime is given
PROVIDERS = [target.name for target in targets.all_targets() if target.has("runtime") and not target.package.alone]

# The smallest function of each provider; tests put another body, or lines before it, in a copy.
foreign = pytest.mark.parametrize("provider", PROVIDERS)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{process}/status").read_text()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_runtime_names_itself_with_its_version(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(tmp_path) as process:
        assert process.description.endswith(f"on Python {sys.version.split()[0]}")


@foreign
def test_a_folder_that_is_not_ours_runs_as_well(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider)) as process:
        answers = [process.invoke(event(provider)) for _ in range(3)]
    assert {(answer.status, answer.body) for answer in answers} == {(200, b"hi")}


@foreign
def test_the_first_answers_time_counts_from_exec(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider, before="import time\ntime.sleep(2)\n")) as process:
        first, second = process.invoke(event(provider)), process.invoke(event(provider))
    assert first.seconds > 2.0 > second.seconds


@foreign
def test_memory_is_that_of_the_process_that_answers(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider, "x = bytearray(60_000_000)")) as process:
        process.invoke(event(provider))
        memory = process.peak_memory()
    assert memory is None or 60_000_000 < memory < 200_000_000


@foreign
def test_closing_ends_every_process(provider: str, tmp_path: Path) -> None:
    process = runtime(provider)(function(tmp_path, provider))
    process.invoke(event(provider))
    answering = process.answering_process()
    assert alive(answering)
    process.close()
    wait_until(lambda: not alive(answering), "the answering process ends")


@foreign
def test_a_function_leaves_no_bytecode_behind(provider: str, tmp_path: Path) -> None:
    measure(provider, function(tmp_path, provider), event(provider))
    assert not [*tmp_path.rglob("*.pyc")]


@foreign
def test_what_a_function_prints_is_kept(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider, before="print('here I am', flush=True)\n")) as process:
        process.invoke(event(provider))
        assert "here I am" in process.log()


@foreign
def test_variables_reach_the_function(provider: str, tmp_path: Path) -> None:
    folder = function(tmp_path, provider, before="import os\nprint(os.environ['MINE'], flush=True)\n")
    with runtime(provider)(folder, environ={"MINE": "yes, mine"}) as process:
        process.invoke(event(provider))
        assert "yes, mine" in process.log()


@foreign
def test_a_function_that_can_not_be_imported_is_reported_with_its_reason(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider, before="import no_such_thing\n")) as process:
        with pytest.raises(RuntimeFailed, match="no_such_thing"):
            process.invoke(event(provider))


@foreign
def test_a_function_that_raises_is_reported_with_its_reason(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider, "raise ValueError('no birds')")) as process:
        try:
            status = process.invoke(event(provider)).status
        except RuntimeFailed as failed:
            assert "no birds" in str(failed)
        else:  # a web framework answers for it
            assert status == 500 and "no birds" in process.log()


@foreign
def test_a_function_that_dies_is_reported(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider, "import os; os._exit(3)"), timeout=5) as process:
        with pytest.raises(RuntimeFailed):
            process.invoke(event(provider))


@foreign
def test_a_function_that_hangs_is_given_up(provider: str, tmp_path: Path) -> None:
    with runtime(provider)(function(tmp_path, provider, "import time; time.sleep(60)"), timeout=1.0) as process:
        with pytest.raises(RuntimeFailed):
            process.invoke(event(provider))


def test_an_unknown_target_is_answered_with_the_known_ones() -> None:
    with pytest.raises(targets.UnknownTarget, match="oracle") as failed:
        runtime("oracle")
    assert all(name in failed.value.next_step for name in PROVIDERS)


@pytest.mark.parametrize("python", ["/no/such/python", "true"])
def test_an_interpreter_that_does_not_run_is_reported(python: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailed, match=python):
        runtime("aws")(tmp_path, python=python)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_figures_split_a_cold_start_by_what_it_was_spent_on(provider: str, built: Callable[[str], Path]) -> None:
    figures = measure(provider, built(provider), event(provider), runs=2, repeat=5)
    assert figures.answer.status == 200
    assert figures.split is not None and [*figures.split] == ["runtime", "import", "load", "predict"]
    assert sum(figures.split.values()) == pytest.approx(figures.cold_median)
    assert len(figures.cold) == 2 and len(figures.warm) == 5
    document = json.loads(json.dumps(figures.document(), allow_nan=False))
    assert document["folder_bytes"] > 100_000 and document["warm_p50_ms"] < document["cold_ms"]


def test_an_answer_without_timing_has_no_split() -> None:
    assert split(Answer(200, {}, b"", 0.1)) is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_runtime_is_of_one_kind(provider: str) -> None:
    assert issubclass(runtime(provider), Runtime)


def test_each_process_has_a_disk_of_its_own_that_goes_with_it(built: Callable[[str], Path], tmp_path: Path) -> None:
    """What one run left in /tmp must not make the next one's cold start look faster than the provider's is."""
    probe = tmp_path / "probe"
    probe.mkdir()
    (probe / "app.py").write_text(
        "import os\n\n\ndef lambda_handler(event, context):\n    return os.environ['FLYWEIGHT_CACHE_DIR']\n"
    )
    places = []
    for _ in range(2):
        with runtime("aws")(probe) as process:
            place = Path(json.loads(process.invoke({}).body))
            assert place.parent.is_dir() and not place.exists()
            places.append(place)
    assert places[0] != places[1] and not any(place.parent.exists() for place in places)
    with runtime("aws")(probe, environ={"FLYWEIGHT_CACHE_DIR": "/mine"}) as process:
        assert json.loads(process.invoke({}).body) == "/mine"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_runtime_has_the_limits_of_the_targets_table(provider: str) -> None:
    table = {limit["measure"]: limit["limit"] for limit in limits(provider)}
    sent = table.get("sent", Runtime.MAX_REQUEST)  # our own server alone has no limit of a platform
    assert runtime(provider).MAX_REQUEST == sent
    assert runtime(provider).MAX_ANSWER - table.get("received", sent) in (0, 100), "Lambda takes back 100 bytes more"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_event_that_the_platform_does_not_carry_is_refused(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime(provider), "carrier", classmethod(lambda cls, event: ("the platform", 100)))
    with runtime(provider)(function(tmp_path, provider)) as process:
        with pytest.raises(RuntimeFailed, match=r"the event has \d+ bytes, and the platform carries at most 100"):
            process.invoke(event(provider, "predict_several"))


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({"requestContext": {"elb": {}}}, "a load balancer"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "an asynchronous invocation of Lambda"),
        ({"Records": [{"EventSource": "aws:sns"}]}, "an asynchronous invocation of Lambda"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "a synchronous invocation of Lambda"),
        ({"detail-type": "Scheduled Event"}, "an asynchronous invocation of Lambda"),
        ({"Records": None}, "a synchronous invocation of Lambda"),
        ([1], "a synchronous invocation of Lambda"),
    ],
)
def test_lambda_carries_less_to_a_function_that_nobody_waits_for(sender: Any, expected: str) -> None:
    name, most = runtime("aws").carrier(sender)
    assert name == expected and most == (6 if name.startswith("a synchronous") else 1) * 1024 * 1024


def test_an_answer_that_lambda_does_not_take_back_is_reported(tmp_path: Path) -> None:
    large = function(tmp_path, "aws", "return 'x' * 7_000_000")
    with runtime("aws")(large) as process, pytest.raises(RuntimeFailed, match="Exceeded maximum allowed payload size"):
        process.invoke(event("aws"))
