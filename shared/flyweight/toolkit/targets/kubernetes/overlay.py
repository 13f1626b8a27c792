"""Write the kustomization of one deployment: `infra/kubernetes/FORM` with a name, an image and parameters.

`flyweight deploy kubernetes` runs it as `python -m flyweight.toolkit.targets.kubernetes.overlay FORM FOLDER --name ...`, so that
everything a deployment was given stands in a line that can be read and run again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from flyweight.toolkit.targets.kubernetes import parameters

BASE = "flyweight"  # the name of everything in infra/kubernetes
INSTANCE = "app.kubernetes.io/instance"
RELEASE = "flyweight/release"  # the annotation of what KServe serves
# Where the containers of each kind list their variables, and where labels go that the kind's pods should have
CONTAINERS = {
    "Deployment": "/spec/template/spec/containers/0",
    "Service": "/spec/template/spec/containers/0",
    "ServingRuntime": "/spec/containers/0",
}
POD_KINDS = {"base": "Deployment", "knative": "Service", "kserve": "ServingRuntime"}
COMPONENTS = {"model": "egress", "claim": "mounted", "host": "route", "monitoring": "monitoring"}
FALSE = ("", "false")

Patch = dict[str, Any]


@dataclass(frozen=True)
class Overlay:
    """What a kustomization is made of.

    `form`: a folder of `infra/kubernetes`; `name`: of everything; `image`: what pods run; `given`: parameters, by name; `labels`:
    of everything; `live`: the revision of Knative that keeps the requests which a canary does not get.
    """

    form: str
    name: str
    image: str
    namespace: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    live: str = ""

    def document(self, infra: Path, folder: Path) -> dict[str, Any]:
        """Make the kustomization for a folder.

        :param infra: the folder of templates, which has a folder `kubernetes`.
        """
        home = os.path.relpath(infra.resolve() / "kubernetes", folder.resolve())
        asked = [name for name, value in self.given.items() if value not in FALSE and name in COMPONENTS]
        pairs = {INSTANCE: self.name}
        made: dict[str, Any] = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            **({"namespace": self.namespace} if self.namespace else {}),
            "resources": [f"{home}/{self.form}"],
            "components": [f"{home}/components/{COMPONENTS[name]}" for name in asked if self.form == "base"],
            "images": [self._image()],
            "labels": [
                # a selector is for Kubernetes' own kinds: kustomize would also add one to Knative's Service, which has none
                {"pairs": pairs, **({"includeSelectors": True, "includeTemplates": True} if self.form == "base" else {})},
                *([{"pairs": dict(self.labels), "includeTemplates": True}] if self.labels else []),
            ],
            "patches": [*self._named(), *self._environment(), *self._structure(), *self._placed(parameters.described(infra))],
        }
        if self.form == "kserve":  # which keeps no versions: a release is known by what it is made of
            noted = {"op": "add", "path": "/metadata/annotations", "value": {RELEASE: _digest(made)}}
            made["patches"] += [patch for kind in ("ServingRuntime", "InferenceService") for patch in _patches(kind, [noted])]
        return made

    def _image(self) -> dict[str, str]:
        """Name the image as kustomize does."""
        place = parameters.without_tag(self.image)
        tag, _, digest = self.image[len(place) :].removeprefix(":").partition("@")
        return {"name": BASE, "newName": place, **({"digest": digest} if digest else {"newTag": tag or "latest"})}

    def _named(self) -> list[Patch]:
        """Call everything by the deployment's name; kustomize then changes what refers to it."""
        renamed = [_replaced("/metadata/name", self.name)]
        return [{"target": {"name": BASE}, "patch": json.dumps(renamed), "options": {"allowNameChange": True}}]

    def _environment(self) -> list[Patch]:
        """Set variables of the container that answers."""
        kind = POD_KINDS[self.form]
        added = [*parameters.variables(self.given)]
        if self.given.get("model"):
            added.append({"name": "FLYWEIGHT_MODEL", "value": self.given["model"]})
        path = f"{CONTAINERS[kind]}/env/-"
        return _patches(kind, [{"op": "add", "path": path, "value": one} for one in added])

    def _structure(self) -> list[Patch]:
        """Complete what components add: the claim, the host, and the selector of what scrapes."""
        patches = []
        if self.given.get("claim"):
            path = "/spec/template/spec/volumes/1/persistentVolumeClaim/claimName"
            patches += _patches("Deployment", [_replaced(path, self.given["claim"])])
        if self.given.get("host"):
            route = [_replaced("/spec/hostnames/0", self.given["host"])]
            route += [_replaced("/spec/rules/0/backendRefs/0/name", self.name)]
            gateway = [_replaced("/spec/parentRefs/0/name", self.given["gateway"])] if self.given.get("gateway") else []
            patches += _patches("HTTPRoute", [*route, *gateway])
            annotations = {"flyweight/url": f"https://{self.given['host']}"}
            patches += _patches("Service", [{"op": "add", "path": "/metadata/annotations", "value": annotations}])
        if self.given.get("monitoring", "") not in FALSE:
            path = "/spec/selector/matchLabels/app.kubernetes.io~1instance"
            patches += _patches("ServiceMonitor", [_replaced(path, self.name)])
        if self.live:
            share = int(self.given["canary"])
            kept = {"revisionName": self.live, "percent": 100 - share}
            patches += _patches("Service", [_replaced("/spec/traffic", [kept, {"latestRevision": True, "percent": share}])])
        return patches

    def _placed(self, described: Mapping[str, Mapping[str, Any]]) -> list[Patch]:
        """Put the other parameters where the description of each says."""
        kinds = {
            "base": ("Deployment", "HorizontalPodAutoscaler"),
            "knative": ("Service",),
            "kserve": ("ServingRuntime", "InferenceService"),
        }
        changes: dict[str, list[dict[str, Any]]] = {}
        for name, value in self.given.items():
            one = described.get(name, {})
            for kind in [kind for kind in one.get("places", {}) if kind in kinds[self.form] and value]:
                whole = one.get("type") == "integer"
                changes.setdefault(kind, []).extend(
                    _replaced(path, int(value) if whole and "/annotations/" not in path else value)
                    for path in one["places"][kind]
                )
        return [patch for kind, several in changes.items() for patch in _patches(kind, several)]


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:10]


def _replaced(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def _patches(kind: str, changes: Sequence[Mapping[str, Any]]) -> list[Patch]:
    return [{"target": {"kind": kind}, "patch": json.dumps(changes)}] if changes else []


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    return {name: value for name, _, value in pairs}


@click.command()
@click.argument("form", type=click.Choice([*POD_KINDS]))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--infra", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--name", required=True)
@click.option("--namespace", default="")
@click.option("--image", required=True)
@click.option("--set", "given", multiple=True, callback=_pairs)
@click.option("--label", "labels", multiple=True, callback=_pairs)
@click.option("--live", default="")
def main(
    form: str, folder: Path, infra: Path, name: str, namespace: str, image: str, given: dict[str, str], labels: dict[str, str],
    live: str,
) -> None:  # fmt: skip
    """Write FOLDER/kustomization.yaml for a FORM of infra/kubernetes."""
    overlay = Overlay(form, name, image, namespace, given, labels, live)
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(overlay.document(infra, folder), indent=2) + "\n"  # JSON is YAML
    (folder / "kustomization.yaml").write_text(document, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
