"""Upload chunks in parts; the chunks may be read from a store meanwhile."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class ChunkError(Exception):
    """An exception of the caller's chunks, kept apart from those of the upload."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def upload_chunks(upload: "Callable[..., Any]", chunks: "Iterator[bytes]") -> "tuple[Any, int]":
    """Run an upload in a thread of its own, while the chunks are made in this one.

    They may come from a store, and the library can't be called while it asks for a chunk.

    :param upload: takes an iterator of chunks.
    :returns: the result of the upload, and the size of all chunks in bytes.
    :raises ChunkError: `chunks` raised.
    :raises BaseException: the upload raised.
    """
    from queue import Queue  # imported late: fetching a model needs neither
    from threading import Thread

    queue: Queue[Any] = Queue(1)
    result: list[Any] = []  # the result of the upload or its exception, once it has ended

    thread = Thread(target=_run, args=(upload, queue, result), daemon=True)
    thread.start()
    size = 0
    try:
        for chunk in chunks:
            _put(queue, chunk, result)
            size += len(chunk)
            if result:
                break
        _put(queue, None, result)
    except BaseException as error:
        _put(queue, error if isinstance(error, Exception) else RuntimeError("stopped"), result)
        thread.join()
        if isinstance(error, Exception):
            raise ChunkError(error) from None
        raise
    thread.join()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0], size


def _run(upload: "Callable[..., Any]", queue: "Any", result: "list[Any]") -> None:
    """Upload the chunks of a queue, and append the result or the exception."""
    try:
        result.append(upload(_taken(queue)))
    except BaseException as error:
        result.append(error)


def _put(queue: "Any", chunk: "Any", result: "list[Any]") -> None:
    """Give the upload a chunk, None for the end, or an exception, unless it has ended."""
    from queue import Full

    while not result:
        try:
            queue.put(chunk, timeout=0.1)
            return
        except Full:
            continue


def _taken(queue: "Any") -> "Iterator[bytes]":
    """Take chunks until None.

    :raises Exception: one that was put instead of a chunk; it ends the upload.
    """
    while (chunk := queue.get()) is not None:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk
