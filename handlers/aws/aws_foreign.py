"""Recognize events of senders that are not served, and refuse them by name; answer calls that only keep a function warm.

A sender that gets any answer takes its event as done, so an exception is the only refusal that it understands.
"""

from aws_items import unread
from aws_replies import item_failures, request_id

from flyweight.errors import FlyweightError, InvalidSetting, MalformedRequest, preview
from flyweight.records import Trigger
from flyweight.records.fields import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.records import Outcome, Record

    Place = tuple[str, str]

REFUSED, UNREAD, WARM = ("aws_foreign", "FOREIGN"), ("aws_foreign", "UNREADABLE"), ("aws_foreign", "WARM_UP")
# the sender, and the keys that its events have, which no request has
SHAPES: "tuple[tuple[str, tuple[str, ...]], ...]" = (
    ("an Alexa skill", ("session", "context", "request")),
    ("an Alexa smart home skill", ("directive",)),
    ("Amazon Connect", ("Details", "Name")),
    ("Amazon DocumentDB", ("events", "eventSourceArn")),
    ("Amazon Lex", ("bot", "invocationSource")),
    ("Amazon Lex, version 1", ("bot", "currentIntent")),
    ("Amazon Pinpoint", ("ApplicationId", "Endpoints")),
    ("Amazon SageMaker Ground Truth", ("labelingJobArn",)),
    ("Amazon WorkMail", ("summaryVersion", "envelope")),
    ("an Amplify resolver", ("typeName", "fieldName", "arguments")),
    ("an API Gateway authorizer", ("methodArn",)),
    ("an API Gateway authorizer", ("routeArn",)),
    ("an API Gateway integration that is no proxy", ("body-json", "stage-variables")),
    ("AppConfig", ("InvocationId", "Parameters", "Type")),
    ("AppConfig's validation", ("configurationProfileId", "content")),
    ("AppSync", ("arguments", "info")),
    ("AppSync", ("info", "events", "outErrors")),
    ("AppSync Events", ("info", "events", "stash")),
    ("AppSync's authorizer", ("authorizationToken", "requestContext")),
    ("Athena", ("@type",)),
    ("AWS Config", ("invokingEvent", "resultToken")),
    ("AWS IoT provisioning", ("claimCertificateId", "templateArn")),
    ("AWS IoT's authorizer", ("protocolData", "connectionMetadata")),
    ("AWS IoT", ("clientId", "eventType", "sessionIdentifier")),
    ("AWS IoT Device Shadow", ("state", "metadata", "version")),
    ("an AWS IoT button", ("serialNumber", "batteryVoltage", "clickType")),
    ("an AWS IoT button", ("deviceInfo", "deviceEvent", "placementInfo")),
    ("AWS Transfer Family", ("serviceMetadata", "fileLocation")),
    ("AWS Transfer Family", ("username", "serverId", "sourceIp")),
    ("Bedrock Flows", ("messageVersion", "flow", "node")),
    ("a Bedrock knowledge base", ("knowledgeBaseId", "inputFiles")),
    ("Bedrock, with the answer of a prompt", ("invokeModelRawResponse", "promptType")),
    ("a CloudFormation hook", ("hookTypeName", "requestData")),
    ("a CloudFormation macro", ("fragment", "transformId")),
    ("CloudFormation", ("RequestType", "ResponseURL")),
    ("a CloudWatch alarm", ("alarmArn", "alarmData")),
    ("CloudWatch Logs", ("awslogs",)),
    ("CodeDeploy", ("DeploymentId", "LifecycleEventHookExecutionId")),
    ("CodePipeline", ("CodePipeline.job",)),
    ("Cognito", ("triggerSource", "userPoolId")),
    ("Cognito Sync", ("identityPoolId", "datasetRecords")),
    ("a durable execution", ("DurableExecutionArn", "CheckpointToken")),
    ("an ECS deployment", ("executionDetails", "lifecycleStage")),
    ("EC2 Auto Scaling", ("AutoScalingGroupARN", "CapacityToTerminate")),
    ("Kinesis Data Analytics", ("applicationArn", "records")),
    ("Redshift", ("external_function", "arguments")),
    ("S3 Object Lambda", ("getObjectContext", "userRequest")),
    ("Secrets Manager", ("SecretId", "ClientRequestToken", "Step")),
)
DATA_SOURCE = ("GetMetricData", "DescribeGetMetricData")  # the second has no other key
# in events of plug-ins that keep functions warm: a key with the value true, or the value of one of the keys below; letters only
WARM_WORDS = ("warm", "warmup", "warmer", "warming", "keepwarm", "iswarmer", "iswarmup", "serverlesspluginwarmup", "awswarmup")
WARM_KEYS = ("source", "action", "type", "event")
EVENT, FIREHOSE, KAFKA = ("aws_events", "EVENT"), ("aws_streams", "FIREHOSE"), ("aws_brokers", "KAFKA")


