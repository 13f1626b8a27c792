"""Map lines of a split to answers, as Hadoop streaming's mapper: standard input to standard output.

https://hadoop.apache.org/docs/stable/hadoop-streaming/HadoopStreaming.html
"""

import csv
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError

import hadoop_rows

from flyweight import predictor, strict_json
from flyweight.engines import BATCH
from flyweight.errors import INPUT_ERRORS, FlyweightError
from flyweight.files.lines import Lines, as_text
from flyweight.formats.json import record_columns
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.settings import ADDRESS_FILE, Caching, Settings, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any, BinaryIO, TextIO

USAGE, NO_MODEL, TOO_MANY_FAULTS = 2, 3, 4  # exit statuses, beside 0
MODEL = "model.safetensors"
# A block is too small for NumPy, whose last digits depend on the size of a batch: no answer depends on where a split was cut.
BLOCK = BATCH - 1
REPORTED = 1000  # rows, after which counters are reported
CHUNK = 1 << 18  # bytes read at a time
BLOCK_BYTES = 1 << 20
SHOWN = 200  # characters of a bad row in the log


class TooManyFaults(Exception):
    """More rows have failed than the options permit."""


class Counters:
    """The counters of the job, which Hadoop adds up over all tasks."""

    NAMES = ("rows", "answered", "failed")

    def __init__(self, log: "TextIO") -> None:
        self._log = log
        self.rows = self.answered = self.failed = 0
        self._told = {name: 0 for name in self.NAMES}

    def report(self) -> None:
        """Tell Hadoop how much the counters have grown, and the state of the task."""
        for name in self.NAMES:
            grown = getattr(self, name) - self._told[name]
            if grown:
                self._log.write(f"reporter:counter:flyweight,{name},{grown}\n")
                self._told[name] += grown
        self._log.write(f"reporter:status:flyweight: {self.rows} rows, {self.failed} failed\n")
        self._log.flush()


class Mapper:
    """Answers the rows of one split, block by block."""

    def __init__(self, model: Predictor, options: "Namespace", out: "BinaryIO", log: "TextIO") -> None:
        """Choose how lines are read.

        :raises InvalidInput: the options do not fit the model.
        """
        self._model, self._options, self._out, self._log = model, options, out, log
        self._separator = variable("stream_map_output_field_separator") or "\t"
        self._read = hadoop_rows.reader(options.format, options.columns, options.key, self._separator, model.validator)
        model.selection(options.outputs)
        self.counters = Counters(log)

    def run(self, source: "BinaryIO") -> None:
        """Answer all lines.

        :raises TooManyFaults: too many rows have failed; what was answered is written, and Hadoop drops it with the task.
        """
        lines = Lines(iter(lambda: source.read(CHUNK), b""), {})
        after = REPORTED
        while block := lines.take(BLOCK, BLOCK_BYTES):
            self._answer([line for line in block if line and not line.isspace()])
            if self.counters.rows >= after:
                self.counters.report()
                after = self.counters.rows + REPORTED
        self._out.flush()
        self.counters.report()
        rows, failed = self.counters.rows, self.counters.failed
        if failed > self._options.max_error_rate * rows:
            words = f"{failed} of {rows} rows failed, more than --max-error-rate {self._options.max_error_rate:g}"
            raise TooManyFaults(f"{words}: see the lines above, or the field `error` of the answers of other tasks")

    def _answer(self, lines: "list[bytes]") -> None:
        """Answer a block of lines, in their order.

        :raises TooManyFaults: a row failed, and none may.
        :raises Exception: the model is to blame.
        """
        keys: list[list[str]] = [[""] * len(self._options.key)] * len(lines)
        answers: list[dict[str, Any] | None] = [None] * len(lines)
        instances, places = [], []
        errors: dict[int, Exception] = {}
        for place, line in enumerate(lines):
            try:
                keys[place], instance = self._read(line)
            except INPUT_ERRORS as error:
                errors[place] = error
            else:
                instances.append(instance)
                places.append(place)
        groups, faults = self._model.predict_each(instances, self._options.outputs)
        for group in groups:
            columns = record_columns(group.prediction)
            for row, (number, _) in enumerate(group.members):
                answers[places[number]] = {name: values[row] for name, values in columns}
        for fault in faults:
            if not fault.final:
                raise fault.error
            errors[places[fault.group]] = fault.error
        for place, answer in enumerate(answers):
            if answer is not None:
                self._write(keys[place], answer)
            else:
                self._fail(keys[place], errors[place], lines[place])
        self.counters.rows += len(lines)
        self.counters.answered += len(lines) - len(errors)

    def _fail(self, key: "list[str]", error: Exception, line: bytes) -> None:
        """Tell of a row that has no answer, as the options say.

        :raises TooManyFaults: they say that there must be none.
        """
        self.counters.failed += 1
        reason = str(error) if isinstance(error, FlyweightError) else f"{type(error).__name__}: {error}"
        reason = reason.removeprefix("instance 0, ") if reason.startswith("instance ") else reason
        if self._options.on_error == "column":
            self._write(key, {"prediction": None, "error": reason})
            return
        shown = as_text(line)[:SHOWN]
        self._log.write(f"flyweight: a row failed: {reason}: {shown!r}\n")
        if self._options.on_error == "raise":
            raise TooManyFaults("a row failed, and --on-error is raise")

    def _write(self, key: "list[str]", answer: "dict[str, Any]") -> None:
        begin = "".join([field + self._separator for field in key])
        self._out.write(begin.encode() + strict_json.encode(answer) + b"\n")


