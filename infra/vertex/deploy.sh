#!/usr/bin/env bash
# Deploys a folder that `flyweight build vertex` made to an endpoint of Vertex AI: its image goes to Artifact Registry, a version of
# a model is made of it, and the endpoint gets that version and sends it the traffic.
#
#   infra/vertex/deploy.sh [--dry-run]
#   infra/vertex/deploy.sh [--dry-run] --batch
#   infra/vertex/deploy.sh [--dry-run] --destroy
#
# --dry-run prints the commands and runs nothing. --batch predicts INPUT with the newest version into OUTPUT; no endpoint is needed,
# but a version is, which --upload makes and deploys nowhere. --destroy removes the endpoint, the model, the role and the identity
# that were made for it; the repository with the images stays. Endpoint and model are called NAME; a version is called by its number, here and
# at the endpoint. The endpoint has two labels: `live` is the version that was chosen last, `before` the one before it, which keeps
# its machines until the next deployment, so that going back takes no start.
# These variables change the defaults:
#
#   NAME             of endpoint and model                      flyweight
#   SOURCE           the built folder; its image is beside it   build/vertex
#   PROJECT          the project                                gcloud's own setting
#   REGION           the region                                 europe-west1
#   IMAGE            an image that is in a registry already, which is not pushed: REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@DIGEST
#   REPOSITORY       of Artifact Registry, made if there is none  flyweight
#   MACHINE_TYPE     of each replica                            e2-standard-2; ct5lp-hightpu-1t has one TPU v5e
#   ACCELERATOR      TYPE or TYPE,COUNT of GPUs, as nvidia-l4,1 with g2-standard-4; a TPU belongs to its machine type
#   TPU_TOPOLOGY     of the TPUs of MACHINE_TYPE, as 1x1; the command is then `gcloud beta`
#   MIN_REPLICAS     kept, and paid for                         1
#   MAX_REPLICAS     the most there may be                      2
#   CPU_TARGET       per cent, above which replicas are added   60
#   TRAFFIC          per cent that the new version gets; the one that was live keeps the rest   100
#   SETTINGS         flyweight's own, as A=1,B=2; no secrets    none
#   ARTIFACTS        gs://BUCKET/FOLDER/FILE.safetensors: the model that is answered with in place of the one in the image. Vertex AI
#                    is given the folder, and tells the container where it is
#   SERVICE_ACCOUNT  the identity it runs as                    Vertex AI's own, which may read ARTIFACTS and nothing else
#   LABELS           of endpoint and model, as team=ml          none
#   KMS_KEY          projects/P/locations/L/keyRings/R/cryptoKeys/K, by which endpoint and disks are encrypted
#   LOG_RATE, LOG_TABLE  a share from 0 to 1 of requests and answers, kept in bq://PROJECT/DATASET/TABLE
#
# Each of these adds something, and is off unless set; they need PROJECT, and the right to give rights:
#
#   OWN_ACCOUNT      true: an identity named like the endpoint, with no right but reading MODEL and ARTIFACTS
#   MODEL            gs:// address of the model: FLYWEIGHT_MODEL, and reading what lies there and nothing else
#   INVOKERS         who may ask the project's endpoints for predictions, and nothing else of Vertex AI, as user:ada@example.com;
#                    Google gives that right on projects only, by a role that is made here: NAME_caller
#
# And for --batch:
#
#   INPUT            gs://BUCKET/ROWS.jsonl, one instance a line
#   OUTPUT           gs://BUCKET/FOLDER, in which a folder of answers is made
#   BATCH            instances in a request                     64
set -euo pipefail

: "${NAME:=flyweight}" "${SOURCE:=build/vertex}" "${PROJECT:=}" "${REGION:=europe-west1}" "${IMAGE:=}" "${REPOSITORY:=flyweight}"
: "${MACHINE_TYPE:=e2-standard-2}" "${ACCELERATOR:=}" "${TPU_TOPOLOGY:=}" "${MIN_REPLICAS:=1}" "${MAX_REPLICAS:=2}"
: "${CPU_TARGET:=60}" "${TRAFFIC:=100}" "${SETTINGS:=}" "${ARTIFACTS:=}" "${SERVICE_ACCOUNT:=}" "${LABELS:=}" "${KMS_KEY:=}"
: "${LOG_RATE:=}" "${LOG_TABLE:=}" "${OWN_ACCOUNT:=false}" "${MODEL:=}" "${INVOKERS:=}" "${INPUT:=}" "${OUTPUT:=}" "${BATCH:=64}"
OF='' VERSION='' LIVE='' SPARE='' TOKEN='' # what is asked for
health_route=/vertex/ready predict_route=/vertex/predict
mark=$'\001' # around the name of a variable that a dry run does not know

