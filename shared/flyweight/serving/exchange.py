"""Hold one request in progress: the context of its operation, and the fields of its log line."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.serving.service import Service
    from flyweight.values import LogFields, Prediction, Request


class Exchange:
    """One request in progress: the context of its operation, and the fields of its log line."""

    def __init__(self, service: "Service", request: "Request") -> None:
        self._service, self.request = service, request
        self.settings, self.stopping, self.streams = service.settings, service.stopping, False
        self.log_fields: LogFields = {}

    def unpack(self, max_bytes: int) -> "Request":
        """Undo the content encoding of the request's body.

        :raises FlyweightError: the body is larger than allowed, or not encoded as it says.
        """
        from flyweight.formats.compression import unpacked  # imported late: few requests are compressed

        body = unpacked(self.request.body, self.request.headers["content-encoding"], max_bytes)
        self.request = self.request._replace(body=body)
        return self.request

    def predictor(self, name: str) -> "Predictor":
        """Get the model of that name, "" for the default one.

        :raises FlyweightError: no model has that name, or it can't be loaded.
        """
        return self._service.predictor(self.request, self.log_fields, name)

    def give(self, name: str, address: str) -> bool:
        """Give a name to the model at an address, unless another request was first; with "" the name and its model are gone."""
        given = self._service.give(name, address)
        self.settings = self._service.settings
        return given

    def holds(self, name: str) -> bool:
        """Tell whether the model of that name is in memory."""
        return self._service.models.current(self.settings.models[name]) is not None

    def compare(self, request: "Request", predictor: "Predictor", prediction: "Prediction", rows: "list[list[Any]]") -> None:
        """Ask the shadow model the same, if there is one, and log the differences."""
        if self._service.traffic is not None:
            self.log_fields.update(self._service.traffic.compare(request, predictor, prediction, rows))
