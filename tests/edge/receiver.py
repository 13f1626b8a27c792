"""An HTTPS endpoint in a network of its own, which the standard library runs: python receiver.py FOLDER CERTIFICATE ADDRESS.

Each batch is a file of FOLDER under the name in Idempotency-Key; one that comes again adds a line to `again`. While `hold`
exists there, a batch is written but not answered.
"""

from __future__ import annotations

import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER, CERTIFICATE, ADDRESS = map(Path, sys.argv[1:4])
PORT = 8443


class Endpoint(BaseHTTPRequestHandler):
    """Keeps batches."""

    def do_POST(self) -> None:
        """Keep a batch, or know that it is there."""
        body, name = self.rfile.read(int(self.headers["content-length"])), self.headers["idempotency-key"]
        if name:
            path = FOLDER / f"{name.strip(chr(34)).replace('/', '_')}.jsonl"
            if path.exists():
                same = "same" if path.read_bytes() == body else "other"
                with (FOLDER / "again").open("a") as file:
                    file.write(f"{path.name} {same} bytes\n")
            else:
                path.with_suffix(".new").write_bytes(body)
                path.with_suffix(".new").rename(path)
            while (FOLDER / "hold").exists():
                time.sleep(0.01)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no log."""


if __name__ == "__main__":
    server = ThreadingHTTPServer((str(ADDRESS), PORT), Endpoint)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("listening", flush=True)
    server.serve_forever()