def run(arguments: "list[str]") -> int:
    """Run the mapper.

    :returns: its exit status: 0, or USAGE, NO_MODEL or TOO_MANY_FAULTS.
    """
    options = _options(arguments)
    try:
        model = _loaded(options.model)
    except (FlyweightError, OSError) as error:
        return _complain(NO_MODEL, f"the model can't be loaded: {error}")
    try:
        mapper = Mapper(model, options, sys.stdout.buffer, sys.stderr)
    except FlyweightError as error:
        return _complain(USAGE, f"the options do not fit the model: {error}")
    try:
        mapper.run(sys.stdin.buffer)
    except TooManyFaults as error:
        return _complain(TOO_MANY_FAULTS, str(error))
    return 0


def _complain(status: int, message: str) -> int:
    sys.stderr.write(f"flyweight: {message}\n")
    return status


def _loaded(path: str) -> Predictor:
    """Load the model at a path or an address.

    :param path: "" for the one that FLYWEIGHT_MODEL names, or else the one in the same archive or folder as this module.
    :raises FlyweightError: it fails a check, or its store can't be read.
    :raises OSError: it can't be read.
    """
    path = path or variable("FLYWEIGHT_MODEL")
    if not path:
        try:
            return Predictor(model_file.parse(_beside(MODEL)), predictor.UNLIMITED)
        except FileNotFoundError:
            path = _beside(ADDRESS_FILE).decode().strip()
    if "://" not in path:
        return predictor.load(path)
    from flyweight.serving.sources import ModelSource

    settings = Settings(path, limits=predictor.UNLIMITED, caching=Caching(cache_dir="off"))
    found: Predictor = ModelSource(settings).load(path, {}).predictor
    return found


def _beside(name: str) -> bytes:
    """Read a file in the same archive or folder as this module.

    :raises OSError: none exists.
    """
    place = os.path.join(os.path.dirname(__file__), name)
    loader: Any = globals()["__loader__"]
    try:
        data: bytes = loader.get_data(place)
    except FileNotFoundError:
        raise
    except OSError:  # of a zip
        raise FileNotFoundError(f"{name} is not in the mapper's file") from None
    return data


def _options(arguments: "list[str]") -> "Namespace":
    """Read the options.

    :raises SystemExit: with USAGE, they have no meaning.
    """
    parser = ArgumentParser(prog="mapper.pyz", description="Answer the rows of standard input on standard output.")
    add = parser.add_argument
    add("--format", choices=hadoop_rows.FORMATS, default="jsonl", help="of a line; CSV and TSV have no header")
    add("--columns", type=_names, default=[], help="of a line of CSV or TSV, in their order: id,island,bill_length_mm")
    add("--key", type=_names, default=[], help="fields that come before the answer: id")
    add("--outputs", type=_names, default=None, help="of the model, such as predictions,probabilities")
    add("--on-error", choices=("column", "log", "raise"), default="column", help="a row that fails: a field `error`, a log line")
    add("--max-error-rate", type=_rate, default=0.5, help="the share of a split's rows that may fail")
    add("--model", default="", help="a file or an address; by default the model in this archive")
    options = parser.parse_args(arguments)
    if options.format != "jsonl" and not options.columns:
        parser.error(f"--format {options.format} needs --columns")
    return options


def _names(text: str) -> "list[str]":
    return next(csv.reader([text]), [])


def _rate(text: str) -> float:
    rate = float(text)
    if not 0.0 <= rate <= 1.0:
        raise ArgumentTypeError("expected a share from 0 to 1")
    return rate
