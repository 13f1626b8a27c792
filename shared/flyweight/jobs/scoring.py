"""Score a file, or a piece of one, in a process of a job; what is written says which file, model and options it is of."""

# imports late: pyarrow

import json
from functools import cached_property
from hashlib import sha256
from itertools import chain

from flyweight import strict_json
from flyweight.arrow import loading
from flyweight.arrow.buffers import integers, texts
from flyweight.arrow.scorer import COLUMN, ERROR, RAISE, Scorer, WrongScorer
from flyweight.errors import FlyweightError, InvalidInput, ObjectNotFound
from flyweight.files.reader import File
from flyweight.files.scoring import settle_engine
from flyweight.formats.json import RECORD_FIELDS
from flyweight.jobs import pieces
from flyweight.jobs.blocks import WHOLE, Block, Stretch, TextBlocks, table_blocks
from flyweight.jobs.inputs import BINARY, form_of
from flyweight.jobs.writers import TableWriter, TextWriter
from flyweight.models.validation import Validator
from flyweight.predictor import OUTPUTS
from flyweight.stores import ObjectMeta, Timeouts, open_store
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from flyweight.jobs.inputs import Input
    from flyweight.stores import Store

OWN = "_flyweight"  # the folder for what is no answer; engines leave out names that begin with an underscore
TIMEOUTS = Timeouts(connect=2.0, seconds=60.0)  # for one request, whose answer has megabytes
ROWS = 8192  # of Python's values that are answered at once
DONE, KEPT, CUT, PART, FAILED = "done", "kept", "cut", "part", "failed"
FORM = 1  # of what is written; a newer form scores anew


class Job(Value):
    """What is scored how: the same options give the same answers."""

    model: str  # a path, or an address in a registry
    sha256: str  # of the model file
    output: str  # the root of the answers' store
    keep: "tuple[str, ...]" = ()
    outputs: "list[str] | None" = None
    on_error: str = RAISE
    parse_text: bool = False

    @property
    def digest(self) -> str:
        """Hash all that the answers depend on beside the file."""
        return _digest([FORM, self.sha256, self.keep, self.outputs, self.on_error, self.parse_text])


class Result(Value):
    """What became of a file or a piece: done, kept from an earlier run, cut into pieces, a part, or failed."""

    state: str
    meta: "ObjectMeta | None"
    rows: int = 0
    faults: int = 0  # rows without an answer
    begin: int = 0  # of a part: where its first row begins
    next: int = 0  # and where the row after the last one begins
    pieces: "tuple[tuple[int, int], ...]" = ()
    key: str = ""  # of a part
    error: str = ""


class RowFailed(FlyweightError):
    """A row has no answer, and the job has no column for the reason."""


