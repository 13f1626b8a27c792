#!/usr/bin/env bash
# Deploys a folder that `flyweight build gcp` made as a Cloud Run function, and what stands around it where that is asked for.
#
#   infra/gcp/deploy.sh [--dry-run] [any other flag of `gcloud run deploy`]
#   infra/gcp/deploy.sh [--dry-run] --destroy
#
# --dry-run prints the commands and runs nothing. --destroy removes the function, its triggers and the identities that were made
# for them, by NAME, PROJECT and REGION, and the mapping of DOMAIN if that is given again; what is the project's own stays:
# buckets, topics, images, the metric, its alert, a budget. infra/cloudrun/deploy.sh runs it with --server, for a folder that
# `flyweight build cloudrun` made.
# These variables change the defaults:
#
#   NAME             the function's name                        flyweight
#   SOURCE           the built folder                           build/gcp
#   PROJECT          the project                                gcloud's own setting
#   REGION           the region                                 europe-west1
#   PUBLIC           true lets anyone call it                   false
#   SERVICE_ACCOUNT  the identity it runs as; it needs no role  the project's default, which may do far more
#   PYTHON           of the base image                          the one that the folder was built for
#   MEMORY, CPU      what an instance has                       512Mi, 1
#   CONCURRENCY      requests at once in one instance           16 (functions-framework answers in 4 threads a CPU)
#   MIN_INSTANCES    kept warm, and paid for                    0
#   MAX_INSTANCES    the most there may be                      10
#   TIMEOUT          of a request                               30s
#   SETTINGS         flyweight's own, as A=1,B=2; no secrets    none
#   CORS_ORIGINS     pages whose scripts may call, as https://shop.example,https://www.shop.example: FLYWEIGHT_CORS_ORIGINS
#   CORS_HEADERS, CORS_CREDENTIALS, CORS_MAX_AGE  the settings of these names, with CORS_ORIGINS. A browser asks first whether it
#                    may, without credentials: Cloud Run passes that on with PUBLIC=true only, or a gateway before it answers
#   NETWORK, SUBNET  of a VPC that the function reaches         none
#   VPC_EGRESS       what goes through it                       private-ranges-only; all-traffic
#   KMS_KEY          projects/P/locations/L/keyRings/R/cryptoKeys/K, by which image and disk are encrypted
#   LABELS           of the service, as team=ml,stage=prod      none
#
# Each of these adds something, and is off unless set; all of them need PROJECT, and the right to give rights:
#
#   OWN_ACCOUNT      true: an identity named like the function, with no right but those that follow
#   MODEL            gs:// address of the model: FLYWEIGHT_MODEL, and reading what lies there and nothing else
#   RESULTS          pubsub://PROJECT/TOPIC or gs://BUCKET/PREFIX: FLYWEIGHT_RESULTS, and writing there
#   DEAD_LETTERS     the same for FLYWEIGHT_DEAD_LETTERS
#   OUTPUT           gs://BUCKET/PREFIX of the answers to files, in a bucket of their own: FLYWEIGHT_OUTPUT, and writing there
#   DOMAIN           a domain of your own, verified for the account; Google makes its certificate. Not in every region
#   INVOKERS         who may call it, as user:ada@example.com,group:team@example.com
#   TRIGGER_TOPIC    a Pub/Sub topic whose messages are sent to it
#   TRIGGER_BUCKET   a bucket in the same region whose finished objects it is told of, and reads; without OUTPUT it writes there
#   ALERT_CHANNEL    projects/PROJECT/notificationChannels/ID, told when flyweight logs errors
#   BUDGET           a month's spending of the project, as 20EUR, whose approach BILLING_ACCOUNT's owners are told of
#
# Why `gcloud run deploy --function` and not `gcloud functions deploy`: both build the same image and run it on Cloud Run,
# but only the first can give a starting instance more CPU (--cpu-boost), and cold starts are the point here.
set -euo pipefail

