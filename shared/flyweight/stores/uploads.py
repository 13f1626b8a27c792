"""Chunks to an upload in parts, which may be made of what is read from a store meanwhile."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class Raised(Exception):
    """The caller's own error, on its way through the library."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def uploaded(upload: "Callable[..., Any]", chunks: "Iterator[bytes]") -> "tuple[Any, int]":
    """What an upload in parts gives, and its size.

    It runs in a thread of its own, and the chunks are made in this one: they may come from a store, and the library can't be
    called from where it asks for a chunk.
    """
    from queue import Queue  # for those who upload, and not for those who fetch a model
    from threading import Thread

    handed: Queue[Any] = Queue(1)
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(upload(_taken(handed)))
        except BaseException as error:
            ended.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    size = 0
    try:
        for chunk in chunks:
            _hand(handed, chunk, ended)
            size += len(chunk)
            if ended:
                break
        _hand(handed, None, ended)
    except BaseException as error:
        _hand(handed, error if isinstance(error, Exception) else RuntimeError("stopped"), ended)
        thread.join()
        if isinstance(error, Exception):
            raise Raised(error) from None
        raise
    thread.join()
    if isinstance(ended[0], BaseException):
        raise ended[0]
    return ended[0], size


def _hand(handed: "Any", chunk: "Any", ended: "list[Any]") -> None:
    """Hand over a chunk, None for the end, or an error; to nobody where the upload has ended."""
    from queue import Full

    while not ended:
        try:
            handed.put(chunk, timeout=0.1)
            return
        except Full:
            continue


def _taken(handed: "Any") -> "Iterator[bytes]":
    """Chunks as they are handed over; an error among them is raised, and ends the upload."""
    while (chunk := handed.get()) is not None:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk
