#!/usr/bin/env bash
# Deploys a folder that `flyweight build azure_ml` made to a managed online endpoint of Azure Machine Learning.
#
#   infra/azure_ml/deploy.sh [--dry-run]
#
# --dry-run prints the commands and runs nothing; it asks nothing either, and shows a first release. Each release is a deployment of
# its own, release-1, release-2, ..., whose instances are paid for. The one before stays for `flyweight rollback azure_ml`, older
# ones are deleted. The endpoint's tag `live` names the release that has the traffic. These variables change the defaults:
#
#   NAME             the endpoint's name, of which a region has one   flyweight
#   SOURCE           the built folder                                 build/azure_ml
#   GROUP            the workspace's resource group                   az's own setting
#   WORKSPACE        the workspace                                    az's own setting
#   CLIENT           platform: score.py in Microsoft's inference server (deployment.yml)
#                    own: our server in a container (deployment-container.yml)   platform
#   IMAGE            with CLIENT=own: the container's image, as REGISTRY.azurecr.io/NAME:TAG
#   LAYOUT           with CLIENT=own: the OCI layout that `flyweight build azure_ml --as oci` wrote, to push it as IMAGE first; to
#                    a registry of Azure's, by the account that az is logged in to
#   MODEL            a registered model, as azureml:penguins:1, that is mounted; else the model is in the folder
#   INSTANCE_TYPE    of the machines                                  Standard_DS2_v2
#   INSTANCE_COUNT   how many there are                               1 (Azure advises 3 or more)
#   TIMEOUT_MS       of a request                                     5000; at most 180000
#   AUTH             key, or aad_token                                key
#   PUBLIC           false: the endpoint is reached through the workspace's private endpoint alone   true
#   TRAFFIC          percent for the new release; the live one keeps the rest   100
#   COLLECT          true: requests and answers are kept in the workspace's storage account   false
#   SETTINGS         flyweight's own, as A=1,B=2; no secrets          none
#   TAGS             of the endpoint and the release, as team=ml,stage=prod   none
set -euo pipefail

: "${NAME:=flyweight}" "${SOURCE:=build/azure_ml}" "${GROUP:=}" "${WORKSPACE:=}" "${CLIENT:=platform}" "${IMAGE:=}" "${LAYOUT:=}"
: "${MODEL:=}" "${INSTANCE_TYPE:=Standard_DS2_v2}" "${INSTANCE_COUNT:=1}" "${TIMEOUT_MS:=5000}" "${AUTH:=key}" "${PUBLIC:=true}"
: "${TRAFFIC:=100}" "${COLLECT:=false}" "${SETTINGS:=}" "${TAGS:=}"
folder=$(dirname "${BASH_SOURCE[0]}")

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

ask() { # COMMAND...: prints its answer, nothing if it fails; a dry run asks nothing
  if ! $dry_run; then "$@" 2>/dev/null || true; fi
}

number() { # VALUE NAME LEAST MOST
  case $1 in
    '' | *[!0-9]*) fail "$2 should be a whole number, got '$1'" ;;
  esac
  if [ "$1" -lt "$3" ] || [ "$1" -gt "$4" ]; then fail "$2 should be from $3 to $4, got '$1'"; fi
}

among() { # VALUE NAME CHOICE...
  local value=$1 name=$2 choice
  shift 2
  for choice in "$@"; do
    if [ "$value" = "$choice" ]; then return; fi
  done
  fail "$name should be one of $*, got '$value'"
}

dry_run=false
if [ "${1:-}" = --dry-run ]; then
  dry_run=true
  shift
fi
if [ $# -gt 0 ]; then fail "it takes --dry-run alone, got '$1'"; fi
case $NAME in
  [!A-Za-z]* | *[!A-Za-z0-9-]*) fail "NAME should begin with a letter, followed by letters, digits and -, got '$NAME'" ;;