: "${NAME:=flyweight}" "${SOURCE:=build/gcp}" "${PROJECT:=}" "${REGION:=europe-west1}" "${PUBLIC:=false}" "${PYTHON:=}"
: "${SERVICE_ACCOUNT:=}" "${MEMORY:=512Mi}" "${CPU:=1}" "${CONCURRENCY:=16}" "${MIN_INSTANCES:=0}" "${MAX_INSTANCES:=10}"
: "${TIMEOUT:=30s}" "${SETTINGS:=}" "${OWN_ACCOUNT:=false}" "${MODEL:=}" "${RESULTS:=}" "${DEAD_LETTERS:=}" "${INVOKERS:=}"
: "${OUTPUT:=}" "${TRIGGER_TOPIC:=}" "${TRIGGER_BUCKET:=}" "${ALERT_CHANNEL:=}" "${BUDGET:=}" "${BILLING_ACCOUNT:=}"
: "${CORS_ORIGINS:=}" "${CORS_HEADERS:=}" "${CORS_CREDENTIALS:=}" "${CORS_MAX_AGE:=}" "${NETWORK:=}" "${SUBNET:=}" "${VPC_EGRESS:=}"
: "${KMS_KEY:=}" "${LABELS:=}" "${DOMAIN:=}"
folder=$(dirname "${BASH_SOURCE[0]}")
if [ -z "$PYTHON" ]; then PYTHON=$(sed -n 's/^ *"runtime": *"\([0-9.]*\)".*/\1/p' "$SOURCE/flyweight.json" 2>/dev/null || true); fi
: "${PYTHON:=3.13}"

fail() {
  printf 'deploy.sh: %s\n' "$1" >&2
  exit 2
}

run() {
  if $dry_run; then
    printf '%q ' "$@"
    printf '\n'
  else
    "$@"
  fi
}

# once QUESTION... -- COMMAND...: runs the command unless the question is answered; a dry run asks nothing
once() { asked false "$@"; }

# if_there QUESTION... -- COMMAND...: runs the command if the question is answered; a dry run asks nothing
if_there() { asked true "$@"; }

asked() {
  local wanted=$1 answered=false question=()
  shift
  while [ "$1" != -- ]; do
    question+=("$1")
    shift
  done
  shift
  if ! $dry_run && "${question[@]}" 2>/dev/null | grep -q .; then answered=true; fi
  if $dry_run || [ "$answered" = "$wanted" ]; then run "$@"; fi
}

destroy() {
  local suffix id of="--project=$PROJECT"
  if [ -z "$PROJECT" ]; then # without it nothing stands around the function
    run gcloud run services delete "$NAME" "--region=$REGION" --quiet
    return
  fi
  if [ -n "$DOMAIN" ]; then
    if_there gcloud beta run domain-mappings describe "--domain=$DOMAIN" "$of" "--region=$REGION" \
      '--format=value(metadata.name)' -- \
      gcloud beta run domain-mappings delete "--domain=$DOMAIN" "$of" "--region=$REGION" --quiet
  fi
  for suffix in topic bucket; do
    if_there gcloud eventarc triggers describe "$NAME-$suffix" "$of" "--location=$REGION" '--format=value(name)' -- \
      gcloud eventarc triggers delete "$NAME-$suffix" "$of" "--location=$REGION" --quiet
  done
  run gcloud run services delete "$NAME" "$of" "--region=$REGION" --quiet
  for id in "$NAME-trigger" "$NAME"; do # those that this script made say so in their names
    if_there gcloud iam service-accounts list "$of" '--format=value(email)' \
      "--filter=email=$id@$PROJECT.iam.gserviceaccount.com AND displayName:('what $NAME runs as' OR 'what calls $NAME')" -- \
      gcloud iam service-accounts delete "$id@$PROJECT.iam.gserviceaccount.com" "$of" --quiet
  done
}

account() { # ID DESCRIPTION: its address is ID@PROJECT.iam.gserviceaccount.com
  once gcloud iam service-accounts describe "$1@$PROJECT.iam.gserviceaccount.com" "--project=$PROJECT" '--format=value(email)' -- \
    gcloud iam service-accounts create "$1" "--project=$PROJECT" "--display-name=$2"
}

# bucket_right ADDRESS ROLE: on the objects whose names begin as the address says, or on all of a bucket
bucket_right() {
  local rest=${1#gs://} condition=None
  local bucket=${rest%%/*} prefix=${rest#*/}
  if [ "$prefix" != "$rest" ] && [ -n "$prefix" ]; then
    condition="title=$NAME,expression=resource.name.startsWith(\"projects/_/buckets/$bucket/objects/$prefix\")"
  fi
  run gcloud storage buckets add-iam-policy-binding "gs://$bucket" "--member=serviceAccount:$SERVICE_ACCOUNT" \
    "--role=$2" "--condition=$condition"
}

sink_right() { # ADDRESS: writing to it
  case $1 in
    pubsub://*/*)
      local rest=${1#pubsub://}
      run gcloud pubsub topics add-iam-policy-binding "${rest#*/}" "--project=${rest%%/*}" \
        "--member=serviceAccount:$SERVICE_ACCOUNT" --role=roles/pubsub.publisher
      ;;
    gs://*/*) bucket_right "${1%/}/" roles/storage.objectCreator ;;
    *) fail "results and dead letters go to pubsub://PROJECT/TOPIC or gs://BUCKET/PREFIX, got '$1'" ;;
  esac
}

trigger() { # SUFFIX FLAG...: events that are posted to the function by an identity that may do nothing else
  local name=$NAME-$1
  shift
  once gcloud eventarc triggers describe "$name" "--project=$PROJECT" "--location=$REGION" '--format=value(name)' -- \
    gcloud eventarc triggers create "$name" "--project=$PROJECT" "--location=$REGION" "--destination-run-service=$NAME" \
    "--destination-run-region=$REGION" "--service-account=$caller" "$@"
}

invoker() { # MEMBER
  run gcloud run services add-iam-policy-binding "$NAME" "--project=$PROJECT" "--region=$REGION" "--member=$1" --role=roles/run.invoker
}

# named VALUE NAME: a name that begins with - would be taken for an option, and other signs than these belong in no name
named() {
  case $1 in
    -* | *[!A-Za-z0-9._:-]*) fail "$2 should begin with a letter or digit, followed by letters, digits, ., : and -, got '$1'" ;;
  esac
}

