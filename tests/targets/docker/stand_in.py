"""How the stand-in of docker answers for a project of Compose."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("docker",),
    answers={
        **{f"{{{{.Config.Image}}}} {name}-model-1": "flyweight/penguins:{live}" for name in ("penguins", "birds")},
        "HostPort": "{url}",
        ".State.Health.Status": "flyweight/penguins running healthy",
    },
    needs_live=("inspect --format",),
    makes=("docker build", *(f"docker --context our-{name} build" for name in ("own", "dev", "prod"))),
    login="compose ls",
    account="compose",
    apart=frozenset((2, 3)),  # a context of docker's is a group
    file="compose.yaml",
    parameter="MEMORY",
    value="512m",
    shown="MEMORY=512m",
    tagged="--label team=ml --label stage=prod",
    went_back="up --detach --wait",
)
