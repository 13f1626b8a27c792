"""`infra/azure/main.json`: it names only what it declares, explains it, waits for what it refers to, and holds no key."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.targets.azure import arm_schemas
from tests.targets.azure.arm import Template
from tests.targets.azure.arm_schemas import faults
from tests.targets.handler import PYTHON, ROOT

PATH = ROOT / "infra" / "azure" / "main.json"
schemas = pytest.mark.skipif(
    not arm_schemas.FOLDER.is_dir(), reason="ARM_SCHEMAS leads to no schemas (github.com/Azure/azure-resource-manager-schemas)"
)
# what those that may lie beside a checkout do not cover
WITHOUT_SCHEMA = {
    "Microsoft.EventGrid",
    "Microsoft.EventHub",
    "Microsoft.Insights",
    "Microsoft.OperationalInsights",
    "Microsoft.ServiceBus",
}
PARAMETER = {"type", "defaultValue", "allowedValues", "minLength", "maxLength", "minValue", "maxValue", "metadata"}
OPTIONAL_ROLES = {"/containers/files", "/containers/answers"}  # needed when a file arrives, not when the app starts

TEXT = PATH.read_text()
ARM: dict[str, Any] = json.loads(TEXT)


class Recorder(Template):
    """A template that keeps the id of each resource that its expressions mention."""

    def __init__(self, document: dict[str, Any], **given: Any) -> None:
        super().__init__(document, **given)
        self.mentioned: set[str] = set()

    def _called(self, name: str, arguments: list[Any]) -> Any:
        found = super()._called(name, arguments)
        if name == "resourceId":
            self.mentioned.add(found)
        return found


def of_type(kind: str) -> list[dict[str, Any]]:
    return [resource for resource in ARM["resources"] if resource["type"] == kind]


def ids() -> list[str]:
    """Where each resource will be, in the template's order."""
    unconditional = {**ARM, "resources": [{**one, "condition": True} for one in ARM["resources"]]}
    return [one["id"] for one in Template(unconditional, name="penguins").resources()]


def required(position: int) -> set[str]:
    """The template's resources that must exist before one of them: those that it mentions, its parent and its scope."""
    resource, every = ARM["resources"][position], ids()
    recorder = Recorder(ARM, name="penguins")
    body = recorder.value({key: value for key, value in resource.items() if key != "dependsOn"})
    parent = every[position].rsplit("/", 2)[0]
    scope = every[position].partition("/providers/Microsoft.Authorization/")[0] if "scope" in body else ""
    return {*recorder.mentioned, parent, scope} & {*every}


def test_the_file_is_plain_json_as_python_writes_it() -> None:
    # one layout, no comment, no key twice: az, Terraform and checkov read the same
    assert json.dumps(ARM, indent=2, ensure_ascii=False) + "\n" == TEXT


def test_the_template_names_only_what_it_declares_and_declares_nothing_idle() -> None:
    assert set(re.findall(r"parameters\('(\w+)'\)", TEXT)) == ARM["parameters"].keys()
    assert set(re.findall(r"variables\('(\w+)'\)", TEXT)) == ARM["variables"].keys()
    declared = {resource["type"] for resource in ARM["resources"]} | {"Microsoft.Authorization/roleDefinitions"}
    assert set(re.findall(r"'(Microsoft\.[\w.]+/[\w./]+?)(?:/\{0\})?'", TEXT)) <= declared
    for expression in re.findall(r'"(\[.*\])"', TEXT):
        assert expression.count("(") == expression.count(")"), expression


@pytest.mark.parametrize("kind", ["parameters", "resources", "outputs"])
def test_each_parameter_resource_and_output_is_explained(kind: str) -> None:
    named = ARM[kind] if kind == "resources" else [*ARM[kind].values()]
    for one in (ARM, *named):
        assert one["metadata"].keys() == {"description"}  # which a conversion to Bicep keeps, and "comments" it drops
        assert re.fullmatch(r"[A-Z].*\.", one["metadata"]["description"]), one["metadata"]


