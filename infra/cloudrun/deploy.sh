#!/usr/bin/env bash
# Deploys a folder that `flyweight build cloudrun` made as a Cloud Run service, which our own HTTP server answers: no
# functions-framework is installed, and the service starts sooner. All else is as for a function.
#
#   infra/cloudrun/deploy.sh [--dry-run] [any other flag of `gcloud run deploy`]
#   infra/cloudrun/deploy.sh [--dry-run] --destroy
#
# The variables are those of infra/gcp/deploy.sh, which it runs; two have another default, and one is its own:
#
#   SOURCE           the built folder                           build/cloudrun
#   CONCURRENCY      requests at once in one instance           80, Cloud Run's own default
#   CPU_ALWAYS       true: an instance has its CPU between requests too, and is paid for as long as it lives  false
#
# An instance gets requests as soon as its port is open, which is when its model is loaded; then Google asks /health once a
# minute. --startup-probe=httpGet.path=/ready,periodSeconds=1 lets the model answer its own sample first, and may add a second to a
# cold start; --liveness-probe="" asks nothing.
set -euo pipefail

: "${SOURCE:=build/cloudrun}" "${CONCURRENCY:=80}" "${CPU_ALWAYS:=false}"
export SOURCE CONCURRENCY
if [ "$CPU_ALWAYS" = true ]; then set -- "$@" --no-cpu-throttling; fi
infra=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec bash "$infra/gcp/deploy.sh" --server "$@"
