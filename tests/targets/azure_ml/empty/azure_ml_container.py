"""The smallest container of Azure ML: a server of the standard library."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


def answer(document: object) -> bytes:
    """Say hi."""
    return b"hi"  # the body


class Empty(BaseHTTPRequestHandler):
    """Answers every request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer what was sent."""
        body = answer(json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"null"))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ.get("PORT") or os.environ["AIP_HTTP_PORT"])), Empty).serve_forever()
