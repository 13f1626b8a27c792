"""How the stand-in of az answers for an online endpoint of Azure ML."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("az", "flyweight"),
    answers={
        "account show --query id": "a-subscription",
        "--query scoring_uri": "{url}/score",
        "--query tags.live": "release-{live}",
        "--query tags.before": "release-{earlier}",
        "--query [].name": "release-{made}",
        "primaryKey": "an-endpoint-key",
        "[name,provisioning_state": "flyweight Succeeded release-{live}",
    },
    needs_live=("tags.live --output", "scoring_uri", "[].name"),
    makes=("az ml online-deployment create",),
    back=r"--traffic release-(\d+)=100",
    login="account get-access-token",
    account="a-subscription",
    label="release-{live}",
    apart=frozenset((2, 3)),  # a workspace has one region
    file="deploy.sh",
    parameter="INSTANCE_COUNT",
    value="2",
    shown="instance_count=2",
    tagged="tags.team=ml tags.stage=prod",
    went_back="--traffic release-1=100",
    free="SETTINGS",
)
