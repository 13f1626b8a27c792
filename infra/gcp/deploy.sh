#!/usr/bin/env bash
# Deploys a folder that `flyweight build gcp` made as a Cloud Run function.
#
#   infra/gcp/deploy.sh [--dry-run] [any other flag of `gcloud run deploy`]
#
# --dry-run prints the command and runs nothing. These variables change the defaults:
#
#   NAME             the function's name                        flyweight
#   SOURCE           the built folder                           build/gcp
#   PROJECT          the project                                gcloud's own setting
#   REGION           the region                                 europe-west1
#   PUBLIC           true lets anyone call it                   false
#   SERVICE_ACCOUNT  the identity it runs as; it needs no role  the project's default, which may do far more
#   MEMORY, CPU      what an instance has                       512Mi, 1
#   CONCURRENCY      requests at once in one instance           16 (functions-framework answers in 4 threads a CPU)
#   MIN_INSTANCES    kept warm, and paid for                    0
#   MAX_INSTANCES    the most there may be                      10
#   TIMEOUT          of a request                               30s
#   SETTINGS         flyweight's own, as A=1,B=2                none
#
# Why `gcloud run deploy --function` and not `gcloud functions deploy`: both build the same image and run it on Cloud Run,
# but only the first can give a starting instance more CPU (--cpu-boost), and cold starts are the point here.
set -euo pipefail

: "${NAME:=flyweight}" "${SOURCE:=build/gcp}" "${PROJECT:=}" "${REGION:=europe-west1}" "${PUBLIC:=false}"
: "${SERVICE_ACCOUNT:=}" "${MEMORY:=512Mi}" "${CPU:=1}" "${CONCURRENCY:=16}" "${MIN_INSTANCES:=0}" "${MAX_INSTANCES:=10}"
: "${TIMEOUT:=30s}" "${SETTINGS:=}"

fail() {
  printf 'deploy.sh: %s\n' "$1" >&2
  exit 2
}

dry_run=false
if [ "${1:-}" = --dry-run ]; then
  dry_run=true
  shift
fi

case $PUBLIC in
  true) access=--allow-unauthenticated ;;
  false) access=--no-allow-unauthenticated ;;
  *) fail "PUBLIC should be true or false, got '$PUBLIC'" ;;
esac

command=(
  gcloud run deploy "$NAME"
  "--source=$SOURCE"
  --function=predict
  --base-image=python313
  "--region=$REGION"
  "$access"
  "--memory=$MEMORY"
  "--cpu=$CPU"
  --cpu-boost
  "--concurrency=$CONCURRENCY"
  "--min=$MIN_INSTANCES"
  "--max-instances=$MAX_INSTANCES"
  "--timeout=$TIMEOUT"
  # Google's build compiles the source again, by default to bytecode that names the source's time; the image then resets
  # all times, and each cold start would compile anew. With this variable compileall writes bytecode that names a hash.
  --set-build-env-vars=SOURCE_DATE_EPOCH=315619200
)
if [ -n "$PROJECT" ]; then command+=("--project=$PROJECT"); fi
if [ -n "$SERVICE_ACCOUNT" ]; then command+=("--service-account=$SERVICE_ACCOUNT"); fi
if [ -n "$SETTINGS" ]; then command+=("--set-env-vars=$SETTINGS"); fi
command+=("$@")

if $dry_run; then
  printf '%q ' "${command[@]}"
  printf '\n'
  exit 0
fi
if [ ! -f "$SOURCE/main.py" ] || [ ! -f "$SOURCE/flyweight.json" ]; then
  fail "'$SOURCE' is not a built folder; run: flyweight build gcp --model FILE -o $SOURCE"
fi
exec "${command[@]}"
