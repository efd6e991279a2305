"""A proxy on loopback before a storage that fails by a plan: errors, resets, bodies cut short or damaged."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Plan = Callable[[int, str, str], str]
"""Number of a request from 0, its method and its path to a fault: ``""``, ``"503"``, ``"500"``, ``"429"``,
``"reset"``, ``"cut"`` or ``"damaged"``."""


@contextmanager
def faulty(address: str, plan: Plan) -> Iterator[str]:
    """Stand before a server; yields the address of the proxy."""
    target = urlsplit(address).netloc
    lock, numbers = threading.Lock(), iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            with lock:
                fault = plan(next(numbers), self.command, self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            if fault.isdigit():
                self._send(int(fault), [], b"<Error><Code>SlowDown</Code></Error>")
                return
            server = http.client.HTTPConnection(target, timeout=20)
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            data = answer.read()
            headers = [item for item in answer.getheaders() if item[0].lower() not in _OWN]
            if self.command == "HEAD":
                self._send(answer.status, answer.getheaders(), b"")
            elif fault == "cut":
                self._send(
                    answer.status, [*headers, ("Content-Length", str(len(data)))], data[: len(data) // 2]
                )
                self.close_connection = True
            else:
                damaged = bytes([data[0] ^ 1]) + data[1:] if fault == "damaged" and data else data
                self._send(answer.status, [*headers, ("Content-Length", str(len(data)))], damaged)
            server.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815

        def _send(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            if not any(name.lower() == "content-length" for name, _ in headers):
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, ValueError):  # a client that is gone, or that was reset on purpose
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_OWN = frozenset({"content-length", "transfer-encoding", "connection"})
