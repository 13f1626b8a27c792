#!/usr/bin/env bash
# Submits the mapper to Hadoop streaming, as a job without reducers; --dry-run prints the command instead.
#
#   INPUT='/birds/*.jsonl' OUTPUT=/answers bash submit.sh --key id
#
# Options are the mapper's; `python3 mapper.pyz --help` lists them. Variables:
#   INPUT, OUTPUT   paths in HDFS; OUTPUT must not exist
#   MAPPER          the file that the nodes fetch once and keep in their cache: the one beside this script, which Hadoop uploads
#                   for each job, or the address of one that is in HDFS already: hdfs:///apps/flyweight/penguins/RELEASE/mapper.pyz
#   PYTHON          on the nodes, 3.11 or newer: python3
#   ARCHIVES        archives to unpack on the nodes, such as a Python of your own: hdfs:///apps/python.tar.gz#py, PYTHON=py/bin/python3
#   NAME            of the job, and its tag in YARN
#   SETTINGS        further options of Hadoop: -D mapreduce.map.memory.mb=512
#   STREAMING_JAR   for `hadoop jar`, where `mapred streaming` is not what you want
set -euo pipefail

dry_run=
if [ "${1:-}" = --dry-run ]; then
  dry_run=yes
  shift
fi
: "${INPUT:?set INPUT, the path of the rows in HDFS}" "${OUTPUT:?set OUTPUT, a path in HDFS that does not exist yet}"
folder=$(cd "$(dirname "$0")" && pwd)
file=${MAPPER:-$folder/mapper.pyz}
name=${NAME:-flyweight}

# Streaming splits the command of a mapper at blanks, and reads quotes
# https://hadoop.apache.org/docs/stable/hadoop-streaming/HadoopStreaming.html
mapper="${PYTHON:-python3} mapper.pyz"
for word in "$@"; do
  case $word in
    *[\"\'\\]*) echo "an option has a quote or \\ in it: $word" >&2 && exit 2 ;;
    *[[:blank:]]* | '') mapper+=" \"$word\"" ;;
    *) mapper+=" $word" ;;
  esac
done

command=(mapred streaming)
[ -z "${STREAMING_JAR:-}" ] || command=(hadoop jar "$STREAMING_JAR")
archives=()
[ -z "${ARCHIVES:-}" ] || archives=(-archives "$ARCHIVES")
read -ra settings <<<"${SETTINGS:-}"
command+=(
  -D "mapreduce.job.name=$name" -D "mapreduce.job.tags=$name" -D mapreduce.job.reduces=0
  "${settings[@]}"
  -files "$file#mapper.pyz" "${archives[@]}"
  -input "$INPUT" -output "$OUTPUT" -mapper "$mapper"
)
if [ -n "$dry_run" ]; then
  printf '%q ' "${command[@]}"
  echo
elif ! command -v "${command[0]}" >/dev/null; then
  echo "${command[0]} is not installed, or not on PATH: run this where Hadoop is, with its folder bin in PATH; --dry-run prints the command" >&2
  exit 127
else
  exec "${command[@]}"
fi