fail() {
  printf 'deploy.sh: %s\n' "$1" >&2
  exit 2
}

# quoted WORD...: as a shell reads them; what a dry run does not know stays a variable
quoted() {
  local word rest
  for word in "$@"; do
    rest=$word
    while [[ $rest == *"$mark"* ]]; do
      if [ -n "${rest%%"$mark"*}" ]; then plain "${rest%%"$mark"*}"; fi
      rest=${rest#*"$mark"}
      printf '"$%s"' "${rest%%"$mark"*}"
      rest=${rest#*"$mark"}
    done
    if [ -n "$rest" ] || [ -z "$word" ]; then plain "$rest"; fi
    printf ' '
  done
}

plain() { # TEXT
  case $1 in
    *[$'\n\t']*) printf '%q' "$1" ;; # one command a line
    '' | *[!A-Za-z0-9_@%+=:,./-]*) printf "'%s'" "${1//\'/\'\\\'\'}" ;;
    *) printf '%s' "$1" ;;
  esac
}

run() {
  local words
  if $dry_run; then
    words=$(quoted "$@")
    printf '%s\n' "${words% }"
  else
    "$@"
  fi
}

# ask VARIABLE COMMAND...: stores what the command prints; nothing where it fails
ask() {
  local name=$1 words
  shift
  if $dry_run; then
    words=$(quoted "$@")
    printf '%s\n' "$name=\$(${words% })"
    printf -v "$name" '%s' "$mark$name$mark"
  else
    printf -v "$name" '%s' "$("$@" 2>/dev/null || true)"
  fi
}

# need VARIABLE COMMAND...: the same, and the script ends where the command fails or prints nothing
need() {
  local name=$1
  shift
  if $dry_run; then
    ask "$name" "$@"
  else
    printf -v "$name" '%s' "$("$@")"
    if [ -z "${!name}" ]; then fail "$(quoted "$@")printed nothing"; fi
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

# named VALUE NAME: a name that begins with - would be taken for an option, and other signs than these belong in no name
named() {
  case $1 in
    -* | *[!A-Za-z0-9._:-]*) fail "$2 should begin with a letter or digit, followed by letters, digits, ., : and -, got '$1'" ;;
  esac
}

# number VALUE NAME LEAST MOST
number() {
  case $1 in
    '' | *[!0-9]* | ?????*) fail "$2 should be a whole number from $3 to $4, got '$1'" ;;
  esac
  if [ "$1" -lt "$3" ] || [ "$1" -gt "$4" ]; then fail "$2 should be a whole number from $3 to $4, got '$1'"; fi
}

account() {
  once gcloud iam service-accounts describe "$SERVICE_ACCOUNT" "--project=$PROJECT" '--format=value(email)' -- \
    gcloud iam service-accounts create "$NAME" "--project=$PROJECT" "--display-name=what $NAME runs as"
}

