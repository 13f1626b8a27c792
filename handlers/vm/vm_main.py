"""The entry of a machine's service: our server on the socket that systemd holds, which keeps callers waiting during a restart.

Without systemd it listens as `server_main` does. The two protocols are those of
https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html and .../sd_notify.html.
"""

import sys
from _socket import AF_UNIX, SOCK_DGRAM, socket
from posix import getpid

from server_main import answer, services
from server_sockets import listen
from server_start import answer_on

from flyweight import settings

FIRST = 3  # the number of the first socket that systemd passes on


def passed_on() -> "socket | None":
    """Return the socket that systemd listens on for this process, None without one."""
    if settings.variable("LISTEN_PID") != str(getpid()) or settings.variable("LISTEN_FDS") != "1":
        return None
    return socket(fileno=FIRST)


def tell(state: str) -> None:
    """Tell systemd what this process is about to do; nothing without systemd."""
    place = settings.variable("NOTIFY_SOCKET")
    if place:
        teller = socket(AF_UNIX, SOCK_DGRAM)
        teller.sendto(state.encode(), f"\0{place[1:]}" if place.startswith("@") else place)
        teller.close()


def main() -> None:
    """Answer requests until SIGTERM, and exit: with 0 if all requests that had begun were finished.

    :raises InvalidSetting: a setting of the server has a value with no meaning.
    :raises OSError: the port is in use.
    """
    bounds = settings.serving()
    if bounds.workers > 1:
        from server_workers import start_over  # imported late: most machines have one process a model

        start_over()
    listener = passed_on() or listen(bounds.host, bounds.port)
    tell("READY=1")
    sys.exit(answer_on(listener, answer, services[0], bounds, lambda: tell("STOPPING=1")))


if __name__ == "__main__":
    main()
