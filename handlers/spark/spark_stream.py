"""Score files as they arrive with Spark's structured streaming: a job for spark-submit. Each batch has a folder of its own."""

import sys
from typing import Any

from pyspark.sql import SparkSession
from spark_options import model_of, parser, reading, report, schema, scored, words

import flyweight

NAME, PAUSE = "scored", 10  # of the observation; seconds between reports


def follow(query: Any) -> None:
    """Report each batch's rows, and how many of them failed, until the query ends; an error of the query is the job's own."""
    last, ended = -1, False
    while not ended:
        ended = query.awaitTermination(PAUSE)
        for progress in query.recentProgress:
            if progress.batchId > last and progress.numInputRows and NAME in progress.observedMetrics:
                last = progress.batchId
                report(batch=last, **progress.observedMetrics[NAME].asDict())


def main() -> None:
    """Run the job until it is ended, or with `--once` until all files that are there have been scored."""
    made = parser(str(__doc__))
    made.add_argument("--checkpoint", required=True, help="The path where Spark notes which files were scored.")
    made.add_argument("--once", action="store_true", help="End when all files that are there have been scored.")
    made.add_argument("--every", default="1 minute", help="How often new files are looked for.")
    made.add_argument("--files-at-once", type=int, default=100, help="The most files of one batch.")
    options = made.parse_args(words(sys.argv[1:]))
    session = SparkSession.builder.appName("flyweight").getOrCreate()
    model = model_of(options.model)
    reader = session.readStream.option("maxFilesPerTrigger", options.files_at_once)
    table = reading(reader, options, schema(session, options, model)).load(options.input)
    answers = scored(table, options, model, NAME)
    when: dict[str, Any] = {"availableNow": True} if options.once else {"processingTime": options.every}
    writer = answers.writeStream.option("checkpointLocation", options.checkpoint).trigger(**when)
    form = options.output_format or options.format
    follow(writer.foreachBatch(flyweight.spark.into(options.output, form)).start())


if __name__ == "__main__":
    main()
