"""The site that is audited: quick pages, slow ones, heavy ones, and some that fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, NamedTuple

from tests.servers import free_port


class Page(NamedTuple):
    body: bytes
    seconds: float = 0.0
    status: int = 200


_HTML = b"<!doctype html><html lang=en><title>A page</title><link rel=stylesheet href=/style.css><h1>A page</h1>"
PAGES: Mapping[str, Page] = {
    "/": Page(_HTML),
    "/plain": Page(_HTML + b"<p>Nothing else." * 200),
    "/steady": Page(_HTML),
    "/slow": Page(_HTML, 0.1),
    "/slower": Page(_HTML, 0.2),
    "/slowest": Page(_HTML, 0.3),
    # Reading it takes the probe's child process half a second: long enough for its worker to be killed meanwhile.
    "/heavy": Page(_HTML + b"".join(b'<p class=a id="p%d"><a href="/%d">x</a><img src=/i.png>' % (n, n) for n in range(5_000))),
    "/broken": Page(b"This page is broken.", 0.05, 500),
    "/style.css": Page(b"h1 { color: teal }", 0.02),
}


class Site:
    def __init__(self, origin: str, closed: str) -> None:
        self._chosen = {
            **{f"{origin}{path}": 20 for path in ("/", "/plain")},
            **{f"{origin}{path}": 16 for path in ("/slow", "/slower", "/slowest")},
            f"{origin}/heavy": 3,
            f"{origin}/broken": 3,
            f"{closed}/": 3,
        }
        self.steady = f"{origin}/steady"

    def any(self, random: Random) -> str:
        """The address of one of the pages."""
        return random.choices(list(self._chosen), list(self._chosen.values()))[0]


@contextmanager
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = PAGES.get(self.path.partition("?")[0], Page(b"nothing here", status=404))
            time.sleep(page.seconds)
            self.send_response(page.status)
            self.send_header("Content-Type", "text/css" if self.path.endswith(".css") else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent: the trial prints what it does, and nothing else."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A worker that is killed breaks off its request."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_address[1]}", f"http://127.0.0.1:{free_port()}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
