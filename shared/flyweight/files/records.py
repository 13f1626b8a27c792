"""Records that name files to outcomes: each file is scored as far as the time goes; one that is not done is unfinished."""

from time import monotonic

from flyweight import settings
from flyweight.errors import INPUT_ERRORS, MalformedRequest, NotFound, ObjectNotFound, StoreFailed
from flyweight.files.scoring import score_object
from flyweight.records import InProgress, Outcome
from flyweight.records.scoring import score
from flyweight.stores import Timeouts, joined, open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Record
    from flyweight.settings import Files
    from flyweight.stores import Store

PATIENCE = Timeouts(connect=2.0, seconds=30.0)  # for one request, whose answer has megabytes
LEAST = 1.0  # seconds, without which a file is not begun


def score_files(
    predictor: "Predictor", records: "Sequence[Record]", deadline: float, files: "Files | None" = None
) -> "list[Outcome]":
    """The outcome of each record; where its origin has an `address`, such as `SCHEME://PLACE/folder/file.csv`, of that file.

    A record without an address is scored by its body, as elsewhere. `deadline` is on the clock of `time.monotonic`; `files` says
    where answers go: what the environment says, unless it is given.
    """
    files = settings.files() if files is None else files
    return [
        _outcome(predictor, record, deadline, files) if "address" in record.origin else score(predictor, [record])[0]
        for record in records
    ]


def _outcome(predictor: "Predictor", record: "Record", deadline: float, files: "Files") -> Outcome:
    try:
        if record.fault is not None:
            raise record.fault
        return Outcome(record, {"id": record.id, **_answer(predictor, record.origin["address"], deadline, files)}, None, True)
    except Exception as error:
        return Outcome(record, None, error, isinstance(error, (*INPUT_ERRORS, NotFound)))


def _answer(predictor: "Predictor", address: str, deadline: float, files: "Files") -> "Mapping[str, Any]":
    """What is told of a file that is done.

    :raises InProgress: it is not.
    """
    if monotonic() > deadline - LEAST:
        raise InProgress(f"{address}: no time is left to begin with it")
    root, key = _parted(address)
    source = open_store(root, PATIENCE)
    output = files.output.rstrip("/") or root
    target = source if output == root else open_store(output, PATIENCE)
    _check_there(source, key, address)
    done = score_object(predictor, source, key, target, "", deadline, files.output_form)
    if not done.done:
        raise InProgress(f"{address}: {done.rows + done.rejected} rows are done, and more are left")
    told = {"file": address, "output": f"{output}/{done.output}", "rows": done.rows, "rejected": done.rejected}
    if done.rejects:
        told["rejects"] = f"{output}/{done.rejects}"
    return {**told, "model": {"name": predictor.name, "version": predictor.version}}


def _parted(address: str) -> "tuple[str, str]":
    """The store that a file is in, and its key; a bucket with all that is in it, or a folder.

    :raises MalformedRequest: no file can be there.
    """
    scheme, _, rest = address.partition("://")
    place, slash, key = rest.rpartition("/") if scheme == "file" else rest.partition("/")
    try:
        if not slash:
            raise StoreFailed(f"{address[:200]!r} is not SCHEME://PLACE/KEY")
        joined("", key)
    except StoreFailed as error:
        raise MalformedRequest(str(error)) from None
    return f"{scheme}://{place}", key


def _check_there(source: "Store", key: str, address: str) -> None:
    try:
        source.head(key)
    except ObjectNotFound:
        raise NotFound(f"{address} is not there any more") from None
