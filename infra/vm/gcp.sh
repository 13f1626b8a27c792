#!/usr/bin/env bash
# Deploys a release of a folder that `flyweight build vm` made to Compute Engine: a managed instance group behind an internal load
# balancer. `flyweight deploy vm --cloud gcp` uploads the release, and runs this with its sha256.
#
#   infra/vm/gcp.sh [--dry-run]
#   infra/vm/gcp.sh [--dry-run] --destroy
#
# Variables:
#
#   NAME         of the group and all around it                flyweight
#   PROJECT      needed
#   REGION                                                      europe-west1
#   BUCKET       needed: has the release as NAME/RELEASE.zip
#   RELEASE      needed: the sha256 of the release's zip
#   MACHINE      the kind of machine                            e2-small
#   LEAST, MOST  machines that always run, and at most          1 and 3
#   NETWORK      whose subnet of the region has Private Google Access, since machines have no address outside     default
#   CALLERS      addresses that may call                        10.128.0.0/9, those of a default network
#   SESSIONS     whether SSH comes in by Google's tunnel (IAP), as for `flyweight logs`      true
set -euo pipefail

: "${NAME:=flyweight}" "${PROJECT:=}" "${REGION:=europe-west1}" "${BUCKET:=}" "${RELEASE:=}" "${MACHINE:=e2-small}" "${LEAST:=1}"
: "${MOST:=3}" "${NETWORK:=default}" "${CALLERS:=10.128.0.0/9}" "${SESSIONS:=true}" "${LABELS:=}"
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

dry_run=false remove=false
for word in "$@"; do
  case $word in
    --dry-run) dry_run=true ;;
    --destroy) remove=true ;;
    *)
      echo "gcp.sh: unknown option $word" >&2
      exit 2
      ;;
  esac
done
for needed in PROJECT BUCKET RELEASE; do
  if [ -z "${!needed}" ] && { [ $needed = PROJECT ] || ! $remove; }; then
    echo "gcp.sh: set $needed" >&2
    exit 2
  fi
done

run() {
  if $dry_run; then
    printf '%q ' "$@"
    printf '\n'
  else
    "$@"
  fi
}

there() { # RESOURCE [OPTION...]: whether it exists; a dry run asks nothing, and takes nothing for there
  # shellcheck disable=SC2086 # a resource may have two words
  ! $dry_run && gcloud compute $1 describe "$NAME$2" "${of[@]}" "${@:3}" '--format=value(name)' >/dev/null 2>&1
}

of=("--project=$PROJECT")
where=("${of[@]}" "--region=$REGION")
account=$NAME@$PROJECT.iam.gserviceaccount.com
template=$NAME-${RELEASE:0:12}

if $remove; then
  run gcloud compute forwarding-rules delete "$NAME" "${where[@]}" --quiet
  run gcloud compute backend-services delete "$NAME" "${where[@]}" --quiet
  run gcloud compute instance-groups managed delete "$NAME" "${where[@]}" --quiet
  run gcloud compute health-checks delete "$NAME" "${where[@]}" --quiet
  run gcloud compute firewall-rules delete "$NAME-callers" "${of[@]}" --quiet
  if [ "$SESSIONS" = true ]; then run gcloud compute firewall-rules delete "$NAME-sessions" "${of[@]}" --quiet; fi
  if $dry_run; then
    templates=("$NAME-RELEASE")
  else
    mapfile -t templates < <(gcloud compute instance-templates list "${of[@]}" "--filter=name~^$NAME-[0-9a-f]{12}\$" '--format=value(name)')
  fi
  for one in "${templates[@]}"; do run gcloud compute instance-templates delete "$one" "${of[@]}" --quiet; done
  run gcloud iam service-accounts delete "$account" "${of[@]}" --quiet
  exit
fi

