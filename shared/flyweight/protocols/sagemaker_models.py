"""Models that SageMaker loads and unloads while a container runs, for its endpoints of many models: `/models`.

https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html. SageMaker unpacks each model.tar.gz into a folder;
`POST /models` has that folder and a name for the model. Native has other answers at `/models`, so that FLYWEIGHT_PROTOCOLS names
this protocol first. The models share the memory of FLYWEIGHT_CACHE_BYTES: one that does not fit is answered with 507, and
SageMaker then unloads others. Bodies and answers of `/models/NAME/invoke` are those of `/invocations`.
"""

from flyweight import protocols, strict_json
from flyweight.errors import FlyweightError, MalformedRequest, NotFound, preview
from flyweight.predictor import memory_of
from flyweight.protocols import Answer, _documents, sagemaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.protocols import Context, Operation
    from flyweight.values import Request

PATHS = ["GET /models", "POST /models", "GET /models/NAME", "DELETE /models/NAME", "POST /models/NAME/invoke"]
MODELS, INVOKE, FILE = "/models", "/invoke", "/model.safetensors"
EXPECTED = 'an object {"model_name": NAME, "url": FOLDER}'
parse, render, error = sagemaker.parse, sagemaker.render, sagemaker.error


class AlreadyLoaded(FlyweightError):
    """A model of this name is loaded."""

    code, status = "already_loaded", 409


class NoRoom(FlyweightError):
    """The memory for models does not suffice for one more."""

    code, status = "no_room", 507


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path, and the name that SageMaker gave a model.

    :raises MethodNotAllowed: the path takes another method.
    """
    if path != MODELS and not path.startswith(f"{MODELS}/"):
        return None
    name = path[len(MODELS) + 1 :]
    if "/" in name.removesuffix(INVOKE):
        return None
    operations = OF_ALL if not name else OF_ONE if "/" not in name else OF_PREDICTIONS
    return protocols.operation_for(operations, method, path), name.removesuffix(INVOKE)


def load(context: "Context", request: "Request", name: str) -> Answer:
    """Load a model under a name.

    :raises MalformedRequest: the body does not name it and its folder.
    :raises AlreadyLoaded: a model has the name.
    :raises NoRoom: it does not fit beside the others.
    :raises FlyweightError: the model can't be loaded.
    """
    name, folder = _named(request.body)
    others = [other for other in context.settings.models if other != name and context.holds(other)]
    if not context.give(name, f"{folder}{FILE}"):  # asks and gives at once: of two requests for a name one is first
        raise AlreadyLoaded(f"the model {name[:100]!r} is loaded")
    try:
        weight = memory_of(context.predictor(name))
        # the cache makes room for a new model: what it dropped shows that there was none
        dropped = [other for other in others if other in context.settings.models and not context.holds(other)]
        if weight > context.settings.caching.cache_bytes or dropped:
            raise NoRoom(f"the model {name[:100]!r} takes {weight} bytes of memory, and FLYWEIGHT_CACHE_BYTES leaves less")
    except FlyweightError:
        context.give(name, "")
        raise
    return _documents.answer(_described(name, f"{folder}{FILE}"))


def listed(context: "Context", request: "Request", name: str) -> Answer:
    """List the models; all of them stand on one page."""
    return _documents.answer({"models": [_described(*pair) for pair in context.settings.models.items()]})


def described(context: "Context", request: "Request", name: str) -> Answer:
    """Say where a model came from.

    :raises NotFound: no model has the name.
    """
    return _documents.answer(_described(name, _address(context, name)))


def unload(context: "Context", request: "Request", name: str) -> Answer:
    """Unload a model, whose memory is free when this is answered and requests that use it are done.

    :raises NotFound: no model has the name.
    """
    answer = described(context, request, name)
    context.give(name, "")
    return answer


def invoke(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the instances of a request with one model.

    :raises NotFound: no model has the name.
    """
    _address(context, name)
    return protocols.infer(context, request, name, parse, render)


def _named(body: bytes) -> tuple[str, str]:
    """Read the name of a model, and the folder that it is in.

    :raises MalformedRequest: the body is no object that says both, or the folder is no absolute path.
    """
    try:
        document = _documents.members(strict_json.parse(body.decode()), "the body", EXPECTED)
    except (UnicodeDecodeError, strict_json.NotStrictJSON) as error:
        raise MalformedRequest(f"the body should be {EXPECTED}: {error}") from None
    name, folder = document.get("model_name"), document.get("url")
    if not (isinstance(name, str) and name and "/" not in name and isinstance(folder, str) and folder.startswith("/")):
        raise MalformedRequest(f"the body should be {EXPECTED}, got the name {preview(name)} and the folder {preview(folder)}")
    return name, folder.rstrip("/")


def _address(context: "Context", name: str) -> str:
    """Find where a model is.

    :raises NotFound: no model has the name.
    """
    if name not in context.settings.models:
        raise NotFound(f"no model is called {name[:100]!r}; GET /models lists the models")
    return context.settings.models[name]


def _described(name: str, address: str) -> "dict[str, Any]":
    return {"modelName": name, "modelUrl": address.removesuffix(FILE)}


OF_ALL: "dict[str, Operation]" = {"GET": listed, "POST": load}
OF_ONE: "dict[str, Operation]" = {"GET": described, "DELETE": unload}
OF_PREDICTIONS: "dict[str, Operation]" = {"POST": invoke}