server=false target=gcp
if [ "${1:-}" = --server ]; then
  server=true target=cloudrun
  shift
fi
dry_run=false
if [ "${1:-}" = --dry-run ]; then
  dry_run=true
  shift
fi

named "$NAME" NAME
named "$PROJECT" PROJECT
named "$REGION" REGION
named "$DOMAIN" DOMAIN

if [ "${1:-}" = --destroy ]; then
  destroy
  exit
fi

case $PUBLIC in
  true) access=--allow-unauthenticated ;;
  false) access=--no-allow-unauthenticated ;;
  *) fail "PUBLIC should be true or false, got '$PUBLIC'" ;;
esac
case $OWN_ACCOUNT in
  true)
    if [ ${#NAME} -lt 6 ]; then fail "an identity's name has 6 letters or more: give NAME as many, or SERVICE_ACCOUNT"; fi
    SERVICE_ACCOUNT=$NAME@$PROJECT.iam.gserviceaccount.com
    ;;
  false) ;;
  *) fail "OWN_ACCOUNT should be true or false, got '$OWN_ACCOUNT'" ;;
esac
asked=$DOMAIN$MODEL$RESULTS$DEAD_LETTERS$OUTPUT$INVOKERS$TRIGGER_TOPIC$TRIGGER_BUCKET$ALERT_CHANNEL$BUDGET
if [ -z "$PROJECT" ] && { [ -n "$asked" ] || $OWN_ACCOUNT; }; then fail "set PROJECT as well: rights and triggers name it"; fi
if [ -z "$SERVICE_ACCOUNT" ] && [ -n "$MODEL$RESULTS$DEAD_LETTERS$OUTPUT$TRIGGER_BUCKET" ]; then
  fail "set OWN_ACCOUNT=true or SERVICE_ACCOUNT: rights are given to an identity of the function's own"
fi
if [ -n "$TRIGGER_TOPIC$TRIGGER_BUCKET" ] && [ ${#NAME} -gt 22 ]; then
  fail "NAME has more than 22 letters: NAME-trigger, the identity of its triggers, may have 30"
fi
if $OWN_ACCOUNT && [ ${#NAME} -gt 30 ]; then fail "an identity's name has 30 letters at most: give a shorter NAME"; fi
if [ -n "$BUDGET" ] && [ -z "$BILLING_ACCOUNT" ]; then fail "set BILLING_ACCOUNT as well: the budget is one of its"; fi
case $MODEL in
  '' | gs://*/*) ;;
  *) fail "MODEL should be a gs:// address, got '$MODEL'" ;;
esac
case $OUTPUT in
  '' | gs://*/*) ;;
  *) fail "OUTPUT should be gs://BUCKET/PREFIX, got '$OUTPUT'" ;;
esac
case $TRIGGER_BUCKET in
  *://* | */*) fail "TRIGGER_BUCKET should be the bucket's name alone, got '$TRIGGER_BUCKET'" ;;
esac
if [ -z "$CORS_ORIGINS" ] && [ -n "$CORS_HEADERS$CORS_CREDENTIALS$CORS_MAX_AGE" ]; then
  fail "set CORS_ORIGINS as well: the other settings are about these pages"
fi
if [ -z "$NETWORK$SUBNET" ] && [ -n "$VPC_EGRESS" ]; then fail "set NETWORK or SUBNET as well: VPC_EGRESS is about it"; fi
case ",$SETTINGS" in # they would be shown, and kept beside each release
  *,*SECRET*=* | *,*PASSWORD*=* | *,*TOKEN*=*) fail "SETTINGS should hold no secret: give it by --set-secrets, from Secret Manager" ;;
esac
for setting in CORS_ORIGINS CORS_HEADERS CORS_CREDENTIALS CORS_MAX_AGE; do # a comma would end the value
  if [ -n "${!setting}" ]; then SETTINGS+="${SETTINGS:+,}FLYWEIGHT_$setting=${!setting//,/ }"; fi
done
if [ -n "$MODEL" ]; then SETTINGS+="${SETTINGS:+,}FLYWEIGHT_MODEL=$MODEL"; fi
if [ -n "$RESULTS" ]; then SETTINGS+="${SETTINGS:+,}FLYWEIGHT_RESULTS=$RESULTS"; fi
if [ -n "$OUTPUT" ]; then SETTINGS+="${SETTINGS:+,}FLYWEIGHT_OUTPUT=$OUTPUT"; fi
if [ -n "$DEAD_LETTERS" ]; then SETTINGS+="${SETTINGS:+,}FLYWEIGHT_DEAD_LETTERS=$DEAD_LETTERS"; fi
# the function takes events from its own triggers alone; "iam" says that Cloud Run checks the token of every caller
open=$PUBLIC
case ",$INVOKERS," in *,allUsers,*) open=true ;; esac
if [ -n "$TRIGGER_TOPIC$TRIGGER_BUCKET" ] && [[ $SETTINGS != *FLYWEIGHT_EVENT_SENDERS=* ]]; then
  senders="$NAME-trigger@$PROJECT.iam.gserviceaccount.com"
  if [ "$open" = false ]; then senders="iam $senders"; fi
  SETTINGS+="${SETTINGS:+,}FLYWEIGHT_EVENT_SENDERS=$senders"