# what the machines run as: it reads releases of this name, and nothing else
if $dry_run || ! gcloud iam service-accounts describe "$account" "${of[@]}" '--format=value(email)' >/dev/null 2>&1; then
  run gcloud iam service-accounts create "$NAME" "${of[@]}" "--display-name=what $NAME runs as"
fi
condition="title=$NAME,expression=resource.name.startsWith(\"projects/_/buckets/$BUCKET/objects/$NAME/\")"
run gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" "--member=serviceAccount:$account" \
  --role=roles/storage.objectViewer "--condition=$condition"

# who comes in: callers and Google's health checks, and SSH by Google's tunnel
if ! there firewall-rules -callers; then
  run gcloud compute firewall-rules create "$NAME-callers" "${of[@]}" "--network=$NETWORK" --allow=tcp:8080 \
    "--source-ranges=$CALLERS,130.211.0.0/22,35.191.0.0/16" "--target-service-accounts=$account"
fi
if [ "$SESSIONS" = true ] && ! there firewall-rules -sessions; then
  run gcloud compute firewall-rules create "$NAME-sessions" "${of[@]}" "--network=$NETWORK" --allow=tcp:22 \
    --source-ranges=35.235.240.0/20 "--target-service-accounts=$account"
fi

# the machines
if ! there instance-templates "-${RELEASE:0:12}"; then
  run gcloud compute instance-templates create "$template" "${of[@]}" "--machine-type=$MACHINE" \
    --image-family=ubuntu-2404-lts-amd64 --image-project=ubuntu-os-cloud "--network=$NETWORK" "--region=$REGION" --no-address \
    --shielded-secure-boot --shielded-vtpm --shielded-integrity-monitoring \
    "--service-account=$account" --scopes=storage-ro ${LABELS:+"--labels=$LABELS"} \
    "--metadata=flyweight-name=$NAME,flyweight-release=$RELEASE,flyweight-bucket=$BUCKET,block-project-ssh-keys=true,enable-oslogin=true" \
    "--metadata-from-file=user-data=$folder/cloud-init.yaml"
fi
if ! there health-checks "" "--region=$REGION"; then
  run gcloud compute health-checks create http "$NAME" "${where[@]}" --port=8080 --request-path=/ready --check-interval=10s \
    --timeout=5s --healthy-threshold=2 --unhealthy-threshold=3
fi
if ! there "instance-groups managed" "" "--region=$REGION"; then
  run gcloud compute instance-groups managed create "$NAME" "${where[@]}" "--template=$template" "--size=$LEAST" \
    "--health-check=projects/$PROJECT/regions/$REGION/healthChecks/$NAME" --initial-delay=180
else # a machine more in each of three zones, before one goes
  run gcloud compute instance-groups managed rolling-action start-update "$NAME" "${where[@]}" "--version=template=$template" \
    --max-surge=3 --max-unavailable=0
fi
run gcloud compute instance-groups managed set-autoscaling "$NAME" "${where[@]}" "--min-num-replicas=$LEAST" \
  "--max-num-replicas=$MOST" --target-cpu-utilization=0.6
run gcloud compute instance-groups managed wait-until "$NAME" "${where[@]}" --version-target-reached --timeout=1200

# the load balancer
if ! there backend-services "" "--region=$REGION"; then
  run gcloud compute backend-services create "$NAME" "${where[@]}" --load-balancing-scheme=INTERNAL --protocol=TCP \
    "--health-checks=$NAME" "--health-checks-region=$REGION" --connection-draining-timeout=30
  run gcloud compute backend-services add-backend "$NAME" "${where[@]}" "--instance-group=$NAME" "--instance-group-region=$REGION"
fi
if ! there forwarding-rules "" "--region=$REGION"; then
  run gcloud compute forwarding-rules create "$NAME" "${where[@]}" --load-balancing-scheme=INTERNAL "--network=$NETWORK" --ports=8080 \
    "--backend-service=$NAME" "--backend-service-region=$REGION"
fi
