"""Score the files that records name, until the deadline; a file that is not finished is reported as in progress."""

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

TIMEOUTS = Timeouts(connect=2.0, seconds=30.0)  # for one request, whose answer has megabytes
MIN_SECONDS = 1.0  # a file is not begun with less time before the deadline


def score_files(
    predictor: "Predictor", records: "Sequence[Record]", deadline: float, files: "Files | None" = None
) -> "list[Outcome]":
    """Score the files that records name in `origin["address"]`, such as `SCHEME://PLACE/folder/file.csv`.

    Records without an address are scored by their bodies first, all together.

    :param deadline: in seconds, on the clock of `time.monotonic`.
    :param files: where answers go, and in which format; None: as the environment says.
    :returns: one outcome a record, in their order.
    """
    files = settings.files() if files is None else files
    of_bodies = iter(score(predictor, [record for record in records if "address" not in record.origin]))
    return [
        _score_file(predictor, record, deadline, files) if "address" in record.origin else next(of_bodies) for record in records
    ]


def _score_file(predictor: "Predictor", record: "Record", deadline: float, files: "Files") -> Outcome:
    """Score the file of one record; errors become its outcome."""
    try:
        if record.fault is not None:
            raise record.fault
        return Outcome(record, {"id": record.id, **_report(predictor, record.origin["address"], deadline, files)}, None, True)
    except Exception as error:
        return Outcome(record, None, error, isinstance(error, (*INPUT_ERRORS, NotFound)))


def _report(predictor: "Predictor", address: str, deadline: float, files: "Files") -> "Mapping[str, Any]":
    """Score a file, and say where its answers are and how many there are.

    :raises InProgress: it is not finished.
    """
    if monotonic() > deadline - MIN_SECONDS:
        raise InProgress(f"{address}: no time is left to begin this file")
    root, key = _split(address)
    source = open_store(root, TIMEOUTS)
    output = files.output.rstrip("/") or root
    target = source if output == root else open_store(output, TIMEOUTS)
    _check_exists(source, key, address)
    result = score_object(predictor, source, key, target, "", deadline, files.output_form)
    if not result.done:
        raise InProgress(f"{address}: {result.rows + result.rejected} rows are scored, the others follow in the next call")
    report = {"file": address, "output": f"{output}/{result.output}", "rows": result.rows, "rejected": result.rejected}
    if result.rejects:
        report["rejects"] = f"{output}/{result.rejects}"
    return {**report, "model": {"name": predictor.name, "version": predictor.version}}


def _split(address: str) -> "tuple[str, str]":
    """Split the address of a file into the store, which is a whole bucket or a folder, and the key.

    :raises MalformedRequest: no file can have this address.
    """
    scheme, _, rest = address.partition("://")
    place, slash, key = rest.rpartition("/") if scheme == "file" else rest.partition("/")
    try:
        if not slash:
            raise StoreFailed(f"{address[:200]!r} is not SCHEME://PLACE/KEY")
        joined("", key)
    except StoreFailed as error:
        raise MalformedRequest(str(error)) from None
    if min(key, default=" ") < " ":  # a tab or another control character, which no store's client can request
        raise MalformedRequest(f"{key[:200]!r} has a control character; rename the file")
    return f"{scheme}://{place}", key


def _check_exists(source: "Store", key: str, address: str) -> None:
    """Check that there is such a file.

    :raises NotFound: the store has no such object.
    """
    try:
        source.head(key)
    except ObjectNotFound:
        raise NotFound(f"the file {address} does not exist") from None
