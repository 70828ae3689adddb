"""A codec server on loopback, as Temporal documents them: what the Web UI and the command line ask to decode values."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playhead_engine.payload import Payload
from tests.replay.encryption import NativeAes


@dataclass
class CodecServer:
    """What somebody runs beside Temporal.

    Attributes:
        url: Where it is.
        auth: What it wants as `Authorization`; nothing in particular if empty.
        asked: The namespaces and paths of the requests it got.
        answers: What it answers instead of payloads, if anything.
    """

    url: str = ""
    auth: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: bytes | None = None

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """Status and body for a request."""
        self.asked.append((headers["X-Namespace"], path))
        if self.auth and headers["Authorization"] != self.auth:
            return 401, b"who are you?"
        if self.answers is not None:
            return 200, self.answers
        payloads = [Payload.from_json(payload) for payload in json.loads(body)["payloads"]]
        codec = NativeAes()
        done = asyncio.run(codec.decode(payloads) if path.endswith("/decode") else codec.encode(payloads))
        return 200, json.dumps({"payloads": [payload.to_json() for payload in done]}).encode()


@contextmanager
def codec_server(*, auth: str = "") -> Iterator[CodecServer]:
    """A server that runs while the block does."""
    server = CodecServer(auth=auth)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = server.answer(self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
