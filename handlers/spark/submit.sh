#!/bin/sh
# Scores a table with Spark, here or on any cluster that spark-submit knows:
#
#   sh submit.sh --input PATH --output PATH [options of spark_job.py]
#
# SPARK_OPTIONS  words for spark-submit  such as "--master spark://HOST:7077" or "--master yarn --deploy-mode cluster"
# JOB            the job                 spark_job.py; spark_stream.py scores files as they arrive
set -euf

here=$(cd "$(dirname "$0")" && pwd)
for name in model.safetensors model.address; do
  if [ -f "$here/$name" ]; then
    files=$here/$name
  fi
done
if ! command -v spark-submit >/dev/null; then
  echo 'spark-submit is not installed, or not on PATH: pip install "pyspark[sql]" brings one; it needs Java too' >&2
  exit 127
fi
# word splitting is meant
# shellcheck disable=SC2086
exec spark-submit ${SPARK_OPTIONS:-} --py-files "$here/flyweight.zip" --files "$files" "$here/${JOB:-spark_job.py}" "$@"
