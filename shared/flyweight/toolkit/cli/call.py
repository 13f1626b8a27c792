"""`flyweight call`: send the rows of a CSV file to a deployed endpoint and write its predictions."""

from __future__ import annotations

import csv
import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from flyweight.toolkit.cli import _show, _wording
from flyweight.toolkit.deploying import authorization
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.toolkit.deploying.calls import Answers, Rejected
    from flyweight.toolkit.deploying.endpoint import Endpoint

SHOWN = 5
AUTH = click.Choice(authorization.names())

EXAMPLES = """\b
Examples:
  flyweight call https://abc123.execute-api.eu-west-1.amazonaws.com
  flyweight call https://abc123.execute-api.eu-west-1.amazonaws.com rows.csv -o answers.csv
  flyweight call https://penguins-1234.europe-west1.run.app rows.csv --concurrency 16
  FLYWEIGHT_KEY=... flyweight call https://penguins.azurewebsites.net rows.csv --json
  flyweight call http://127.0.0.1:8080 --protocol open_inference
"""


@click.command(epilog=EXAMPLES)
@click.argument("url")
@click.argument("rows", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True), required=False)
@click.option(
    "-o",
    "--out",
    default="-",
    type=click.File("w", encoding="utf-8", lazy=True),
    help="The file to write.  [default: standard output]",
)
@click.option(
    "--rejected", type=click.Path(path_type=Path), help="Write rejected rows with their problem documents to this file (NDJSON)."
)
@click.option(
    "--auth",
    default="auto",
    type=click.Choice(authorization.names()),
    help="The authorization of the calls.  [default: chosen by the host]",
)
@click.option("--key", envvar="FLYWEIGHT_KEY", default="", hidden=True)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, exists=True),
    help="A file that contains the key or token, instead of FLYWEIGHT_KEY.",
)
@click.option("--region", default="", help="The region to sign for, if the host name does not contain it.")
@click.option("--resource", default="", help="The Entra ID application to request a token for.")
@click.option(
    "--unknown",
    type=click.Choice(["error", "ignore"]),
    help="What to do with columns that the model does not have.  [default: as the model file says, else error]",
)
@click.option("--batch", default=500, show_default=True, type=click.IntRange(1), help="Rows per request.")
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 256), help="Concurrent requests.")
@click.option("--retries", default=5, show_default=True, type=click.IntRange(0, 20), help="Maximum retries per request.")
@click.option("--timeout", default=30.0, show_default=True, type=click.FloatRange(0.1), help="Seconds to wait for an answer.")
@click.option(
    "--protocol", default="", help="Ask in the words of this protocol, and write its own answers: one JSON document a batch."
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write one JSON object per row instead of CSV; with --protocol one per request, which it holds.",
)
def command(
    url: str, rows: Path | None, out: TextIO, rejected: Path | None, auth: str, key: str, key_file: Path | None, region: str,
    resource: str, unknown: str | None, batch: int, concurrency: int, retries: int, timeout: float, protocol: str, as_json: bool,
) -> None:  # fmt: skip
    """Send CSV rows to the endpoint at URL and write its predictions.

    ROWS is a CSV file, or - for standard input; without it, the rows of the model's own sample are sent. Rows are sent in
    batches and answered in order. Throttled, failed and broken requests are retried, with a delay that doubles. A rejected row
    leaves an empty line in the output; the reason is printed at the end, and the exit status is 1.

    With --protocol the rows, or the first one of the sample, are sent as that protocol's own clients send them.
    """
    from flyweight.toolkit.deploying.calls import Caller
    from flyweight.toolkit.deploying.endpoint import Endpoint
    from flyweight.toolkit.events import instances

    key = key_file.read_text(encoding="utf-8").strip() if key_file else key
    if protocol:
        _wording.find(protocol)
    authorize = authorization.chosen(auth, url, key, region, resource)
    endpoint = Endpoint(url, authorize, retries=retries, timeout=timeout, threads=concurrency)
    size = rows.stat().st_size if rows and str(rows) != "-" else 0
    with _opened(rows) as file, _show.progress(out.name != "<stdout>") as progress:
        model = _model(endpoint)
        at = array("Q")  # the line of the file that each row begins at
        header, lines = _table(file, model, unknown, at) if rows else instances.table(model, most=1 if protocol else batch)
        if protocol:
            for exchange in _wording.ask(endpoint, protocol, model, header, lines, batch):
                _wording.write(exchange, out, as_json)
            return endpoint.close()
        sink = _Sink(out, as_json, model["signature"].get("classes") or [], at)
        for answers in Caller(endpoint, header).answers(lines, batch, concurrency):
            sink.write(answers)
            progress("calling", file.buffer.tell() if size else sink.rows, size)
    endpoint.close()
    sink.report(rejected)


