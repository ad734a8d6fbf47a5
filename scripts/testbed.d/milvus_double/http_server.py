"""The HTTP listeners of REST and of the management port."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .management import Management, encoded
from .rest import RestAPI

_MAX_BODY = 64 << 20


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the journal has it."""

    def body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def answer(self, status: int, body: Any) -> None:
        content = encoded(body)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def rest_server(address: tuple[str, int], api: RestAPI) -> ThreadingHTTPServer:
    class Handler(_Handler):
        def do_POST(self) -> None:
            body = self.body()
            answer = api.post(urlsplit(self.path).path, self.headers.get("Authorization", ""), body)
            self.answer(answer.status, answer.body)

        def do_GET(self) -> None:
            self.body()
            self.answer(404, "404 page not found")

    return _started(address, Handler)


def management_server(address: tuple[str, int], management: Management) -> ThreadingHTTPServer:
    class Handler(_Handler):
        def do_GET(self) -> None:
            self.body()
            parts = urlsplit(self.path)
            self.answer(*management.get(parts.path, parts.query))

    return _started(address, Handler)


def _started(address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(address, handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