class FileScorer:
    """Scores files and pieces for one job, in one process; what only scoring needs is imported with the first rows.

    :raises FlyweightError: the model can't be loaded or is refused, has no such output, or columns share a name.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.model = loading.load(job.model, job.sha256)
        limits = self.model.validator.limits._replace(unknown_features="ignore", parse_text=job.parse_text)
        self._validator = Validator(self.model.signature, limits)
        fields = [RECORD_FIELDS[OUTPUTS[position]] for position, _ in self.model.selection(job.outputs)[1]]
        self._names = [*fields, *([ERROR] if job.on_error == COLUMN else [])]
        if twice := [name for name in job.keep if name in self._names or job.keep.count(name) > 1]:
            raise WrongScorer(f"the answers would have the column {twice[0]!r} twice; keep other columns")
        self.target = open_store(job.output, TIMEOUTS)
        self._stores: dict[str, Store] = {}

    @cached_property
    def _scorer(self) -> "Scorer | None":
        """The scorer of record batches, which tells faults in a column; None without pyarrow."""
        return self._made_scorer(COLUMN)

    @cached_property
    def _strict(self) -> "Scorer | None":
        """The scorer for batches without faults, which takes less time."""
        return self._made_scorer(RAISE)

    def _made_scorer(self, on_error: str) -> "Scorer | None":
        settle_engine(0)
        try:
            import pyarrow as pa
        except ImportError:
            return None
        pa.set_cpu_count(1)  # the job has a process for each core
        return Scorer(self.job.model, outputs=self.job.outputs, on_error=on_error)

    def ready(self) -> None:
        """Import what scoring needs, while there is nothing to score."""
        if self._strict is not None:
            loading.engine_of(self.model)

    def pieces(self, one: "Input") -> int:
        """Estimate into how many pieces a file is cut, by its size alone."""
        try:
            return max(1, self._store(one).head(one.key).size // pieces.MIN_BYTES)
        except FlyweightError:
            return 1

    def begin(self, one: "Input") -> Result:
        """Score a small file, or cut a large one into pieces; a file that is done stays as it is."""
        meta = None
        try:
            meta = self._store(one).head(one.key)
            if (earlier := self._earlier(one, meta)) is not None:
                return earlier
            whole = self._stretch(one, meta, 0, WHOLE, True)
            cuts = pieces.cut(whole)
            if len(cuts) > 1:
                return Result(CUT, meta, pieces=(*cuts,))
            counts = [0, 0]
            self.target.put_stream(one.name, self._encoded(one, whole, self._answers(one, whole, counts)))
            return self.finish(one, Result(DONE, meta, counts[0], counts[1]))
        except FlyweightError as error:
            return _failed(one, meta, error)

    def piece(self, one: "Input", meta: ObjectMeta, begin: int, end: int, exact: bool) -> Result:
        """Score a piece of a file and write its part."""
        try:
            stretch = self._stretch(one, meta, begin, end, exact)
            counts, places = [0, 0], [begin, end]
            if stretch.form in BINARY:
                data = [*_packed(self._table_answers(one, stretch, counts))]
            else:
                blocks = TextBlocks(stretch, self._validator, self.job.keep, self._scorer is not None)
                writer = self._text_writer(stretch)
                if begin:
                    stretch = stretch._replace(begin=blocks.begin)
                answers = self._answered(one, stretch, blocks, counts)
                data = [writer.write(block.kept, found) for block, found in answers]
                places = [blocks.begin, blocks.next]
            key = f"{self.parts(one, meta)}/{begin}-{end}-{places[0]}-{places[1]}-{counts[0]}-{counts[1]}"
            self.target.put_stream(key, data)
            return Result(PART, meta, counts[0], counts[1], places[0], places[1], key=key)
        except FlyweightError as error:
            return _failed(one, meta, error)

    def joined(self, one: "Input", meta: ObjectMeta, parts: "Iterable[str]") -> "Iterator[bytes]":
        """Join parts, in their order, to the bytes of the answers.

        :param parts: their keys, as soon as each is there.
        """
        stretch = self._stretch(one, meta, 0, WHOLE, True)
        data = (self.target.get(key, 1 << 62)[0] for key in parts)
        if stretch.form in BINARY:
            yield from self._table_writer(stretch).write(chain.from_iterable(map(_unpacked, data)))
        else:
            yield self._text_writer(stretch).header()
            yield from data

    def finish(self, one: "Input", result: Result) -> Result:
        """Mark a file as done; its answers are written."""
        meta = result.meta
        assert meta is not None
        model = {"name": self.model.name, "version": self.model.version, "sha256": self.job.sha256}
        source = {"address": one.address, "tag": meta.tag, "bytes": meta.size}
        document = {"options": self.job.digest, "input": source, "model": model, "rows": result.rows, "faults": result.faults}
        self.target.put_stream(f"{OWN}/{one.name}.json", [strict_json.encode(document)])
        return result

    def parts(self, one: "Input", meta: ObjectMeta) -> str:
        """Name the folder for the parts of one version of a file."""
        return f"{OWN}/{one.name}.{_digest([self.job.digest, one.address, meta.tag, meta.size])[:16]}"

    def _earlier(self, one: "Input", meta: ObjectMeta) -> "Result | None":
        """Find the answers that an earlier run wrote for this version of the file, by this model and these options."""
        try:
            self.target.head(one.name)
            found = json.loads(self.target.get(f"{OWN}/{one.name}.json", 1 << 20)[0])
            if found["options"] != self.job.digest or found["input"] != {
                "address": one.address,
                "tag": meta.tag,
                "bytes": meta.size,
            }:
                return None
            return Result(KEPT, meta, found["rows"], found["faults"])
        except (ObjectNotFound, ValueError, LookupError, TypeError, RecursionError):
            return None

    def _store(self, one: "Input") -> "Store":
        if one.root not in self._stores:
            self._stores[one.root] = open_store(one.root, TIMEOUTS)
        return self._stores[one.root]

    def _stretch(self, one: "Input", meta: ObjectMeta, begin: int, end: int, exact: bool) -> Stretch:
        return Stretch(File(self._store(one), one.key, meta, lambda: None), *form_of(one.key), begin, end, exact)

    def _encoded(self, one: "Input", stretch: Stretch, answers: "Iterator[Any]") -> "Iterator[bytes]":
        """Write a whole file."""
        if stretch.form in BINARY:
            yield from self._table_writer(stretch).write(answers)
            return
        writer = self._text_writer(stretch)
        yield writer.header()
        for block, found in answers:
            yield writer.write(block.kept, found)

    def _answers(self, one: "Input", stretch: Stretch, counts: "list[int]") -> "Iterator[Any]":
        """Answer a whole file: record batches, or the blocks of a text with their answers."""
        if stretch.form in BINARY:
            return self._table_answers(one, stretch, counts)
        blocks = TextBlocks(stretch, self._validator, self.job.keep, self._scorer is not None)
        return self._answered(one, stretch, blocks, counts)

    def _table_answers(self, one: "Input", stretch: Stretch, counts: "list[int]") -> "Iterator[Any]":
        """Answer blocks of a table as record batches with the columns that are kept."""
        import pyarrow as pa

        names = [feature.name for feature in self.model.signature.features if feature.kind != "unread"]
        for block, found in self._answered(one, stretch, table_blocks(stretch, names, self.job.keep), counts):
            columns = [*block.kept, *[found.column(name) for name in self._names]]
            yield pa.RecordBatch.from_arrays(columns, names=[*self.job.keep, *self._names])

    def _answered(
        self, one: "Input", stretch: Stretch, blocks: "Iterable[Block]", counts: "list[int]"
    ) -> "Iterator[tuple[Block, Any]]":
        """Answer blocks, and count their rows and faults.

        :raises RowFailed: a row has no answer, and faults have no column.
        """
        for block in blocks:
            if not len(block.numbers):
                continue
            found: Any = self._by_arrow(block) if self._scorer is not None else self._by_rows(block)
            is_batch = hasattr(found, "num_rows")
            errors: Any = found.column(ERROR) if is_batch else [answer[ERROR] for answer in found]
            faults = len(errors) - errors.null_count if is_batch else sum([error is not None for error in errors])
            if faults and self.job.on_error == RAISE:
                self._refuse(one, stretch, block, errors.to_pylist() if is_batch else errors)
            counts[0] += len(errors)
            counts[1] += faults
            yield block, found

    def _refuse(self, one: "Input", stretch: Stretch, block: Block, errors: "list[str | None]") -> None:
        """Raise an error for the first row without an answer, by its number in the file."""
        row = next(place for place, error in enumerate(errors) if error is not None)
        number, words = block.numbers[row], "row"
        if stretch.form not in BINARY:
            words = "line"
            if stretch.begin:
                number += _lines_before(stretch)
        raise RowFailed(f"{one.address}: {words} {number:,}: {errors[row]}")

    def _by_arrow(self, block: Block) -> "Any":
        """Answer a block by the scorer, as a record batch."""
        import pyarrow as pa

        assert self._scorer is not None and self._strict is not None
        if block.table is not None:
            try:
                answers = self._strict(block.table)
            except InvalidInput:  # of a row; or of the columns, which is raised again
                return self._scorer(block.table)
            return pa.RecordBatch.from_arrays(
                [*answers.columns, pa.nulls(answers.num_rows, pa.string())], schema=self._scorer.fields()
            )
        answers = self._scorer.answers_to(block.rows)
        if not block.faults:
            return answers
        taken = integers([None if row in block.faults else row for row in range(len(block.rows))])
        reasons = [block.faults.get(row, reason) for row, reason in enumerate(answers.column(ERROR).to_pylist())]
        columns = [column.take(taken) for column in answers.columns[:-1]]
        return pa.RecordBatch.from_arrays([*columns, texts(reasons)], schema=self._scorer.fields())

    def _by_rows(self, block: Block) -> "list[dict[str, Any]]":
        """Answer a block without pyarrow."""
        empty: dict[str, Any] = dict.fromkeys([*self._names, ERROR])
        answers = [{**empty, ERROR: block.faults.get(row)} for row in range(len(block.rows))]
        names = {feature.name for feature in self._validator.features}
        given = [row for row in range(len(block.rows)) if row not in block.faults]
        instances = [{name: value for name, value in block.rows[row].items() if name in names} for row in given]
        found, faults = self.model.predict_each(instances, self.job.outputs)
        for part in found:
            fields = {RECORD_FIELDS[name]: getattr(part.prediction, name) for name in RECORD_FIELDS}
            for place, (group, _) in enumerate(part.members):
                answers[given[group]] |= {name: values[place] for name, values in fields.items() if values is not None}
        for fault in faults:
            if not fault.final:
                raise fault.error
            answers[given[fault.group]][ERROR] = str(fault.error)
        return answers

    def _text_writer(self, stretch: Stretch) -> TextWriter:
        return TextWriter(self.model, stretch.form, stretch.compression, self.job.keep, self._names)

    def _table_writer(self, stretch: Stretch) -> TableWriter:
        scorer = Scorer(self.job.model, keep=self.job.keep, outputs=self.job.outputs, on_error=self.job.on_error)
        return TableWriter(stretch, scorer.schema)


def _failed(one: "Input", meta: "ObjectMeta | None", error: FlyweightError) -> Result:
    words = str(error) if isinstance(error, RowFailed) else f"{one.address}: {error}"
    return Result(FAILED, meta, error=words)


def _lines_before(stretch: Stretch) -> int:
    """Count the lines before a stretch."""
    left, count = stretch.begin, 0
    for chunk in stretch.chunks(0):
        count += chunk.count(b"\n", 0, left)
        left -= len(chunk)
        if left <= 0:
            break
    return count


def _packed(batches: "Iterable[Any]") -> "Iterator[bytes]":
    """Write record batches as a stream of Arrow."""
    import pyarrow as pa

    sink, writer = pa.BufferOutputStream(), None
    for batch in batches:
        writer = writer or pa.ipc.new_stream(sink, batch.schema)
        writer.write_batch(batch)
    if writer is not None:
        writer.close()
        yield bytes(sink.getvalue())


def _unpacked(data: bytes) -> "Iterator[Any]":
    """Read record batches of a stream of Arrow."""
    import pyarrow as pa

    if data:
        yield from pa.ipc.open_stream(data)


def _digest(parts: "Any") -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()
