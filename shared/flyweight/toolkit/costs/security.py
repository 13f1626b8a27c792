"""Find security risks in a model's document and a deployment's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """A risk: its severity `grave` (high, medium, low), its description `what`, and its remedy `do`."""

    grave: str
    what: str
    do: str


def findings(document: Mapping[str, Any], address: str, settings: Mapping[str, str]) -> list[Finding]:
    """List the findings, the most severe first."""
    lowered = {name.lower().replace("_", ""): value for name, value in settings.items()}
    found = [*_access(lowered), *_model(document, address, lowered), *_spending(lowered)]
    return sorted(found, key=lambda one: ("high", "medium", "low").index(one.grave))


def _access(lowered: Mapping[str, str]) -> list[Finding]:
    found = []
    if (lowered.get("public") == "true" and not lowered.get("auth")) or lowered.get("access") == "public":
        found.append(Finding("high", "anyone may call it", "keep it closed, or put a gateway with limits in front of it"))
    if lowered.get("access") == "api-key":
        found.append(
            Finding("low", "an API key identifies who pays, not who calls", "use Access=iam or Access=jwt if that matters")
        )
    if "serviceaccount" in lowered and not lowered["serviceaccount"] and lowered.get("ownaccount") != "true":
        do = "OWN_ACCOUNT=true creates one without permissions"
        found.append(
            Finding(
                "medium", "it runs as the project's default service account, which has far more permissions than it needs", do
            )
        )
    return found


def _model(document: Mapping[str, Any], address: str, lowered: Mapping[str, str]) -> list[Finding]:
    found = []
    engines = [str(name) for name in document.get("engines", [])]
    if "pickle" in engines:
        found.append(Finding("high", "the model is a pickle: loading it runs its code", "pack it for another engine"))
    if document.get("requires"):
        named = ", ".join(document["requires"])
        found.append(
            Finding(
                "low",
                f"it installs {named}, whose vulnerabilities become the function's",
                "scan the SBOM that `flyweight build` writes",
            )
        )
    if address and not document.get("signature_required"):
        do = "sign models (`flyweight push --key`) and set FLYWEIGHT_PUBLIC_KEYS"
        found.append(Finding("medium", f"anyone who can write to {address} controls its answers", do))
    return found


def _spending(lowered: Mapping[str, str]) -> list[Finding]:
    found = []
    if lowered.get("reservedconcurrency") == "-1":
        do = "set ReservedConcurrency=10, and a budget with an alert"
        found.append(Finding("low", "the number of instances, and so the bill, is not limited", do))
    if "budget" in lowered and not lowered["budget"]:
        found.append(Finding("low", "no budget gives a warning before the bill", "set BUDGET=20EUR BILLING_ACCOUNT=..."))
    return found