class _Sink:
    """Writes answers, and collects rejected rows and counts for the summary."""

    def __init__(self, out: TextIO, as_json: bool, classes: list[list[Any]], at: Sequence[int]) -> None:
        self._out, self._as_json, self._at = out, as_json, at
        self._labels = {
            name: {str(label): label for label in labels}
            for output, labels in enumerate(classes)
            for name in ([f"prediction_{output}"] if len(classes) > 1 else ["prediction"])
        }
        self._header: list[str] = []
        self._late = 0  # rows rejected before the first answer, when the header is not known yet
        self.rejected: list[Rejected] = []
        self.rows = self.requests = self.tries = 0

    def write(self, answers: Answers) -> None:
        reasons = {one.row: one.problem for one in answers.rejected}
        if not self._header and answers.header:
            self._header = answers.header
            self._head()
        for line in answers.lines:
            if self._as_json:
                answered = self._values(line) if line else {"problem": reasons[self.rows]}
                self._out.write(json.dumps({"row": self.rows, **answered}, ensure_ascii=False) + "\n")
            elif self._header:
                csv.writer(self._out, lineterminator="\n").writerow(line or [""] * len(self._header))
            else:
                self._late += 1
            self.rows += 1
        self.rejected += answers.rejected
        self.requests, self.tries = self.requests + answers.requests, self.tries + answers.tries

    def report(self, path: Path | None) -> None:
        """Print the summary, write the rejected rows, and set the exit status.

        :raises Exit: some rows were rejected.
        """
        again = f", {self.tries - self.requests} retries" if self.tries > self.requests else ""
        click.echo(f"{self.rows - len(self.rejected)} of {self.rows} rows answered, {self.requests} requests{again}", err=True)
        for one in self.rejected[:SHOWN]:
            where = f"line {self._at[one.row]}" if self._at else f"row {one.row} of the sample"
            click.echo(f"{where}: {one.problem.get('detail') or one.problem.get('title')}", err=True)
        if len(self.rejected) > SHOWN:
            click.echo(f"and {len(self.rejected) - SHOWN} more; --rejected FILE writes all of them", err=True)
        if path is not None:
            lines = [{**self._place(one.row), "values": list(one.values), "problem": one.problem} for one in self.rejected]
            path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        if self.rejected:
            raise click.exceptions.Exit(1)

    def _place(self, row: int) -> dict[str, int]:
        """Say where a row is: its number from 0, and its line in the file from 1."""
        return {"row": row, **({"line": self._at[row]} if self._at else {})}

    def _values(self, line: list[str]) -> dict[str, Any]:
        """Convert the cells of an answer to JSON values: labels to what they are in the model, others to numbers."""
        pairs = zip(self._header, line, strict=True)
        return {name: self._labels[name].get(text, text) if name in self._labels else _number(text) for name, text in pairs}

    def _head(self) -> None:
        if not self._as_json:
            writer = csv.writer(self._out, lineterminator="\n")
            writer.writerows([self._header, *[[""] * len(self._header)] * self._late])


def _model(endpoint: Endpoint) -> dict[str, Any]:
    """Ask the endpoint for the document of its model.

    :raises DeployFailed: the endpoint does not return it.
    """
    from flyweight.toolkit.deploying.calls import refusal

    reply = endpoint.ask("GET", "/model")
    if reply.status != 200 or not reply.problem.get("signature", {}).get("features"):
        raise refusal(endpoint.url, reply)
    return reply.problem


def _table(file: TextIO, model: dict[str, Any], unknown: str | None, at: array[int]) -> tuple[list[str], Iterable[list[str]]]:
    """Read the columns of the model's features from a CSV file, as header and rows.

    :param at: gets the line of the file at which each row begins, from 1.
    :param unknown: "error" or "ignore" for columns that the model does not have, None for what the model file says.
    :raises ToolkitError: a column is missing or unknown, or the text is not CSV.
    """
    reader = csv.reader(file, strict=True)
    names = [name.strip() for name in next(reader, [])]
    described = model["signature"]["features"]
    features = [feature["name"] for feature in described if feature["kind"] != "unread" or feature["name"] in names]
    absent = [name for name in features if name not in names]
    if absent:
        needed = ", ".join(map(repr, absent[:5]))
        step = f"give a file whose header names them: {','.join(features[:20])}{',...' if len(features) > 20 else ''}"
        raise ToolkitError(f"the CSV header has no column {needed}, which the model needs", step)
    known = {feature["name"] for feature in described}
    strangers = [name for name in names if name not in known]
    if strangers and (unknown or model["signature"].get("unknown", "error")) == "error":
        listed = ", ".join(map(repr, strangers[:5]))
        raise ToolkitError(f"the model has no feature {listed}, but the CSV header does", "remove them, or add --unknown ignore")
    places = [names.index(name) for name in features]

    def rows() -> Iterator[list[str]]:
        begin = reader.line_num + 1
        try:
            for line in reader:
                here, begin = begin, reader.line_num + 1
                if not line:
                    continue
                if len(line) != len(names):
                    raise ToolkitError(f"line {here} has {len(line)} values, the CSV header has {len(names)}")
                at.append(here)
                yield [line[place] for place in places]
        except csv.Error as error:
            raise ToolkitError(f"line {reader.line_num}: not CSV: {error}") from None

    return features, rows()


def _opened(rows: Path | None) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdin) if rows is None or str(rows) == "-" else open(rows, encoding="utf-8-sig", newline="")


def _number(text: str) -> Any:
    """Convert a cell to a number, if it is the text of one; None for an empty cell."""
    try:
        return float(text) if text else None
    except ValueError:
        return text
