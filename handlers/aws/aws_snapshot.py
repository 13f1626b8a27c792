"""Prepare the service for SnapStart: before the snapshot is taken, and after each restore.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from snapshot_restore_py import register_after_restore, register_before_snapshot  # part of the managed runtimes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.service import Service


def register(service: "Service") -> None:
    """Register to prime the models before a snapshot, and to drop connections and checks after a restore, maybe days later.

    Nothing random is kept from one request to the next: ids come from the kernel, which a restore seeds anew.
    """
    register_before_snapshot(service.prime)
    register_after_restore(service.after_restore)
