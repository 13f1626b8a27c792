"""Remove what an API Gateway puts before the path of a request: the stage, and the base path of a custom domain.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
"""

from flyweight.protocols import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def below_base(path: str, event: "dict[str, Any]") -> str:
    """Remove the stage from an HTTP API's path, and from any API's what stands before the path that its own route matched."""
    if "version" in event:  # an HTTP API, whose paths begin with the stage; a REST API's do not
        path = _without_stage(path, event["requestContext"].get("stage"))
    route = event.get("resource") or str(event.get("routeKey")).partition(" ")[2]
    if path == route and "{" not in path:  # nothing stands before it
        return path
    parameters = event.get("pathParameters") or {}
    if not isinstance(route, str) or route[:1] != "/" or not isinstance(parameters, dict):
        return path
    base = paths.base_before(path, paths.filled(route, parameters))
    return paths.without_base(paths.normalized(path), base) if base else path


def _without_stage(path: str, stage: "str | None") -> str:
    """Remove the stage from a path if it is there; a custom domain's paths have none."""
    prefix = f"/{stage}"
    return path[len(prefix) :] or "/" if path == prefix or path.startswith(prefix + "/") else path
