"""Run a function's hooks before a SnapStart snapshot and after its restore, and tell the Runtime API.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aws_client_api import RuntimeApi
    from aws_client_output import LogSink

BEFORE, AFTER = 64, 65  # exit statuses that the platform understands
RESTORED = 200


class RestoreRefused(Exception):
    """The Runtime API did not restore the snapshot."""


def pass_snapshot(api: "RuntimeApi", sink: "LogSink") -> None:
    """Run the hooks around the snapshot.

    :raises SystemExit: a hook failed, or the restore; the error has been posted.
    """
    before, after = _hooks()
    try:
        while before:
            function, arguments, named = before.pop()
            function(*arguments, **named)
        status, answer = api.wait_for_restore()
        if status != RESTORED:
            raise RestoreRefused(f"restore/next was answered with {status}: {answer!r}")
    except BaseException as error:
        _report(api, sink, error, "init", "Runtime.BeforeSnapshotError")
        raise SystemExit(BEFORE) from None
    try:
        for function, arguments, named in after:
            function(*arguments, **named)
    except BaseException as error:
        _report(api, sink, error, "restore", "Runtime.AfterRestoreError")
        raise SystemExit(AFTER) from None


def _hooks() -> "tuple[list, list]":  # type: ignore[type-arg]
    """Return the registered hooks; none where the module that registers them is not installed."""
    try:
        from snapshot_restore_py import get_after_restore, get_before_snapshot
    except ImportError:
        return [], []
    return get_before_snapshot(), get_after_restore()


def _report(api: "RuntimeApi", sink: "LogSink", error: BaseException, stage: str, kind: str) -> None:
    from aws_client_errors import Report

    report = Report(error)
    report.log(sink)
    api.fail_stage(stage, report.body, kind)
