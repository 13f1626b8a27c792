"""How the stand-ins of az and func answer for a function on Azure, which keeps no earlier version."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("az", "func"),
    answers={
        "account show --query id": "a-subscription",
        "outputs.functionApp.value": "flyweight-app",
        "outputs.url.value": "{url}",
        "functionKeys.default": "a-function-key",
        "functionapp show": "flyweight-app Running",
    },
    makes=("func azure functionapp publish",),
    login="account get-access-token",
    account="a-subscription",
    apart=frozenset((2, 3)),  # a group has one region
    file="main.json",
    parameter="instanceMemoryMB",
    value="512",
    shown="instanceMemoryMB=512",
    tagged="""'tags={"team": "ml", "stage": "prod"}'""",
    went_back="publish",
    free="alertEmail",
)
