"""As much of Vertex AI's API as a deployment by gcloud asks: models with versions, endpoints, what is deployed to them.

https://docs.cloud.google.com/vertex-ai/docs/reference/rest
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.targets.gcp.google_api import DOMAIN, PROJECT, GoogleApi, Reply

REGION = "europe-west1"
PLACE = f"projects/{PROJECT}/locations/{REGION}"
KIND = "type.googleapis.com/google.cloud.aiplatform.v1"


class VertexApi(GoogleApi):
    """What gcloud asked, and the models and endpoints that it made by it."""

    def variables(self, place: Path) -> dict[str, str]:
        """What leads gcloud here."""
        return {**super().variables(place), "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": f"http://{DOMAIN}/"}

    def answer(self, method: str, path: str, query: dict[str, list[str]], document: Any) -> Reply:
        """The document that a request is answered with; None for 404."""
        for pattern, reply in ROUTES:
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                self.asked.append((method, path, document))
                return reply(self, found, query, document)
        return super().answer(method, path, query, document)

    def endpoint(self, name: str) -> dict[str, Any]:
        """An endpoint as it is now."""
        return self.made[f"/v1/{PLACE}/endpoints/{name}"]

    def done(self, of: str, kind: str, **response: Any) -> dict[str, Any]:
        """An operation that is done at once."""
        name = f"{of}/operations/{len(self.asked)}"
        self.made[f"/v1/{name}"] = {"name": name, "done": True, "response": {"@type": f"{KIND}.{kind}", **response}}
        return self.made[f"/v1/{name}"]


def _upload(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    """A new model, or a version of the one that is named; either without the other is refused."""
    parent, own = document.get("parentModel"), document.get("modelId")
    if parent:
        model = api.made.get(f"/v1/{parent}")
        if model is None or own:
            return None
        version = str(int(model["versionId"]) + 1)
    else:
        parent, version = f"{PLACE}/models/{own}", "1"
        if f"/v1/{parent}" in api.made:
            return None
    told = {"name": parent, "versionId": version, "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"]}
    api.made[f"/v1/{parent}"] = {**document["model"], **told}
    return api.done(parent, "UploadModelResponse", model=parent, modelVersionId=version)


def _create(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    name = f"{PLACE}/endpoints/{query['endpointId'][0]}"
    api.made[f"/v1/{name}"] = {**document, "name": name, "deployedModels": [], "trafficSplit": {}}
    return api.done(name, "Endpoint", name=name)


def _deploy(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    endpoint, deployed = api.endpoint(found[1]), document["deployedModel"]
    if deployed["id"] in {one["id"] for one in endpoint["deployedModels"]}:
        return None
    endpoint["deployedModels"].append(deployed)
    endpoint["trafficSplit"] = {
        deployed["id"] if name == "0" else name: share for name, share in document["trafficSplit"].items()
    }
    return api.done(endpoint["name"], "DeployModelResponse", deployedModel=deployed)


def _undeploy(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    endpoint, gone = api.endpoint(found[1]), document["deployedModelId"]
    endpoint["deployedModels"] = [one for one in endpoint["deployedModels"] if one["id"] != gone]
    return api.done(endpoint["name"], "UndeployModelResponse")


def _update(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    endpoint = api.endpoint(found[1])
    names = {"traffic_split": "trafficSplit"}
    for field in query["updateMask"][0].split(","):
        endpoint[names.get(field, field)] = document[names.get(field, field)]
    return endpoint


def _delete(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    """Google keeps an endpoint to which something is deployed."""
    resource = api.made.get(f"/v1/{found[1]}")
    if resource is None or resource.get("deployedModels"):
        return None
    del api.made[f"/v1/{found[1]}"]
    return api.done(found[1], "DeleteOperationMetadata")


def _list(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    return {found[1]: [one for path, one in api.made.items() if re.fullmatch(rf"/v1/{PLACE}/{found[1]}/[^/]+", path)]}


def _role(api: VertexApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    name = f"projects/{PROJECT}/roles/{document['roleId']}"
    api.made[f"/v1/{name}"] = {**document["role"], "name": name}
    return api.made[f"/v1/{name}"]


ROUTES: list[tuple[str, Callable[..., Reply]]] = [
    (rf"POST /v1/{PLACE}/models:upload", _upload),
    (rf"GET /v1/({PLACE}/models/[^/@]+)@\d+", lambda api, found, *_: api.made.get(f"/v1/{found[1]}")),
    (rf"POST /v1/{PLACE}/endpoints", _create),
    (rf"GET /v1/{PLACE}/(models|endpoints)", _list),
    (rf"POST /v1/{PLACE}/endpoints/([^/:]+):deployModel", _deploy),
    (rf"POST /v1/{PLACE}/endpoints/([^/:]+):undeployModel", _undeploy),
    (rf"PATCH /v1/{PLACE}/endpoints/([^/:]+)", _update),
    (rf"DELETE /v1/({PLACE}/(?:models|endpoints)/[^/:]+)", _delete),
    (rf"POST /v1/projects/{PROJECT}/roles", _role),
]