fi
if [ -n "$TRIGGER_BUCKET" ] && [[ $SETTINGS != *FLYWEIGHT_EVENT_BUCKETS=* ]]; then
  SETTINGS+=",FLYWEIGHT_EVENT_BUCKETS=$TRIGGER_BUCKET"
fi

if $server; then
  # What is started: named here, Google's build installs no gunicorn, as it does for a Procfile alone. It would also choose the
  # newest Python. https://docs.cloud.google.com/docs/buildpacks/service-specific-configs and .../buildpacks/python
  entry=$(sed -n 's/^web: *//p' "$SOURCE/Procfile" 2>/dev/null || true)
  what=(
    "--set-build-env-vars=GOOGLE_ENTRYPOINT=${entry:-python cloudrun_main.py},GOOGLE_PYTHON_VERSION=$PYTHON.x"
    --automatic-updates # Google patches the base image without a new build
    # no probe of ours at the start: Google waits for the port, which opens when the model is loaded; asked for a path it would
    # ask once a second, and a cold start would take that long
    "--liveness-probe=httpGet.path=/health,periodSeconds=60"
  )
else
  # Google's build compiles the source again, by default to bytecode that names the source's time; the image then resets
  # all times, and each cold start would compile anew. With this variable compileall writes bytecode that names a hash.
  what=(--function=predict --set-build-env-vars=SOURCE_DATE_EPOCH=315619200)
fi
command=(
  gcloud run deploy "$NAME"
  "--source=$SOURCE"
  "--base-image=python${PYTHON/./}"
  "--region=$REGION"
  "$access"
  "--memory=$MEMORY"
  "--cpu=$CPU"
  --cpu-boost
  "--concurrency=$CONCURRENCY"
  "--min=$MIN_INSTANCES"
  "--max-instances=$MAX_INSTANCES"
  "--timeout=$TIMEOUT"
  "${what[@]}"
)
if [ -n "$PROJECT" ]; then command+=("--project=$PROJECT"); fi
if [ -n "$SERVICE_ACCOUNT" ]; then command+=("--service-account=$SERVICE_ACCOUNT"); fi
if [ -n "$NETWORK" ]; then command+=("--network=$NETWORK"); fi
if [ -n "$SUBNET" ]; then command+=("--subnet=$SUBNET"); fi
if [ -n "$NETWORK$SUBNET" ]; then command+=("--vpc-egress=${VPC_EGRESS:-private-ranges-only}"); fi
if [ -n "$KMS_KEY" ]; then command+=("--key=$KMS_KEY"); fi
if [ -n "$LABELS" ]; then command+=("--labels=$LABELS"); fi
if [ -n "$SETTINGS" ]; then command+=("--set-env-vars=$SETTINGS"); fi
command+=("$@")

if $server; then entry=Procfile; else entry=main.py; fi
if ! $dry_run && { [ ! -f "$SOURCE/$entry" ] || [ ! -f "$SOURCE/flyweight.json" ]; }; then
  fail "'$SOURCE' is not a built folder; run: flyweight build $target --model FILE -o $SOURCE"
