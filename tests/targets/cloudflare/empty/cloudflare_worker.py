"""The smallest worker: it answers every request with {}."""

from js import Response
from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    """The worker."""

    async def fetch(self, request):
        """Answer."""
        return Response.new("{}")
