#!/usr/bin/env bash
# Waits until an instance refresh has renewed the machines of an Auto Scaling group; fails if they did not become healthy.
#
#   infra/vm/aws-refresh.sh GROUP REGION REFRESH
set -euo pipefail

group=$1 region=$2 refresh=$3
while true; do
  status=$(aws autoscaling describe-instance-refreshes --region "$region" --auto-scaling-group-name "$group" \
    --instance-refresh-ids "$refresh" --query 'InstanceRefreshes[0].Status' --output text)
  case $status in
    Successful) exit 0 ;;
    Pending | InProgress | Baking) sleep "${PAUSE:-15}" ;;
    *)
      echo "the refresh $refresh of $group is $status; the machines before it still answer" >&2
      exit 1
      ;;
  esac
done
