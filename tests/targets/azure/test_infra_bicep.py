"""`infra/azure`: the Bicep file parses and names only what it declares, its ARM twin says the same, and neither holds a key."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.targets.azure import arm_schemas
from tests.targets.azure.arm_schemas import faults
from tests.targets.azure.bicep import Declaration, Expression, declarations
from tests.targets.handler import PYTHON, ROOT

FOLDER = ROOT / "infra" / "azure"
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
# Bicep's decorators and how ARM calls them
BOUNDS = {name: name for name in ("minLength", "maxLength", "minValue", "maxValue")} | {"allowed": "allowedValues"}

BICEP = (FOLDER / "main.bicep").read_text()
ARM: dict[str, Any] = json.loads((FOLDER / "main.json").read_text())
DECLARED = {declaration.name: declaration for declaration in declarations(BICEP) if declaration.kind != "output"}
OUTPUTS = {declaration.name: declaration for declaration in declarations(BICEP) if declaration.kind == "output"}


def of_kind(kind: str) -> list[Declaration]:
    return [declaration for declaration in DECLARED.values() if declaration.kind == kind]


def of_type(kind: str) -> list[dict[str, Any]]:
    return [resource for resource in ARM["resources"] if resource["type"] == kind]


def expressions(value: Any) -> Iterator[Expression]:
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from expressions(inner)


def inputs(names: frozenset[str] | set[str]) -> set[str]:
    """The parameters and variables behind names: a resource stands for those that its own name is made of."""
    found: set[str] = set()
    for name in names:
        declaration = DECLARED[name]
        if declaration.kind == "resource":
            parts = [declaration.value["name"], declaration.value.get("parent"), declaration.value.get("scope")]
            found |= inputs({mentioned for part in expressions(parts) for mentioned in part.names})
        else:
            found.add(name)
    return found


def disagreements(bicep: Any, arm: Any, where: str) -> Iterator[str]:
    """Where a Bicep value and an ARM value differ; of two expressions, that they are made of other parameters and variables."""
    if isinstance(bicep, Expression):
        if not isinstance(arm, str) or not arm.startswith("["):
            yield f"{where}: {bicep.text} against {arm!r}"
        elif inputs(bicep.names) != set(re.findall(r"(?:parameters|variables)\('(\w+)'\)", arm)):
            yield f"{where}: {bicep.text} and {arm} are made of different things"
    elif isinstance(bicep, dict) and isinstance(arm, dict):
        # a key may be an expression too: the identity's id
        theirs = {re.sub(r"^\[.*\]$", "[]", key): inner for key, inner in arm.items()}
        ours = {re.sub(r"^'\$\{.*\}'$", "[]", key): inner for key, inner in bicep.items()}
        if ours.keys() != theirs.keys():
            yield f"{where}: {sorted(ours)} against {sorted(theirs)}"
        for key in ours.keys() & theirs.keys():
            yield from disagreements(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(bicep, list) and isinstance(arm, list) and len(bicep) == len(arm):
        for position, (mine, other) in enumerate(zip(bicep, arm, strict=True)):
            yield from disagreements(mine, other, f"{where}[{position}]")
    elif type(bicep) is not type(arm) or bicep != arm:
        yield f"{where}: {bicep!r} against {arm!r}"


def dependencies(declaration: Declaration) -> Counter[str]:
    """The types of the resources that a Bicep resource mentions, by name, each once."""
    mentioned = {name for expression in expressions(declaration.value) for name in expression.names}
    return Counter(DECLARED[name].type.split("@")[0] for name in mentioned if DECLARED[name].kind == "resource")


def identified(expression: str) -> str:
    """The type of the resource that an ARM expression gives the id of; an extension's id begins with that of its scope."""
    types: list[str] = re.findall(r"'(Microsoft\.[\w./]+)'", expression)
    return types[1] if expression.startswith("[extensionResourceId(") else types[0]


