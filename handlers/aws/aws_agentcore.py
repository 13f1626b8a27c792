"""Read calls of Bedrock AgentCore's Gateway, whose event is the arguments of a tool, and answer with the tool's result.

https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html
The client context names the tool, as TARGET___TOOL. The tools are those of the Model Context Protocol, which answers the calls.
"""

import json

from flyweight import protocols
from flyweight.errors import InvalidSetting, NotServed
from flyweight.values import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.values import Response

TOOL = "bedrockAgentCoreToolName"  # in the part `custom` of the client context
PROTOCOL, PATH = "mcp", "/mcp"


class Call:
    """A call of one tool."""

    def __init__(self, tool: str) -> None:
        self._tool = tool.rpartition("___")[2]

    def request_of(self, event: "Any", request_id: str, decode_http: object) -> Request:
        """Decode a call to a request.

        :raises NotServed: the function was built without the protocol that answers it.
        """
        try:
            protocols.find(PROTOCOL)
        except InvalidSetting:
            words = "this is a call of an AgentCore gateway; build with `flyweight build aws --protocol mcp`"
            raise NotServed(words) from None
        parameters = {"name": self._tool, "arguments": event}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}
        return Request("POST", PATH, {"content-type": "application/json"}, json.dumps(body).encode(), request_id)

    def answer_of(self, response: "Response", event: "Any", encode_http: object) -> "Any":
        """Take the result out of a response; a refusal is a result, too, so that the agent can correct its arguments."""
        document = json.loads(response.body)
        result = document.get("result")
        if result is None:
            return {"error": document["error"]["message"] if "error" in document else document.get("detail", "internal error")}
        return {"error": result["content"][0]["text"]} if result.get("isError") else result["structuredContent"]


def call(context: "Any") -> "Call | None":
    """Find the call that a client context names; None if it names no tool."""
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    tool = custom.get(TOOL) if isinstance(custom, dict) else None
    return Call(tool) if isinstance(tool, str) else None
