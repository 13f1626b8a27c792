"""How the stand-ins of aws and of flyweight's own push answer for a SageMaker endpoint, whose stack keeps its parameters."""

from tests.toolkit.deploying.stand_in import StandIn

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/penguins-images"
STAND_IN = StandIn(
    tools=("aws", "flyweight"),
    answers={
        "sts get-caller-identity": "123456789012",
        "ecr describe-repositories": REPOSITORY,
        "image push": f"{REPOSITORY}@sha256:{'0' * 64}",
        "OutputKey=='Url'": "{url}",
        "[StackStatus,Parameters[]": '["{stack}", {parameters}]',
        "[StackName,StackStatus": "penguins {stack}",
    },
    needs_live=("describe-stacks",),
    makes=("aws cloudformation deploy",),
    removes=("aws cloudformation delete-stack",),
    keeps="--parameter-overrides",
    login="get-caller-identity",
    account="123456789012",
    apart=frozenset((0, 1)),  # AWS has no groups
    file="template.yaml",
    parameter="MemoryMB",
    value="2048",
    shown="MemoryMB=2048",
    tagged="--tags team=ml stage=prod",
    went_back="--parameter-overrides Image=",
)
