"""SnapStart: the service comes in before the snapshot is taken, and is made ready for it and for each restore.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from snapshot_restore_py import register_after_restore, register_before_snapshot  # part of the managed runtimes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.service import Service


def register(service: "Service") -> None:
    """Prime the models before a snapshot; drop connections and checks after a restore, maybe days later.

    Nothing random is kept from one request to the next: ids come from the kernel, which a restore seeds anew.
    """
    register_before_snapshot(service.prime)
    register_after_restore(service.after_restore)