esac
among "$CLIENT" CLIENT platform own
among "$AUTH" AUTH key aad_token
among "$PUBLIC" PUBLIC true false
among "$COLLECT" COLLECT true false
number "$INSTANCE_COUNT" INSTANCE_COUNT 1 100
number "$TIMEOUT_MS" TIMEOUT_MS 1 180000
number "$TRAFFIC" TRAFFIC 1 100
if [ "$CLIENT" = own ] && [ -z "$IMAGE" ]; then fail "set IMAGE as well: CLIENT=own runs a container"; fi
if [ "$CLIENT" = platform ] && [ -n "$IMAGE$LAYOUT" ]; then fail "set CLIENT=own as well: IMAGE and LAYOUT are of a container"; fi
case ",$SETTINGS" in # they would be shown, and kept beside each release
  *,*SECRET*=* | *,*PASSWORD*=* | *,*TOKEN*=*) fail "SETTINGS should hold no secret: let the model's address name a store instead" ;;
esac
if ! $dry_run && [ ! -f "$SOURCE/flyweight.json" ]; then
  fail "'$SOURCE' is not a built folder; run: flyweight build azure_ml --model FILE -o $SOURCE"
fi
if grep -s '"target":' "$SOURCE/flyweight.json" | grep -qv '"azure_ml"'; then
  fail "'$SOURCE' was not built for azure_ml; run: flyweight build azure_ml --model FILE -o $SOURCE"
fi

where=()
if [ -n "$GROUP" ]; then where+=(--resource-group "$GROUP"); fi
if [ -n "$WORKSPACE" ]; then where+=(--workspace-name "$WORKSPACE"); fi
tags=()
IFS=, read -r -a pairs <<<"$TAGS"
for pair in "${pairs[@]}"; do tags+=("tags.$pair"); done

if [ -n "$LAYOUT" ]; then
  host=${IMAGE%%/*}
  run flyweight image push "$LAYOUT" "$IMAGE" --user 00000000-0000-0000-0000-000000000000 \
    --password-command "az acr login --name ${host%%.*} --expose-token --query accessToken -o tsv"
fi

# the endpoint, unless it is there
if [ "$PUBLIC" = true ]; then access=enabled; else access=disabled; fi
if [ -z "$(ask az ml online-endpoint show --name "$NAME" "${where[@]}" --query name --output tsv)" ]; then
  run az ml online-endpoint create --file "$folder/endpoint.yml" "${where[@]}" \
    --set "name=$NAME" "auth_mode=$AUTH" "public_network_access=$access" "${tags[@]}"
fi

# the release
live=$(ask az ml online-endpoint show --name "$NAME" "${where[@]}" --query tags.live --output tsv)
releases=$(ask az ml online-deployment list --endpoint-name "$NAME" "${where[@]}" --query '[].name' --output tsv)
last=$(sed -n 's/^release-\([0-9]*\)$/\1/p' <<<"$releases" | sort -n | tail -n 1)
next=release-$((${last:-0} + 1))
given=("name=$next" "endpoint_name=$NAME" "instance_type=$INSTANCE_TYPE" "instance_count=$INSTANCE_COUNT"
  "request_settings.request_timeout_ms=$TIMEOUT_MS")
if [ -n "$live" ]; then given+=("tags.before=$live"); fi
if [ "$CLIENT" = own ]; then
  file=deployment-container.yml
  given+=("environment.image=$IMAGE")
else
  file=deployment.yml
  given+=("code_configuration.code=$(cd "$SOURCE" 2>/dev/null && pwd || echo "$SOURCE")")
fi
if [ -n "$MODEL" ]; then given+=("model=$MODEL"); fi
if $COLLECT; then given+=(data_collector.collections.{request,response}.enabled=true); fi
IFS=, read -r -a pairs <<<"$SETTINGS"
for pair in "${pairs[@]}"; do given+=("environment_variables.$pair"); done
run az ml online-deployment create --file "$folder/$file" "${where[@]}" --set "${given[@]}" "${tags[@]}"

# its traffic, and the end of what is neither live nor the release before
if [ -n "$live" ] && [ "$TRAFFIC" -lt 100 ]; then
  run az ml online-endpoint update --name "$NAME" "${where[@]}" --traffic "$live=$((100 - TRAFFIC)) $next=$TRAFFIC"
else
  run az ml online-endpoint update --name "$NAME" "${where[@]}" --traffic "$next=100" --set "tags.live=$next"
fi
for release in $releases; do
  if [[ $release = release-* && $release != "$live" ]]; then
    run az ml online-deployment delete --name "$release" --endpoint-name "$NAME" "${where[@]}" --yes
  fi
done
