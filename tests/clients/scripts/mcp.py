"""Ask with the Client of the mcp package, by the newest version and by one that begins with `initialize`."""

import asyncio
import json
import sys

from mcp.client.client import Client

URL = f"{sys.argv[1]}/mcp"
ROW = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "body_mass_g": 4500}


async def asked(mode):
    async with Client(URL, mode=mode) as client:
        tools = (await client.list_tools()).tools
        right = await client.call_tool("predict", {**ROW, "year": 2007})
        wrong = await client.call_tool("predict", {**ROW, "year": [2007]})
        try:
            await client.call_tool("absent", {})
        except Exception as error:
            absent = str(error)
        return {
            "version": client.protocol_version,
            "server": client.server_info.name if client.server_info else None,
            "tools": {tool.name: [tool.description, tool.input_schema] for tool in tools},
            "right": [right.is_error, right.structured_content, right.content[0].text],
            "wrong": [wrong.is_error, wrong.content[0].text],
            "absent": absent,
        }


print(json.dumps({mode: asyncio.run(asked(mode)) for mode in ("auto", "legacy")}))
