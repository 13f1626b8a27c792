"""Find how much memory this process may still take: what its platform or its control group allows, less what is in use."""

from os import sysconf

from flyweight import settings

GROUPS = "/sys/fs/cgroup"
STATUS = "/proc/self"
# the files of a control group: its limit, and in its statistics the memory that can't be dropped
# https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
VERSION_2 = ("memory.max", "anon ")
# https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
VERSION_1 = ("memory.limit_in_bytes", "total_rss ")


def free_bytes(groups: str = GROUPS, status: str = STATUS) -> "int | None":
    """Find the bytes of memory that this process may still take; None if nothing limits it.

    :param groups: the folder of control groups.
    :param status: the folder of this process in the system's list.
    """
    left = []
    megabytes = settings.memory_megabytes()
    if megabytes:
        left.append((megabytes << 20) - _resident(status))
    for folder, (limit_name, used_name) in _groups(groups, status):
        limit = _read(f"{folder}/{limit_name}").strip()
        if limit.isdecimal():  # else there is no such file, or it says `max`
            used = [line.split()[1] for line in _read(f"{folder}/memory.stat").splitlines() if line.startswith(used_name)]
            left.append(int(limit) - (int(used[0]) if used else _resident(status)))
    return max(min(left), 0) if left else None


def _groups(groups: str, status: str) -> "list[tuple[str, tuple[str, str]]]":
    """List the folders of the control groups that limit this process, each with the names of its files."""
    folders = [(groups, VERSION_2), (f"{groups}/memory", VERSION_1)]
    for line in _read(f"{status}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        root, names = (groups, VERSION_2) if not controllers else (f"{groups}/memory", VERSION_1)
        if not controllers or "memory" in controllers.split(","):
            parts = [part for part in path.split("/") if part not in ("", "..")]
            folders += [("/".join([root, *parts[: end + 1]]), names) for end in range(len(parts))]
    return folders


def _resident(status: str) -> int:
    """Read the bytes of memory that this process has in use; 0 on a system that does not tell."""
    fields = _read(f"{status}/statm").split()
    return int(fields[1]) * sysconf("SC_PAGE_SIZE") if len(fields) > 1 else 0


def _read(path: str) -> str:
    """Read a small file of the system; "" if there is no such file."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""
