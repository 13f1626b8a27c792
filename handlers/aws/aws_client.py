"""A Runtime API client for Lambda that starts sooner than AWS's own (awslambdaric), and posts the same.

It imports little: no `logging`, `json`, `re`, `threading` or `enum`. Errors, log records, snapshots and several processes have
modules of their own, which are imported when they are needed. docs/lambda-client.md lists where it differs on purpose.
"""

import posix
import sys
import time

import aws_client_context
import aws_client_json
from aws_client_api import JSON, RuntimeApi
from aws_client_environment import needed, set_variable, variable
from aws_client_output import LogSink, open_sink, prepare_logging, unbuffer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from aws_client_api import Invocation

LARGEST = 6 * 1024 * 1024 + 100  # bytes of an answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ANSWERED = 200
TRACE = "_X_AMZN_TRACE_ID"
FORMAT, FOLDER = 0o170000, 0o040000  # of a file's mode: https://man7.org/linux/man-pages/man7/inode.7.html
RETRIES = (0.1, 0.2, 0.4, 0.8)  # seconds before `next` is asked again, where several processes ask


def main() -> None:
    """Load the function's handler and answer events until the process is ended."""
    _set_path()
    if sys.flags.no_site:
        from aws_client_site import wait_for_site

        wait_for_site()
    unbuffer()
    sink = open_sink()
    prepare_logging(sink)
    several = variable("AWS_LAMBDA_MAX_CONCURRENCY")
    if several is not None:
        import aws_client_workers

        patient = Client(sink, patient=True)
        return aws_client_workers.run(int(several), lambda: patient.load(_api()), patient.serve, sink)
    client, api = Client(sink), _api()
    api.connect()  # while the function is loaded, the Runtime API accepts it
    handler = client.load(api)
    if variable("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        import aws_client_snapshot

        aws_client_snapshot.pass_snapshot(api, sink)
    client.serve(api, handler)


def _api() -> RuntimeApi:
    return RuntimeApi(needed("AWS_LAMBDA_RUNTIME_API"))


def _set_path() -> None:
    """Let modules be found where the platform's client finds them: the function first, then layers, then the platform's own.

    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    sys.argv = sys.argv[2:] or sys.argv  # as the platform's client was to be started
    task = variable("LAMBDA_TASK_ROOT") or posix.getcwd()
    layers = ("/opt/python/lib/python{}.{}/site-packages".format(*sys.version_info[:2]), "/opt/python")
    first = [task, *[place for place in layers if _is_folder(place)]]
    sys.path[:1] = [*first, *([] if sys.path[0] in first else sys.path[:1])]
    platform = variable("LAMBDA_RUNTIME_DIR")
    if platform and platform not in sys.path:
        sys.path.append(platform)


def _is_folder(path: str) -> bool:
    try:
        return posix.stat(path).st_mode & FORMAT == FOLDER
    except OSError:
        return False


class Client:
    """Answers events with a handler.

    `patient`: whether this process is one of several: it then goes on where a post or `next` fails for a while.
    """

    def __init__(self, sink: LogSink, patient: bool = False) -> None:
        self._sink, self._patient = sink, patient
        self._only_ascii: bool | None = None
        self._streaming: Any = None
        if variable("FLYWEIGHT_STREAMING") == "true":
            import aws_client_streaming

            self._streaming = aws_client_streaming

    def load(self, api: RuntimeApi) -> "Any":
        """Import the function's handler.

        :raises SystemExit: that is not possible; the error has been posted.
        """
        try:
            handler = _handler(needed("_HANDLER"))
            if sys.flags.no_site:
                from aws_client_site import end_loading

                end_loading()
            return handler
        except Exception as error:
            import logging

            from aws_client_errors import WARNING, Report

            logging.warning(WARNING)
            report = Report(error)
            report.log(self._sink)
            status, answer = api.fail_stage("init", report.body, report.kind)
            if status // 100 != 2:
                self._complain(f"Failed to post init error. Http response code: {status}. {answer.decode(errors='replace')}")
            raise SystemExit(1) from None

    def serve(self, api: RuntimeApi, handler: "Any") -> None:
        """Answer events for as long as the Runtime API has any.

        :raises SystemExit: it can't be reached, or has no next event.
        """
        while True:
            invocation = self._next(api)
            self._sink.request_id, self._sink.tenant = invocation.id, invocation.tenant
            set_variable(TRACE, invocation.trace)
            try:
                self._answer(api, handler, invocation)
            except OSError as error:
                self._complain(f"Failed to post the answer to {invocation.id}: {error}")
                if not self._patient:
                    raise SystemExit(1) from None

    def _next(self, api: RuntimeApi) -> "Invocation":
        """Wait for the next event; if this process is one of several, ask again a few times.

        :raises SystemExit: none exists.
        """
        for delay in RETRIES if self._patient else ():
            invocation = self._asked(api)
            if invocation is not None:
                return invocation
            time.sleep(delay)
        invocation = self._asked(api)
        if invocation is None:
            raise SystemExit(1)
        return invocation

    def _asked(self, api: RuntimeApi) -> "Invocation | None":
        try:
            status, invocation = api.next()
        except OSError as error:
            api.close()
            self._complain(f"Failed to get next invocation. No Response from endpoint: {error}")
            return None
        if status != ANSWERED:
            self._complain(f"Failed to get next invocation. Http Response code: {status}")
        elif not invocation.id:
            self._complain("Failed to find header lambda-runtime-aws-request-id in response")
        else:
            return invocation
        return None

    def _answer(self, api: RuntimeApi, handler: "Callable[[Any, Any], Any]", invocation: "Invocation") -> None:
        """Call the handler and post what it returns or raises."""
        stage = "context"
        try:
            context = aws_client_context.create(invocation, self._sink)
            stage = "event"
            event: Any = aws_client_json.read(invocation.body) if invocation.content_type == JSON else invocation.body
            stage = "handler"
            response = handler(event, context)
            stage = "response"
            if self._streaming is not None and type(response) is self._streaming.Streamed:
                body, kind = b"", ""
            elif isinstance(response, bytes):
                body, kind = response, "application/unknown"
            else:
                body, kind = self._written(response), JSON
            if len(body) > LARGEST:
                from aws_client_errors import too_large

                raise too_large(len(body), LARGEST)
        except Exception as error:
            return self._fail(api, invocation, error, stage)
        if kind:
            status, answer = api.respond(invocation, body, kind)
        else:
            status, answer = self._streaming.post(api, invocation, response, self._sink)
        if status // 100 != 2:
            self._refused(api, invocation, status, answer)

    def _written(self, response: "Any") -> bytes:
        """Write a handler's return value as JSON."""
        if self._only_ascii is None:
            # as AWS's client does before Python 3.12; https://github.com/aws/aws-lambda-python-runtime-interface-client
            minors = ("2", "3", "4", "5")
            self._only_ascii = variable("AWS_EXECUTION_ENV") not in [f"AWS_Lambda_python3.1{minor}" for minor in minors]
        return aws_client_json.write(response, self._only_ascii).encode()

    def _fail(self, api: RuntimeApi, invocation: "Invocation", error: Exception, stage: str) -> None:
        """Log an error and post it."""
        from aws_client_errors import Report, fault_of

        report = Report(fault_of(stage, error), invocation.id)
        report.log(self._sink)
        status, answer = api.fail(invocation, report.body, report.cause)
        if status // 100 != 2:
            text = answer.decode(errors="replace")
            self._complain(f"Failed to post handler error response. Http response code: {status}. {text}")

    def _refused(self, api: RuntimeApi, invocation: "Invocation", status: int, answer: bytes) -> None:
        """Tell the caller that the Runtime API did not take the answer, and go on: the next event may fare better."""
        from aws_client_errors import Fault

        text = answer.decode(errors="replace")
        self._complain(f"Failed to post handler success response. Http response code: {status}. {text}")
        self._fail(api, invocation, Fault("Runtime.ResponseRefused", f"The Runtime API answered {status}: {text[:1000]}"), "")

    def _complain(self, message: str) -> None:
        """Write a line about the Runtime API to standard error, where the platform's client writes it."""
        if sys.stderr is not None:
            sys.stderr.write(f"[ERROR] [{time.time_ns() // 1_000_000}] LAMBDA_RUNTIME {message}\n")


def _handler(name: str) -> "Any":
    """Import `MODULE.FUNCTION`.

    :raises Fault: the name is malformed, or there is no such module or function.
    :raises Exception: the module raises it.
    """
    try:
        module_name, function_name = name.rsplit(".", 1)
        if module_name.split(".")[0] in sys.builtin_module_names:
            raise _fault("BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module")
    except ValueError as error:
        raise _fault("MalformedHandlerName", f"Bad handler '{name}': {error}") from None
    path = module_name.replace("/", ".")
    try:
        if path.startswith("."):
            from importlib import import_module

            module = import_module(path)
        else:
            __import__(path)
            module = sys.modules[path]
    except ImportError as error:
        raise _fault("ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise _fault("UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise _fault("HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'") from None


def _fault(kind: str, message: str, trace: "list[str] | None" = None) -> Exception:
    from aws_client_errors import Fault

    return Fault(f"Runtime.{kind}", message, trace)
