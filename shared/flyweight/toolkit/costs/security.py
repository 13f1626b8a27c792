"""A model's document and a place's parameters to findings: what a careful engineer would say before it is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """`grave`: high, medium, low; what it is, and what to do."""

    grave: str
    what: str
    do: str


def findings(document: Mapping[str, Any], address: str, settings: Mapping[str, str]) -> list[Finding]:
    """Findings, the gravest first."""
    lowered = {name.lower().replace("_", ""): value for name, value in settings.items()}
    found = [*_access(lowered), *_model(document, address, lowered), *_spending(lowered)]
    return sorted(found, key=lambda one: ("high", "medium", "low").index(one.grave))


def _access(lowered: Mapping[str, str]) -> list[Finding]:
    found = []
    if lowered.get("public") == "true" or lowered.get("access") == "public":
        found.append(Finding("high", "anyone may call it", "leave it closed, or put a gateway with limits before it"))
    if lowered.get("access") == "api-key":
        found.append(Finding("low", "an API key tells who pays, not who calls", "Access=iam or Access=jwt where it matters"))
    if "serviceaccount" in lowered and not lowered["serviceaccount"] and lowered.get("ownaccount") != "true":
        do = "OWN_ACCOUNT=true makes one without rights"
        found.append(
            Finding("medium", "it runs as the project's default service account, which may do far more than it needs", do)
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
                "low", f"it installs {named}, whose flaws become the function's", "scan the SBOM that `flyweight build` writes"
            )
        )
    if address and not document.get("signature_required"):
        do = "sign what is pushed (`flyweight push --key`) and set FLYWEIGHT_PUBLIC_KEYS"
        found.append(Finding("medium", f"anyone who can write to {address} decides what it answers", do))
    return found


def _spending(lowered: Mapping[str, str]) -> list[Finding]:
    found = []
    if lowered.get("reservedconcurrency") == "-1":
        do = "ReservedConcurrency=10, and a budget with an alert"
        found.append(Finding("low", "nothing caps the number of instances, and so the bill", do))
    if "budget" in lowered and not lowered["budget"]:
        found.append(Finding("low", "no budget warns of the bill", "BUDGET=20EUR BILLING_ACCOUNT=..."))
    return found