fi
if grep -s '"target":' "$SOURCE/flyweight.json" | grep -qv "\"$target\""; then
  fail "'$SOURCE' was not built for $target; run: flyweight build $target --model FILE -o $SOURCE"
fi

if ! $dry_run && $open && [ -n "$TRIGGER_TOPIC$TRIGGER_BUCKET" ] && ! grep -qsi '^cryptography' "$SOURCE/requirements.txt"; then
  fail "a public function checks the tokens of its triggers itself: add cryptography to handlers/$target/requirements.txt, and build again"
fi

if $OWN_ACCOUNT; then account "$NAME" "what $NAME runs as"; fi
case $MODEL in # the folder of the model: an alias is one object, and names another beside it
  '') ;;
  *.safetensors) bucket_right "$MODEL" roles/storage.objectViewer ;;
  *@*) bucket_right "${MODEL%@*}/" roles/storage.objectViewer ;;
  *) bucket_right "$MODEL/" roles/storage.objectViewer ;;
esac
if [ -n "$TRIGGER_BUCKET" ]; then
  case $OUTPUT in
    '' | "gs://$TRIGGER_BUCKET/"*) bucket_right "gs://$TRIGGER_BUCKET" roles/storage.objectUser ;; # answers beside the files
    *) bucket_right "gs://$TRIGGER_BUCKET" roles/storage.objectViewer ;;
  esac
fi
if [ -n "$RESULTS" ]; then sink_right "$RESULTS"; fi
# answers of whole files are joined from parts, which are listed (no condition on names allows that), read and deleted
case $OUTPUT in
  '' | "gs://${TRIGGER_BUCKET:-?}/"*) ;;
  *) bucket_right "$(cut -d/ -f1-3 <<<"$OUTPUT")" roles/storage.objectUser ;;
esac
if [ -n "$DEAD_LETTERS" ]; then sink_right "$DEAD_LETTERS"; fi

run "${command[@]}"

for member in ${INVOKERS//,/ }; do invoker "$member"; done
if [ -n "$TRIGGER_TOPIC$TRIGGER_BUCKET" ]; then
  caller=$NAME-trigger@$PROJECT.iam.gserviceaccount.com
  account "$NAME-trigger" "what calls $NAME"
  invoker "serviceAccount:$caller"
fi
if [ -n "$TRIGGER_TOPIC" ]; then
  trigger topic --event-filters=type=google.cloud.pubsub.topic.v1.messagePublished \
    "--transport-topic=projects/$PROJECT/topics/$TRIGGER_TOPIC"
fi
if [ -n "$TRIGGER_BUCKET" ]; then
  run gcloud projects add-iam-policy-binding "$PROJECT" "--member=serviceAccount:$caller" --role=roles/eventarc.eventReceiver \
    --condition=None
  trigger bucket --event-filters=type=google.cloud.storage.object.v1.finalized "--event-filters=bucket=$TRIGGER_BUCKET"
fi
if [ -n "$DOMAIN" ]; then
  once gcloud beta run domain-mappings describe "--domain=$DOMAIN" "--project=$PROJECT" "--region=$REGION" \
    '--format=value(metadata.name)' -- \
    gcloud beta run domain-mappings create "--service=$NAME" "--domain=$DOMAIN" "--project=$PROJECT" "--region=$REGION"
fi
if [ -n "$ALERT_CHANNEL" ]; then
  once gcloud logging metrics describe flyweight-errors "--project=$PROJECT" '--format=value(name)' -- \
    gcloud logging metrics create flyweight-errors "--project=$PROJECT" "--config-from-file=$folder/metric.yaml"
  once gcloud alpha monitoring policies list "--project=$PROJECT" '--filter=displayName="flyweight errors"' '--format=value(name)' -- \
    gcloud alpha monitoring policies create "--project=$PROJECT" "--policy-from-file=$folder/alert.yaml" \
    "--notification-channels=$ALERT_CHANNEL"
fi
if [ -n "$BUDGET" ]; then
  once gcloud billing budgets list "--billing-account=$BILLING_ACCOUNT" "--filter=displayName=$NAME" '--format=value(name)' -- \
    gcloud billing budgets create "--billing-account=$BILLING_ACCOUNT" "--display-name=$NAME" "--budget-amount=$BUDGET" \
    "--filter-projects=projects/$PROJECT" --threshold-rule=percent=0.5 --threshold-rule=percent=0.9 \
    --threshold-rule=percent=1.0,basis=forecasted-spend
fi