def test_a_parameter_has_a_default_that_its_own_bounds_admit() -> None:
    for name, one in ARM["parameters"].items():
        assert one.keys() <= PARAMETER and "defaultValue" in one, name
        default = one["defaultValue"]
        assert type(default) is {"string": str, "int": int, "bool": bool, "object": dict}[one["type"]], name
        assert default in one.get("allowedValues", [default]), name
        if one["type"] == "int":
            assert one.get("minValue", default) <= default <= one.get("maxValue", default), name


@pytest.mark.parametrize("position", range(len(ARM["resources"])), ids=[one["type"] for one in ARM["resources"]])
def test_a_resource_waits_for_those_that_it_refers_to(position: int) -> None:
    waited: list[str] = Template(ARM, name="penguins").value(ARM["resources"][position].get("dependsOn", []))
    assert len(waited) == len({*waited})
    more: set[str] = set()
    if ARM["resources"][position]["type"] == "Microsoft.Web/sites":
        roles = {one for one in ids() if "/roleAssignments/" in one}
        more = {one for one in roles if not any(f"{part}/providers/" in one for part in OPTIONAL_ROLES)}
        more |= {one for one in ids() if one.endswith("/containers/packages")}
    assert {*waited} == required(position) | more


def test_the_template_reads_and_takes_no_key() -> None:
    keys = r"listKeys|listSecrets|AccountKey|SharedAccess|InstrumentationKey|securestring"
    assert not re.search(keys, TEXT, re.IGNORECASE)
    for storage in of_type("Microsoft.Storage/storageAccounts"):
        assert storage["properties"]["allowSharedKeyAccess"] is False
        assert storage["properties"]["allowBlobPublicAccess"] is False
    for one in of_type("Microsoft.ServiceBus/namespaces") + of_type("Microsoft.EventHub/namespaces"):
        assert one["properties"]["disableLocalAuth"] is True
    (insights,) = of_type("Microsoft.Insights/components")
    assert insights["properties"]["DisableLocalAuth"] is True


def test_the_limits_are_the_templates_defaults() -> None:
    path = ROOT / "shared" / "flyweight" / "toolkit" / "targets" / "azure" / "limits.json"
    limits = [one for one in json.loads(path.read_text())["limits"] if "parameter" in one]
    assert {one["source"] for one in limits} == {"infra/azure/main.json"}
    for one in limits:
        assert one["limit"] == ARM["parameters"][one["parameter"]]["defaultValue"]
        assert one["seen"] == f'"defaultValue": {one["limit"]}'


def test_the_app_takes_https_only_and_asks_for_a_key() -> None:
    (app,) = [one for one in ARM["resources"] if one["type"] == "Microsoft.Web/sites"]
    assert app["properties"]["httpsOnly"] is True
    assert app["properties"]["siteConfig"]["minTlsVersion"] == "1.2"
    text = (ROOT / "handlers" / "azure" / "function_app.py").read_text()
    assert re.findall(r"AuthLevel\.(\w+)", text) == ["FUNCTION"]


def test_the_worker_is_the_python_that_build_compiles_for() -> None:
    assert ARM["parameters"]["pythonVersion"]["defaultValue"] == PYTHON


@pytest.mark.parametrize("resource", ARM["resources"], ids=lambda resource: resource["type"].partition("/")[2])
@schemas
def test_microsofts_schema_takes_the_resource_and_names_each_of_its_properties(resource: dict[str, Any]) -> None:
    try:
        assert faults(resource) == []
    except LookupError:
        assert resource["type"].partition("/")[0] in WITHOUT_SCHEMA, "a schema that was there before"
        pytest.skip("without a schema here; ARM_SCHEMAS leads to all of them")


WRONG = [("runtime", {"name": "pyton"}), ("runtimes", {}), ("scaleAndConcurrency", {"instanceMemoryMB": "2GB"})]


@pytest.mark.parametrize(("place", "value"), WRONG)
@schemas
def test_microsofts_schema_would_refuse_a_wrong_value_or_name(place: str, value: Any) -> None:
    (app,) = [json.loads(json.dumps(one)) for one in of_type("Microsoft.Web/sites")]
    app["properties"]["functionAppConfig"][place] = value
    assert faults(app)
