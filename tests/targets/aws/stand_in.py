"""How the stand-ins of sam and aws answer for a function on Lambda: a stack keeps the parameters that are left out later."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("sam", "aws"),
    answers={
        "sts get-caller-identity": "123456789012",
        "OutputKey=='Url'": "{url}",
        "OutputKey=='FunctionName'": "flyweight-Function-1ABC",
        "OutputKey=='FunctionVersion'": "{made}",
        "OutputKey=='ApiKeyId'": "key-id",
        "apigateway get-api-key": "an-api-key",
        "[StackStatus,Parameters[]": '["{stack}", {parameters}]',
        "lambda get-alias": "{live}",
        "list-versions-by-function": "{earlier}",
        "[StackName,StackStatus": "flyweight {stack}",
    },
    needs_live=("get-alias", "describe-stacks"),
    makes=("sam deploy",),
    removes=("sam delete",),
    back=r"--function-version (\d+)",
    keeps="--parameter-overrides",
    login="get-caller-identity",
    account="123456789012",
    label="{live}",
    apart=frozenset((0, 1)),  # AWS has no groups
    file="template.yaml",
    parameter="MemorySize",
    value="1024",
    shown="MemorySize=1024",
    tagged="--tags team=ml stage=prod",
    went_back="--function-version 1",
    free="JwtAudience",
)
