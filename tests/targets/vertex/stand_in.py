"""How the stand-in of gcloud answers for an endpoint of Vertex AI."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("gcloud", "flyweight"),
    answers={
        "config get-value project": "a-project",
        "ai models list": "--parent-model=projects/a-project/locations/europe-west1/models/flyweight",
        "ai models upload": "1",
        '-aiplatform.googleapis.com/v1/{0}",name)': "{url}/v1/endpoints/1/deployedModels/2",
        "value(labels.live)": "{live}",
        "value(labels.before)": "{earlier}",
        "value(displayName,labels.live": "flyweight {live}",
    },
    needs_live=("ai endpoints describe",),
    makes=("gcloud ai endpoints deploy-model",),
    back=r"--traffic-split=(\d+)=100 --update-labels=live",
    login="print-access-token",
    account="a-project",
    label="{live}",
    file="deploy.sh",
    parameter="MACHINE_TYPE",
    value="n1-standard-4",
    shown="--machine-type=n1-standard-4",
    tagged="--labels=team=ml,stage=prod",
    went_back="--traffic-split=1=100",
    free="SETTINGS",
)
