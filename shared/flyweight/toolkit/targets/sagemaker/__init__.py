"""An Amazon SageMaker endpoint or batch transform: our own HTTP server in SageMaker's container contract."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="SageMaker", cloud="aws", handler="server", protocols=("sagemaker", "sagemaker_models"), shares="docker")
