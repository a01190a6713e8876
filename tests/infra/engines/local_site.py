"""A web site on a loopback address that remembers what it was asked, for engines that run a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Page:
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


@dataclass
class Asked:
    path: str
    headers: dict[str, str]


class Site:
    """`pages` may be filled after the start, when the addresses of other sites are known."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        host, port = server.server_address[:2]
        self.host, self.port = str(host), port
        self.origin = f"http://{self.host}:{self.port}"
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self.stopped = threading.Event()

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.partition("?")[0] == path]


@contextmanager
def site(host: str = "127.0.0.1") -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            running.asked.append(Asked(self.path, {name.lower(): value for name, value in self.headers.items()}))
            page = running.pages.get(self.path.partition("?")[0], Page(b"nothing here", status=404))
            if page.hangs:
                running.stopped.wait(60)
                return
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.body)))
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent: the tests look at `asked`."""

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    running = Site(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield running
    finally:
        running.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
