"""Score a table with Spark, and write the answers: a job for spark-submit."""

import sys
from time import perf_counter

from pyspark.sql import Observation, SparkSession
from spark_options import model_of, parser, reading, report, schema, scored, words


def main() -> None:
    """Run the job: read, score, write, and report how many rows there were, and how many failed."""
    options = parser(str(__doc__)).parse_args(words(sys.argv[1:]))
    began = perf_counter()
    session = SparkSession.builder.appName("flyweight").getOrCreate()
    model, observation = model_of(options.model), Observation("scored")
    table = reading(session.read, options, schema(session, options, model)).load(options.input)
    answers = scored(table, options, model, observation)
    answers.write.mode("overwrite").format(options.output_format or options.format).save(options.output)
    report(**observation.get, seconds=round(perf_counter() - began, 3), output=options.output)


if __name__ == "__main__":
    main()
