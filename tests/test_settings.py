"""A deployment's settings are read from its variables; an invalid one stops the start and is named."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flyweight.settings
from flyweight.errors import InvalidSetting
from flyweight.handler import bind
from flyweight.settings import ADDRESS_FILE, Caching, TrafficSplit, misspelt, read
from tests.conftest import ROOT

FOLDER = "/handlers/folder"


def test_without_variables_the_model_is_beside_the_handler() -> None:
    settings = read(FOLDER, {})
    assert settings.model == f"{FOLDER}/model.safetensors"
    assert settings.caching == Caching() and settings.models == {} and settings.canary is None


@pytest.mark.parametrize(
    ("variable", "model"),
    [
        ("m.safetensors", f"{FOLDER}/m.safetensors"),
        ("/opt/m.safetensors", "/opt/m.safetensors"),
        ("s3://bucket/models/m@prod", "s3://bucket/models/m@prod"),
        ("  ", f"{FOLDER}/model.safetensors"),
    ],
)
def test_a_path_starts_at_the_handler_and_an_address_stays(variable: str, model: str) -> None:
    assert read(FOLDER, {"FLYWEIGHT_MODEL": variable}).model == model


@pytest.mark.parametrize(
    ("platform", "model"),
    [
        ("gs://copies/1", "gs://copies/1/m.safetensors"),
        ("gs://copies/1/", "gs://copies/1/m.safetensors"),
        ("", f"{FOLDER}/model.safetensors"),
        (None, f"{FOLDER}/model.safetensors"),
    ],
)
def test_a_setting_may_name_a_variable_of_the_platform(platform: str | None, model: str) -> None:
    told = {} if platform is None else {"PLACE": platform}
    assert read(FOLDER, {"FLYWEIGHT_MODEL": "$PLACE/m.safetensors", **told}).model == model


def test_the_port_may_be_that_of_a_variable_of_the_platform() -> None:
    named = {"FLYWEIGHT_PORT": "$THEIR_PORT", "PORT": "81"}
    assert flyweight.settings.serving({**named, "THEIR_PORT": "82"}).port == 82
    assert flyweight.settings.serving(named).port == 81


def test_a_folder_that_was_built_with_an_address_names_its_model_by_it(tmp_path: Path) -> None:
    (tmp_path / ADDRESS_FILE).write_text("gs://bucket/m@prod\n")
    assert read(str(tmp_path), {}).model == "gs://bucket/m@prod"
    assert read(str(tmp_path), {"FLYWEIGHT_MODEL": "s3://other/m@prod"}).model == "s3://other/m@prod"


def test_numbers_of_caching_and_of_limits_are_read_by_name() -> None:
    settings = read(FOLDER, {"FLYWEIGHT_TTL_SECONDS": "0.5", "FLYWEIGHT_CACHE_BYTES": "1000", "FLYWEIGHT_MAX_INSTANCES": "7"})
    assert (settings.caching.ttl_seconds, settings.caching.cache_bytes, settings.limits.max_instances) == (0.5, 1000, 7)
    assert read(FOLDER, {"FLYWEIGHT_CACHE_DIR": "off"}).caching.cache_dir == "off"


def test_several_models_are_named() -> None:
    settings = read(FOLDER, {"FLYWEIGHT_MODELS": "a=a.safetensors, b=s3://x/b@prod", "FLYWEIGHT_PRELOAD": "b"})
    assert settings.models == {"a": f"{FOLDER}/a.safetensors", "b": "s3://x/b@prod"}
    assert settings.preload == ("b",)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("0.25", 0.25), ("100%", 1.0), ("0", 0.0)])
def test_a_share_is_a_number_or_a_percentage(text: str, share: float) -> None:
    assert read(FOLDER, {"FLYWEIGHT_CANARY": f"s3://x/m@next {text}"}).canary == TrafficSplit("s3://x/m@next", share)


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "a limit": ({"FLYWEIGHT_MAX_INSTANCES": "-1"}, "FLYWEIGHT_MAX_INSTANCES should be a whole number above zero"),
    "seconds": ({"FLYWEIGHT_TTL_SECONDS": "soon"}, "FLYWEIGHT_TTL_SECONDS should be a number of seconds"),
    "no seconds": ({"FLYWEIGHT_STORE_SECONDS": "0"}, "FLYWEIGHT_STORE_SECONDS should be a number of seconds"),
    "nan": ({"FLYWEIGHT_TTL_SECONDS": "nan"}, "FLYWEIGHT_TTL_SECONDS should be a number of seconds"),
    "a share": ({"FLYWEIGHT_CANARY": "s3://x/m@next"}, "FLYWEIGHT_CANARY should be ADDRESS and a share"),
    "too large a share": ({"FLYWEIGHT_SHADOW": "s3://x/m@next 101%"}, "FLYWEIGHT_SHADOW should be ADDRESS and a share"),
    "a share that is not a number": ({"FLYWEIGHT_SHADOW": "s3://x/m@next nan"}, "FLYWEIGHT_SHADOW should be ADDRESS and a share"),
    "a hash": ({"FLYWEIGHT_SHA256": "abc"}, "FLYWEIGHT_SHA256 should be 64 hexadecimal digits"),
    "a model without a name": ({"FLYWEIGHT_MODELS": "m.safetensors"}, "FLYWEIGHT_MODELS should be NAME=ADDRESS"),
    "a name twice": ({"FLYWEIGHT_MODELS": "a=x,a=y"}, "each name once"),
    "a name that is a path": ({"FLYWEIGHT_MODELS": "a/b=x"}, "FLYWEIGHT_MODELS should be NAME=ADDRESS"),
    "an unknown one to preload": ({"FLYWEIGHT_MODELS": "a=x", "FLYWEIGHT_PRELOAD": "b"}, "FLYWEIGHT_PRELOAD names 'b'"),
}


@pytest.mark.parametrize(("variables", "message"), WRONG.values(), ids=WRONG.keys())
def test_an_invalid_setting_is_refused_by_its_name(variables: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(FOLDER, variables)


@pytest.mark.parametrize(
    "variables",
    [
        {"FLYWEIGHT_CANARY": "https://h/m.safetensors?X-Amz-Signature=SECRET"},
        {"FLYWEIGHT_SHADOW": "https://user:SECRET@h/m.safetensors much"},
        {"FLYWEIGHT_MODELS": "https://h/m.safetensors?sig=SECRET"},
        {"FLYWEIGHT_MODELS": "a=s3://k:SECRET@b/m,a=s3://k:SECRET@b/m"},
        {"FLYWEIGHT_CORS_ORIGINS": "shop.example"},
    ],
)
def test_a_message_repeats_no_secret_of_an_address(variables: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting) as caught:
        read("/nowhere", variables)
    assert "SECRET" not in str(caught.value)


def test_a_model_that_the_platform_has_put_elsewhere_is_taken_unless_the_variable_names_another() -> None:
    assert read("/app", {}, model="/mnt/a.safetensors").model == "/mnt/a.safetensors"
    assert read("/app", {"FLYWEIGHT_MODEL": "b.safetensors"}, model="/mnt/a.safetensors").model == "/app/b.safetensors"
    assert read("/app", {}).model == "/app/model.safetensors"


def test_a_base_path_is_read() -> None:
    assert read("/nowhere", {"FLYWEIGHT_BASE_PATH": " /ml "}).base_path == "/ml"


def test_a_misspelt_setting_is_told_with_the_closest_one() -> None:
    names = ("FLYWEIGHT_MODLE", "FLYWEIGHT_MAX_INSTANCE", "FLYWEIGHT_QXZ", "OTHER", "flyweight_model")
    found = misspelt(dict.fromkeys(names, ""))
    assert len(found) == 3
    assert [("did you mean" in text, text.partition(" ")[0]) for text in found] == [
        (True, "FLYWEIGHT_MAX_INSTANCE"),
        (True, "FLYWEIGHT_MODLE"),
        (False, "FLYWEIGHT_QXZ"),
    ]
    assert "did you mean FLYWEIGHT_MODEL?" in found[1]


def test_no_setting_of_the_pages_is_called_misspelt() -> None:
    root = Path(__file__).resolve().parents[1]
    text = "".join(page.read_text() for page in (root / "docs").rglob("*.md"))
    names = {*re.findall(r"`(FLYWEIGHT_[A-Z0-9_]*[A-Z0-9])", text)}
    assert len(names) > 30
    assert misspelt(dict.fromkeys(names, "")) == []


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"FLYWEIGHT_EVENT_SENDERS": "iam everybody"}, "FLYWEIGHT_EVENT_SENDERS should hold iam or addresses"),
        ({"FLYWEIGHT_CONTENT_TYPE": "json"}, "FLYWEIGHT_CONTENT_TYPE should be a media type"),
        ({"FLYWEIGHT_ANY_BODY": "1"}, "FLYWEIGHT_ANY_BODY should be true or false"),
    ],
)
def test_a_setting_of_bodies_and_events_with_no_meaning_stops_the_function(environ: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        read(FOLDER, environ)


def test_a_function_warns_of_a_misspelt_setting_when_it_starts(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_MODEL", penguins.name)
    monkeypatch.setenv("FLYWEIGHT_RESULT", "sqs://answers")
    logged: list[Any] = []
    bind(lambda event: event, lambda response, event: None, folder=str(penguins.parent), logs={"": lambda: logged.append})
    (line,) = logged
    assert line["level"] == "WARNING" and "did you mean FLYWEIGHT_RESULTS?" in line["message"]


@pytest.mark.parametrize("name", ["OUTPUT", "CONTINUE", "EVENT_SENDERS", "CORS_ORIGINS", "CANARY", "SHADOW", "OUTPUT_FORM"])
def test_a_wrong_setting_of_a_part_stops_the_start_as_any_other(name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"FLYWEIGHT_{name}"):
        read(FOLDER, {f"FLYWEIGHT_{name}": "wrong"})


@pytest.mark.parametrize("name", ["PUBLIC_KEYS", "SHA256"])
@pytest.mark.parametrize("text", [",", " ", ", ,", "$SECRET"])
def test_a_check_of_the_model_is_not_turned_off_by_a_secret_that_is_missing(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=f"FLYWEIGHT_{name}"):
        read(FOLDER, {f"FLYWEIGHT_{name}": text})
    assert read(FOLDER, {f"FLYWEIGHT_{name}": ""}).verification == read(FOLDER, {}).verification


def test_a_function_without_settings_of_parts_does_not_import_them() -> None:
    program = "import sys; from flyweight import settings; settings.read('', {}); settings.misspelt({'FLYWEIGHT_MODEL': 'm'}); "
    program += "print('flyweight.settings.parts' in sys.modules, settings.Cors().cors_max_age)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "shared"}, cwd=ROOT
    )
    assert done.stdout == "False 600\n", done.stderr


def test_settings_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nosuch'"):
        flyweight.settings.nosuch  # noqa: B018
