"""How the stand-in of gcloud answers for a Cloud Run service: as for a function."""

from dataclasses import replace

from tests.targets.gcp.stand_in import STAND_IN as FUNCTION

STAND_IN = replace(FUNCTION, parameter="CONCURRENCY", value="1", shown="--concurrency=1")
