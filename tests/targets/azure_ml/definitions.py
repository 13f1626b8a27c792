"""Load definitions with azure-ai-ml, as `az ml ... create --file FILE --set ...` does; it runs in .tools/azure-ml.

Standard input: a list of [loader, path, {property: value}]. Standard output: for each what was loaded and what is sent to Azure
for it, or the reason why it is refused.
"""

import json
import logging
import sys
import warnings

from azure.ai.ml import load_batch_endpoint, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities._load_functions import load_model_batch_deployment

LOADERS = {
    "online-endpoint": load_online_endpoint,
    "online-deployment": load_online_deployment,
    "batch-endpoint": load_batch_endpoint,
    "batch-deployment": load_model_batch_deployment,
}
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


def sent(kind, found):
    """Write what is sent to Azure for an endpoint or for a deployment of a container, with its environment."""
    if kind == "online-endpoint":
        return found._to_rest_online_endpoint("westeurope").as_dict()
    if kind != "online-deployment" or found.code_configuration:
        return {}  # which names folders that are uploaded before
    environment = found.environment._to_rest_object().as_dict()
    return {**found._to_rest_object("westeurope").as_dict(), "environment": environment}


def loaded(kind, path, given):
    """Load one definition."""
    try:
        found = LOADERS[kind](path, params_override=[{name: value} for name, value in given.items()])
    except Exception as error:
        return {"refused": str(error)}
    return {"document": json.loads(json.dumps(found._to_dict(), default=str)), "sent": sent(kind, found)}


print(json.dumps([loaded(*one) for one in json.load(sys.stdin)]))
