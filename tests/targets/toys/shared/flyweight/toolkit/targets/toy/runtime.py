"""The toy's runtime: Python runs the entry, which reads events from a pipe and writes answers to another."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from select import select
from time import perf_counter
from typing import Any

from flyweight.toolkit.targets.requests import body_of
from flyweight.toolkit.targets.runtime import Answer
from flyweight.toolkit.targets.runtime import Runtime as Base


class Runtime(Base):
    """A folder with `toy_app.py`; an event is {"verb", "address", "fields", "payload"}."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self._reads, events = os.pipe()
        answers, self._writes = os.pipe()
        self._events, self._answers = open(events, "w"), open(answers)

    @classmethod
    def wrap(cls, request: Mapping[str, Any], shape: str) -> Any:
        """Wrap a plain request as the toy does."""
        payload = b64encode(body_of(request)).decode()
        return {"verb": request["method"], "address": request["path"], "fields": request.get("headers", {}), "payload": payload}

    def command(self) -> list[str]:
        """Run the entry."""
        return [self.python, str(self.folder / "toy_app.py"), str(self._reads), str(self._writes)]

    def variables(self) -> dict[str, str]:
        """Set nothing."""
        return {}

    def descriptors(self) -> tuple[int, ...]:
        """Give the process its ends of the pipes."""
        return self._reads, self._writes

    def exchange(self, event: Any) -> Answer:
        """Write an event, wait for its answer."""
        self._events.write(json.dumps(event) + "\n")
        self._events.flush()
        deadline = perf_counter() + self.timeout
        while not select([self._answers], [], [], 0.05)[0]:
            self.fail_if_ended()
            if perf_counter() > deadline:
                raise self.failed(f"no answer within {self.timeout:g} seconds")
        answer = json.loads(self._answers.readline())
        fields = {name.lower(): value for name, value in answer["fields"].items()}
        return Answer(answer["number"], fields, b64decode(answer["payload"]), perf_counter())

    def close(self) -> None:
        """End the process, then close the pipes."""
        super().close()
        self._events.close()
        self._answers.close()
        for descriptor in (self._reads, self._writes):
            os.close(descriptor)
