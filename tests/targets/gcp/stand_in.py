"""How the stand-in of gcloud answers for a Cloud Run function."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("gcloud",),
    answers={
        "config get-value project": "a-project",
        "run revisions list": "flyweight-{earlier:05d}",
        "format=value(status.url)": "{url}",
        "traffic[0].revisionName": "flyweight-{live:05d}",
        "status.conditions[0]": "NAME flyweight True",
    },
    needs_live=("revisionName", "run services describe"),
    makes=("gcloud run deploy",),
    back=r"--to-revisions=flyweight-(\d+)=100",
    login="print-access-token",
    account="a-project",
    label="flyweight-{live:05d}",
    file="deploy.sh",
    parameter="MEMORY",
    value="1Gi",
    shown="--memory=1Gi",
    tagged="--labels=team=ml,stage=prod",
    went_back="--to-revisions=flyweight-00001=100",
    free="SETTINGS",
)
