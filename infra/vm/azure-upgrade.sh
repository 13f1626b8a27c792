#!/usr/bin/env bash
# Waits until a rolling upgrade has brought a scale set to its newest model; fails if machines did not become healthy.
#
#   infra/vm/azure-upgrade.sh GROUP SCALE_SET RELEASE
#
# A first deployment has no upgrade to wait for: its machines are made by the newest model.
set -euo pipefail

group=$1 set=$2 release=$3
behind() { # machines of an older model
  az vmss list-instances --resource-group "$group" --name "$set" --query "length([?!latestModelApplied])" --output tsv
}
while [ "$(behind)" != 0 ]; do
  status=$(az vmss rolling-upgrade get-latest --resource-group "$group" --name "$set" --query runningStatus.code --output tsv)
  if [ "$status" = Faulted ] || [ "$status" = Cancelled ]; then
    echo "the upgrade of $set to $release is $status; the other machines still have the release before" >&2
    exit 1
  fi
  sleep "${PAUSE:-15}"
done
