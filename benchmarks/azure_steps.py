"""The process that `azure_worker` measures: it does what Azure's Python worker does, and prints how long each step took.

It is run as a file, never imported: START FOLDER WORKER placeholder|fresh BODY. Azure's own worker also talks gRPC with the host.

Azure keeps placeholders: instances whose worker runs already, with no app. For an app such a worker forgets the modules that it
has imported from its own folder and imports them again, because the app may bring other versions of them:
https://github.com/Azure/azure-functions-python-worker/blob/dev/workers/proxy_worker/utils/dependency.py
"""

import sys
from time import perf_counter, process_time

marks: "list[tuple[str, float, float]]" = [("interpreter", perf_counter(), process_time())]


def mark(step: str) -> None:
    """Note the end of a step: the time, and this process's own time on a processor."""
    marks.append((step, perf_counter(), process_time()))


def packages() -> None:
    """Import the worker's library, then the SDK with which functions are written."""
    import azure_functions_runtime  # noqa: F401

    mark("library")
    import azure.functions  # noqa: F401

    mark("sdk")


def forget() -> None:
    """Forget the modules that come from packages, as a placeholder does before it gets an app."""
    places = {
        name: [getattr(module, "__file__", None) or "", *(getattr(module, "__path__", None) or ())]
        for name, module in sys.modules.items()
    }
    for name, found in places.items():
        if any("site-packages" in place for place in found):
            del sys.modules[name]


def main(began: float, folder: str, worker: str, placeholder: bool, body: bytes) -> None:
    """Take each step, and print how many milliseconds it took, and how many of them this process had a processor."""
    import asyncio  # noqa: F401
    import json
    import logging
    from importlib.util import module_from_spec, spec_from_file_location

    import google.protobuf.message  # noqa: F401
    import grpc  # noqa: F401

    mark("grpc")
    packages()
    counted = 0
    if placeholder:
        forget()
        mark("placeholder")
        counted = len(marks)
        packages()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    sys.path.insert(0, folder)
    spec = spec_from_file_location("worker", worker)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    mark("rest")  # this script's own preparation, which no worker has
    invoke = module.through_the_worker(folder)
    mark("index")
    headers = {"content-type": "application/json"}
    request = {"id": "1", "method": "POST", "url": "https://a.example/predict", "headers": headers, "query": {}}
    status, _, answer = invoke({**request, "params": {"path": "predict"}}, body)
    mark("first call")
    assert status == 200, answer
    before = ("", began, 0.0)
    steps: dict[str, list[float]] = {}
    for number, now in enumerate(marks):
        if number >= counted:
            steps[now[0]] = [1000 * (now[1] - before[1]), 1000 * (now[2] - before[2])]
        before = now
    del steps["rest"]
    print(json.dumps(steps))


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "placeholder", sys.argv[5].encode())
