"""What CloudFormation does with a translated template: refuse, leave out, and create; the first two here, the last by moto."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Template = dict[str, Any]

# What moto's CloudFormation can't create. It is asserted on the translated template instead.
UNKNOWN_TO_MOTO = {
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Url",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
}
NOTHING = {"Ref": "AWS::NoValue"}


class Stack:
    """A template with parameters: `refusals` of its rules, and `resources` as its conditions leave them."""

    def __init__(self, template: Template, parameters: dict[str, str]) -> None:
        self.template = template
        unknown = parameters.keys() - template["Parameters"].keys()
        assert not unknown, unknown
        defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
        self.parameters = {name: str(value) for name, value in {**defaults, **parameters}.items()}

    @property
    def refusals(self) -> list[str]:
        """What the rules have against the parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self.template["Rules"].values()
            if self.holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.holds(assertion["Assert"])
        ]

    @property
    def resources(self) -> dict[str, Template]:
        """The resources that would be there, `Fn::If` and references to parameters resolved."""
        conditions = self.template["Conditions"]
        there = {
            name: resource
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self.holds(conditions[resource["Condition"]])
        }
        return {name: self.resolved(resource) for name, resource in there.items()}

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The properties of all resources of a type."""
        return [resource["Properties"] for resource in self.resources.values() if resource["Type"] == kind]

    def holds(self, condition: Any) -> bool:
        """Whether a condition holds."""
        ((word, operands),) = condition.items()
        if word == "Condition":
            return self.holds(self.template["Conditions"][operands])
        if word == "Fn::Equals":
            first, second = (str(self.resolved(operand)) for operand in operands)
            return first == second
        if word == "Fn::Contains":
            return self.resolved(operands[1]) in operands[0]
        every = [self.holds(operand) for operand in operands]
        return {"Fn::And": all(every), "Fn::Or": any(every), "Fn::Not": not every[0]}[str(word)]

    def resolved(self, value: Any) -> Any:
        """A value without `Fn::If` and without what is nothing."""
        if isinstance(value, list):
            return [found for found in map(self.resolved, value) if found != NOTHING]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Fn::If"}:
            condition, then, otherwise = value["Fn::If"]
            return self.resolved(then if self.holds({"Condition": condition}) else otherwise)
        if value.keys() == {"Ref"} and value["Ref"] in self.parameters:
            text = self.parameters[value["Ref"]]
            return int(text) if self.template["Parameters"][value["Ref"]]["Type"] == "Number" else text
        inner = {name: self.resolved(each) for name, each in value.items()}
        return {name: each for name, each in inner.items() if each != NOTHING or name == "Ref"}


def for_moto(stack: Stack) -> Template:
    """The stack's template without what moto lacks, and without what names it; the alias is the function itself."""
    outputs = {
        name: each
        for name, each in stack.template["Outputs"].items()
        if "Condition" not in each or stack.holds({"Condition": each["Condition"]})
    }
    document = {"Resources": stack.resources, "Outputs": stack.resolved(outputs)}
    itself = json.dumps({"Fn::GetAtt": ["Function", "Arn"]})
    cut: Template = json.loads(json.dumps(document).replace('{"Ref": "FunctionAliaslive"}', itself))
    gone = {name for name, resource in cut["Resources"].items() if resource["Type"] in UNKNOWN_TO_MOTO}
    cut["Resources"].get("Files", {}).pop("DependsOn", None)  # waits for the queue's policy, which moto lacks
    del cut["Outputs"]["FunctionVersion"]  # asks a version for its number, which moto's has not
    for section in ("Resources", "Outputs"):
        while naming := {name for name, each in cut[section].items() if name in gone or names(each) & gone}:
            gone |= naming if section == "Resources" else set()
            for name in naming:
                del cut[section][name]
    for each in [*cut["Resources"].values(), *cut["Outputs"].values()]:
        each.pop("Condition", None)
    # what is left of parameters stands in `Fn::Sub`
    cut["Parameters"] = {name: {"Type": "String", "Default": value} for name, value in stack.parameters.items()}
    return cut


def names(value: Any) -> set[str]:
    """All that a value refers to."""
    found: set[str] = set()
    for word, operand in _intrinsics(value):
        if word == "Ref":
            found.add(operand)
        elif word == "Fn::GetAtt":
            found.add(operand[0])
        elif word == "DependsOn":
            found |= {operand} if isinstance(operand, str) else set(operand)
        else:
            text = operand if isinstance(operand, str) else operand[0]
            found |= set(re.findall(r"\$\{(\w+)[.}]", text))
    return found


def _intrinsics(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for inner in value:
            yield from _intrinsics(inner)
    elif isinstance(value, dict):
        for word, operand in value.items():
            if word in ("Ref", "Fn::GetAtt", "Fn::Sub", "DependsOn"):
                yield word, operand
            yield from _intrinsics(operand)