# read_right ADDRESS: the objects whose names begin as the address says
read_right() {
  local rest=${1#gs://}
  local bucket=${rest%%/*} prefix=${rest#*/}
  run gcloud storage buckets add-iam-policy-binding "gs://$bucket" "--member=serviceAccount:$SERVICE_ACCOUNT" \
    --role=roles/storage.objectViewer \
    "--condition=title=$NAME,expression=resource.name.startsWith(\"projects/_/buckets/$bucket/objects/$prefix\")"
}

invokers() {
  local role=${NAME//-/_}_caller member
  once gcloud iam roles describe "$role" "--project=$PROJECT" '--format=value(name)' -- \
    gcloud iam roles create "$role" "--project=$PROJECT" --permissions=aiplatform.endpoints.predict --stage=GA \
    '--title=asks endpoints of Vertex AI for predictions'
  for member in ${INVOKERS//,/ }; do
    run gcloud projects add-iam-policy-binding "$PROJECT" "--member=$member" "--role=projects/$PROJECT/roles/$role" --condition=None
  done
}

know_project() {
  if [ -z "$PROJECT" ]; then need PROJECT gcloud config get-value project; fi
  where=("--region=$REGION" "--project=$PROJECT")
}

# push: the image of the folder, with the hash of its model as its tag. Vertex AI takes it in when a version is made of it, and does
# not come back for it: https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1/ModelContainerSpec
push() {
  local layout=${SOURCE%/}.oci hash
  hash=$(sed -n 's/^ *"sha256": *"\([0-9a-f]\{12\}\).*/\1/p' "$SOURCE/flyweight.json" 2>/dev/null | head -n 1 || true)
  once gcloud artifacts repositories describe "$REPOSITORY" "--location=$REGION" "--project=$PROJECT" '--format=value(name)' -- \
    gcloud artifacts repositories create "$REPOSITORY" --repository-format=docker "--location=$REGION" "--project=$PROJECT"
  IMAGE=$REGION-docker.pkg.dev/$PROJECT/$REPOSITORY/$NAME:${hash:-latest}
  run flyweight image push "$layout" "$IMAGE" --user oauth2accesstoken --password-command 'gcloud auth print-access-token'
}

upload() {
  local parent=() first="--model-id=$NAME" environ=$SETTINGS command
  if [ -z "$IMAGE" ]; then push; fi
  if [ -n "$MODEL" ]; then environ+="${environ:+,}FLYWEIGHT_MODEL=$MODEL"; fi
  if [ -n "$ARTIFACTS" ]; then environ+="${environ:+,}FLYWEIGHT_MODEL=\$AIP_STORAGE_URI/${ARTIFACTS##*/}"; fi
  # the option that makes it a version of the model that is there; empty for the first one
  ask OF gcloud ai models list "${where[@]}" "--filter=name~/models/$NAME$" \
    "--format=value(format(\"--parent-model=projects/$PROJECT/locations/$REGION/models/$NAME\",name))"
  if $dry_run; then parent=("${mark}{OF:-$first}$mark"); else parent=("${OF:-$first}"); fi
  command=(
    gcloud ai models upload "${where[@]}" "--display-name=$NAME" "${parent[@]}" "--container-image-uri=$IMAGE"
    --container-ports=8080 "--container-health-route=$health_route" "--container-predict-route=$predict_route"
  )
  if [ -n "$environ" ]; then command+=("--container-env-vars=$environ"); fi
  if [ -n "$ARTIFACTS" ]; then command+=("--artifact-uri=${ARTIFACTS%/*}"); fi
  if [ -n "$LABELS" ]; then command+=("--labels=$LABELS"); fi
  need VERSION "${command[@]}" '--format=value(modelVersionId)'
}

endpoint() {
  local command=(gcloud ai endpoints create "${where[@]}" "--display-name=$NAME" "--endpoint-id=$NAME")
  if [ -n "$LABELS" ]; then command+=("--labels=$LABELS"); fi
  if [ -n "$KMS_KEY" ]; then command+=("--encryption-kms-key-name=$KMS_KEY"); fi
  if [ -n "$LOG_TABLE" ]; then
    command+=("--request-response-logging-table=$LOG_TABLE" "--request-response-logging-rate=${LOG_RATE:-1}")
  fi
  once gcloud ai endpoints describe "$NAME" "${where[@]}" '--format=value(name)' -- "${command[@]}"
}

deploy() {
  local split=0=100 tracks=() command
  ask LIVE gcloud ai endpoints describe "$NAME" "${where[@]}" '--format=value(labels.live)'
  if [ "$TRAFFIC" -lt 100 ]; then
    if [ -z "$LIVE" ]; then fail "TRAFFIC is for an endpoint that has a version already: leave it out the first time"; fi
    split="0=$TRAFFIC,$LIVE=$((100 - TRAFFIC))"
  fi
  if [ -n "$TPU_TOPOLOGY" ]; then tracks=(beta); fi
  command=(
    gcloud "${tracks[@]}" ai endpoints deploy-model "$NAME" "${where[@]}" "--model=$NAME@$VERSION" "--deployed-model-id=$VERSION"
    "--display-name=$NAME-$VERSION" "--machine-type=$MACHINE_TYPE" "--min-replica-count=$MIN_REPLICAS"
    "--max-replica-count=$MAX_REPLICAS" "--autoscaling-metric-specs=cpu-usage=$CPU_TARGET" "--traffic-split=$split"
  )
  if [ -n "$ACCELERATOR" ]; then command+=("--accelerator=type=${ACCELERATOR%%,*},count=${accelerators:-1}"); fi
  if [ -n "$TPU_TOPOLOGY" ]; then command+=("--tpu-topology=$TPU_TOPOLOGY"); fi
  if [ -n "$SERVICE_ACCOUNT" ]; then command+=("--service-account=$SERVICE_ACCOUNT"); fi
  run "${command[@]}"
  run gcloud ai endpoints update "$NAME" "${where[@]}" "--update-labels=live=$VERSION,before=$LIVE"
  undeploy " AND deployedModels.id!=\"$VERSION\" AND deployedModels.id!=\"$LIVE\""
}

# undeploy CONDITION: the versions of the endpoint for which it holds, each of which keeps machines
undeploy() {
  local version
  ask SPARE gcloud ai endpoints list "${where[@]}" '--flatten=deployedModels[]' "--filter=name~/endpoints/$NAME\$$1" \
    '--format=value(deployedModels.id)'
  for version in $SPARE; do
    run gcloud ai endpoints undeploy-model "$NAME" "${where[@]}" "--deployed-model-id=$version" --quiet
  done
}

destroy() {
  undeploy ''
  run gcloud ai endpoints delete "$NAME" "${where[@]}" --quiet
  if_there gcloud ai models describe "$NAME" "${where[@]}" '--format=value(name)' -- \
    gcloud ai models delete "$NAME" "${where[@]}" --quiet
  if_there gcloud iam roles describe "${NAME//-/_}_caller" "--project=$PROJECT" '--format=value(name)' -- \
    gcloud iam roles delete "${NAME//-/_}_caller" "--project=$PROJECT" --quiet
  # the identity that this script made says so in its name
  if_there gcloud iam service-accounts list "--project=$PROJECT" '--format=value(email)' \
    "--filter=email=$NAME@$PROJECT.iam.gserviceaccount.com AND displayName:'what $NAME runs as'" -- \
    gcloud iam service-accounts delete "$NAME@$PROJECT.iam.gserviceaccount.com" "--project=$PROJECT" --quiet
}

# gcloud has no command for batch predictions: https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs
batch() {
  local place=projects/$PROJECT/locations/$REGION more=
  case $INPUT in gs://*/*) ;; *) fail "INPUT should be gs://BUCKET/ROWS.jsonl, got '$INPUT'" ;; esac
  case $OUTPUT in gs://*/*) ;; *) fail "OUTPUT should be gs://BUCKET/FOLDER, got '$OUTPUT'" ;; esac
  case $INPUT$OUTPUT$SERVICE_ACCOUNT in *[\"\\]*) fail "INPUT, OUTPUT and SERVICE_ACCOUNT hold no quotes and backslashes" ;; esac
  if [ -n "$SERVICE_ACCOUNT" ]; then more=", \"serviceAccount\": \"$SERVICE_ACCOUNT\""; fi
  local machine="\"machineType\": \"$MACHINE_TYPE\""
  if [ -n "$ACCELERATOR" ]; then
    local type=${ACCELERATOR%%,*}
    type=${type//-/_}
    machine+=", \"acceleratorType\": \"${type^^}\", \"acceleratorCount\": ${accelerators:-1}"
  fi
  need TOKEN gcloud auth print-access-token
  run curl --fail-with-body --silent --show-error --request POST --header "authorization: Bearer $TOKEN" \
    --header 'content-type: application/json' --data \
    "{\"displayName\": \"$NAME\", \"model\": \"$place/models/$NAME\", \
\"inputConfig\": {\"instancesFormat\": \"jsonl\", \"gcsSource\": {\"uris\": [\"$INPUT\"]}}, \
\"outputConfig\": {\"predictionsFormat\": \"jsonl\", \"gcsDestination\": {\"outputUriPrefix\": \"$OUTPUT\"}}, \
\"dedicatedResources\": {\"machineSpec\": {$machine}, \"startingReplicaCount\": $MIN_REPLICAS, \"maxReplicaCount\": $MAX_REPLICAS}, \
\"manualBatchTuningParameters\": {\"batchSize\": $BATCH}$more}" \
    "https://$REGION-aiplatform.googleapis.com/v1/$place/batchPredictionJobs"
}

dry_run=false
if [ "${1:-}" = --dry-run ]; then
  dry_run=true
  shift
fi
verb=${1:-}
case $verb in
  '' | --upload | --batch | --destroy) ;;
  *) fail "there is no option '$verb': choose --upload, --batch or --destroy" ;;
esac

case $SOURCE in -*) SOURCE=./$SOURCE ;; esac
named "$NAME" NAME
named "$PROJECT" PROJECT
named "$REGION" REGION
named "$REPOSITORY" REPOSITORY
named "$MACHINE_TYPE" MACHINE_TYPE
named "$TPU_TOPOLOGY" TPU_TOPOLOGY
named "${ACCELERATOR%%,*}" ACCELERATOR
case $ACCELERATOR in *,*) accelerators=${ACCELERATOR#*,} && number "$accelerators" "the count of ACCELERATOR" 1 16 ;; esac
number "$MIN_REPLICAS" MIN_REPLICAS 1 1000
number "$MAX_REPLICAS" MAX_REPLICAS "$MIN_REPLICAS" 1000
number "$CPU_TARGET" CPU_TARGET 1 100
number "$TRAFFIC" TRAFFIC 1 100
number "$BATCH" BATCH 1 9999
case $OWN_ACCOUNT in
  true)
    if [ -z "$PROJECT" ]; then fail "set PROJECT as well: the identity's name has it"; fi
    if [ ${#NAME} -lt 6 ] || [ ${#NAME} -gt 30 ]; then fail "an identity's name has 6 to 30 letters: give such a NAME, or SERVICE_ACCOUNT"; fi
    SERVICE_ACCOUNT=$NAME@$PROJECT.iam.gserviceaccount.com
    ;;
  false) ;;
  *) fail "OWN_ACCOUNT should be true or false, got '$OWN_ACCOUNT'" ;;
esac
if [ -z "$PROJECT" ] && [ -n "$MODEL$INVOKERS" ]; then fail "set PROJECT as well: rights name it"; fi
case $MODEL in '' | gs://*/*) ;; *) fail "MODEL should be a gs:// address, got '$MODEL'" ;; esac
case $ARTIFACTS in '' | gs://*/*/*.safetensors) ;; *) fail "ARTIFACTS should be gs://BUCKET/FOLDER/FILE.safetensors, got '$ARTIFACTS'" ;; esac
if [ -n "$MODEL" ] && [ -n "$ARTIFACTS" ]; then fail "set MODEL or ARTIFACTS: each names the model"; fi
if [ -n "$MODEL" ] && [ -z "$SERVICE_ACCOUNT" ]; then fail "set OWN_ACCOUNT=true or SERVICE_ACCOUNT: Vertex AI's own identity reads no bucket of yours"; fi
case ",$SETTINGS" in # they would be shown, and kept beside each release
  *,*SECRET*=* | *,*PASSWORD*=* | *,*TOKEN*=*) fail "SETTINGS should hold no secret" ;;
esac
case ",$SETTINGS" in
  *,AIP_*) fail "SETTINGS should hold no variable whose name begins with AIP_: Vertex AI sets those" ;;
esac
if [ "$verb" != --destroy ] && [ "$verb" != --batch ] && [ -f "$SOURCE/flyweight.json" ] \
  && ! grep -q '"target": *"vertex"' "$SOURCE/flyweight.json"; then
  fail "$SOURCE was not built for vertex; run: flyweight build vertex --model FILE --as oci -o $SOURCE"
fi

know_project
case $verb in
  --destroy) destroy && exit ;;
  --batch) batch && exit ;;
esac
if $OWN_ACCOUNT; then account; fi
if [ -n "$SERVICE_ACCOUNT" ]; then
  case $MODEL in # the folder of the model: an alias is one object, and names another beside it
    '') ;;
    *.safetensors) read_right "$MODEL" ;;
    *@*) read_right "${MODEL%@*}/" ;;
    *) read_right "$MODEL/" ;;
  esac
  if [ -n "$ARTIFACTS" ]; then read_right "${ARTIFACTS%/*}/"; fi
fi
upload
if [ "$verb" = --upload ]; then exit; fi
endpoint
if [ -n "$INVOKERS" ]; then invokers; fi
deploy