# senders whose events are bodies of a protocol, which a function may be built with
OF_PROTOCOLS = {"Athena": "athena", "Redshift": "redshift"}


class UnsupportedEvent(FlyweightError):
    """An event of a sender that this function does not serve; nothing was scored, and the sender keeps its event."""

    code = "unsupported_event"


def recognized(event: "dict[str, Any]") -> "Place | None":
    """Find the trigger of an event that neither its source nor a key told; None for direct invocations."""
    if _keeps_warm(event):
        return WARM
    if sender := sender_of(event):
        return None if _is_built_in(OF_PROTOCOLS.get(sender)) else REFUSED
    if "Records" in event:
        return UNREAD
    if not {"detail", "source", "account"}.difference(event):
        return EVENT
    if "records" in event and ("eventSourceArn" in event or "bootstrapServers" in event or "eventSource" in event):
        return KAFKA
    return FIREHOSE if not {"records", "invocationId"}.difference(event) else None


def _keeps_warm(event: "dict[str, Any]") -> bool:
    """Tell whether an event only keeps the function warm."""
    words = [key for key, value in event.items() if value is True] + [text(event.get(key)) for key in WARM_KEYS]
    return any(["".join(filter(str.isalpha, word[:50])).lower() in WARM_WORDS for word in words])


def sender_of(event: "Any") -> str:
    """Name the sender of an event, if it is known and not served; else ""."""
    if isinstance(event, list):
        named = [text(item.get("eventSource")) for item in event if isinstance(item, dict)]
        return next((f"the source {preview(name)}" for name in named if name), "") or sender_of(event[0])
    if not isinstance(event, dict):
        return ""
    shape = next((sender for sender, keys in SHAPES if all([key in event for key in keys])), "")
    if shape:
        return shape
    if text(event.get("EventType")) in DATA_SOURCE:
        return "a CloudWatch custom data source"
    socket = event.get("requestContext")
    if isinstance(socket, dict) and "connectionId" in socket and "routeKey" in socket:
        return "a WebSocket API"
    records = event.get("Records")
    for record in records if isinstance(records, list) else []:
        if isinstance(record, dict) and "cf" in record:
            return "CloudFront (Lambda@Edge)"
        source = text(record.get("eventSource")) or text(record.get("EventSource")) if isinstance(record, dict) else ""
        if source:
            return f"the source {preview(source)}"
    source = text(event.get("eventSource"))
    return f"the source {preview(source)}" if source and not {"eventSourceArn", "events", "messages"}.isdisjoint(event) else ""


def _refused(event: "Any", context: "Any") -> "list[Record]":
    """Refuse an event.

    :raises UnsupportedEvent: always.
    """
    sender = sender_of(event)
    protocol = OF_PROTOCOLS.get(sender)
    next_step = f"build it with `flyweight build aws --protocol {protocol}`" if protocol else "see docs/triggers.md"
    raise UnsupportedEvent(f"this is an event of {sender}, which this function does not serve; {next_step}")


def _is_built_in(protocol: "str | None") -> bool:
    """Tell whether the function was built with a protocol."""
    if protocol is None:
        return False
    from flyweight import protocols  # imported late, and so the protocol: only its own events need it

    try:
        protocols.find(protocol)
    except InvalidSetting:
        return False
    return True


def _whole(event: "Any", context: "Any") -> "list[Record]":
    """Make one record of an event whose records can't be read, so that it is kept as a dead letter."""
    found = event.get("Records")
    error = MalformedRequest(f"'Records' should be an array of records that name their source, got {preview(found)}")
    return [unread(event, error, "event")] if found != [] else []


def _nothing_failed(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "Any":
    """Reply that no record has to be delivered again.

    :raises Exception: the event could be kept nowhere.
    """
    for outcome in outcomes:
        if outcome.error is not None and not outcome.final:
            raise outcome.error
    return item_failures([])


FOREIGN = Trigger("foreign", _refused, lambda *arguments: None, request_id)
UNREADABLE = Trigger("unreadable", _whole, _nothing_failed, request_id)
WARM_UP = Trigger("warm_up", lambda event, context: [], lambda *arguments: None, request_id, answers=True)