def test_every_name_that_is_used_is_declared() -> None:
    values = [one.value for one in [*DECLARED.values(), *OUTPUTS.values()]]
    mentioned = {name for expression in expressions(values) for name in expression.names}
    assert mentioned <= DECLARED.keys()
    assert {one.name for one in of_kind("parameter") + of_kind("variable")} <= mentioned  # and none is idle


def test_the_twins_have_the_same_parameters_variables_and_outputs() -> None:
    assert ARM["parameters"].keys() == {one.name for one in of_kind("parameter")}
    for one in of_kind("parameter"):
        parameter = ARM["parameters"][one.name]
        bounds = {BOUNDS[name]: value for name, value in one.decorators.items() if name in BOUNDS}
        expected = {"type": one.type, "metadata": {"description": one.decorators["description"]}, **bounds}
        assert {key: value for key, value in parameter.items() if key != "defaultValue"} == expected
        assert not [*disagreements(one.value, parameter["defaultValue"], one.name)]
    assert ARM["variables"].keys() == {one.name for one in of_kind("variable")}
    for one in of_kind("variable"):
        assert not [*disagreements(one.value, ARM["variables"][one.name], one.name)]
    assert ARM["outputs"].keys() == OUTPUTS.keys()
    for one in OUTPUTS.values():
        assert not [*disagreements(one.value, ARM["outputs"][one.name]["value"], one.name)]


def test_the_twins_have_the_same_resources() -> None:
    assert [f"{one['type']}@{one['apiVersion']}" for one in ARM["resources"]] == [one.type for one in of_kind("resource")]


@pytest.mark.parametrize("position", range(len(ARM["resources"])), ids=[one.name for one in of_kind("resource")])
def test_a_resource_is_the_same_in_both(position: int) -> None:
    bicep, arm = of_kind("resource")[position], ARM["resources"][position]
    value = {key: inner for key, inner in bicep.value.items() if key not in ("dependsOn", "parent")}
    if "parent" in bicep.value:  # a child's whole name begins with its parents'
        value["name"] = Expression(f"child {bicep.value['name']}", frozenset({bicep.name}))
    twin = {key: inner for key, inner in arm.items() if key not in ("type", "apiVersion", "dependsOn")}
    assert not [*disagreements(value, twin, bicep.name)]
    assert Counter(identified(text) for text in arm.get("dependsOn", [])) == dependencies(bicep)


def test_the_arm_template_names_only_what_it_declares() -> None:
    text = (FOLDER / "main.json").read_text()
    assert set(re.findall(r"parameters\('(\w+)'\)", text)) == ARM["parameters"].keys()
    assert set(re.findall(r"variables\('(\w+)'\)", text)) == ARM["variables"].keys()
    declared = {resource["type"] for resource in ARM["resources"]} | {"Microsoft.Authorization/roleDefinitions"}
    assert set(re.findall(r"'(Microsoft\.[\w./]+?)(?:/\{0\})?'", text)) <= declared
    for expression in re.findall(r'"(\[.*\])"', text):
        assert expression.count("(") == expression.count(")"), expression


def test_neither_twin_reads_or_takes_a_key() -> None:
    for text in (BICEP, json.dumps(ARM)):
        assert not re.search(r"listKeys|listSecrets|AccountKey|SharedAccess|InstrumentationKey|securestring", text, re.IGNORECASE)
    for storage in of_type("Microsoft.Storage/storageAccounts"):
        assert storage["properties"]["allowSharedKeyAccess"] is False
        assert storage["properties"]["allowBlobPublicAccess"] is False
    for one in of_type("Microsoft.ServiceBus/namespaces") + of_type("Microsoft.EventHub/namespaces"):
        assert one["properties"]["disableLocalAuth"] is True
    (insights,) = [one for one in ARM["resources"] if one["type"] == "Microsoft.Insights/components"]
    assert insights["properties"]["DisableLocalAuth"] is True


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
