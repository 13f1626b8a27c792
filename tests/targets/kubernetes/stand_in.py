"""How the stand-in of kubectl answers for a Deployment."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("kubectl",),
    answers={
        "config current-context": "a-cluster",
        "{.items[-1:].metadata.labels.pod-template-hash}": "{live}f",
        "{.items[-2:-1].metadata.labels.pod-template-hash}": "{earlier}f",
        **{f"get replicaset penguins-{number}f": str(number) for number in range(1, 10)},
        "get service": "{url}",
        "get deployment": "penguins 2/2 ready penguins:1.0.0",
    },
    needs_live=("get replicasets", "get deployment", "get service"),
    makes=("kubectl apply",),
    removes=("kubectl delete --ignore-not-found --kustomize", "kubectl delete deployment"),
    back=r"rollout undo deployment/[a-z]+ --to-revision=(\d+)",
    login="auth whoami",
    account="a-cluster",
    label="{live}f",
    apart=frozenset((2, 3)),
    file="parameters.json",
    parameter="maxReplicas",
    value="4",
    shown="--set maxReplicas=4",
    tagged="--label team=ml --label stage=prod",
    went_back="instance=penguins-canary",
)
