"""What tracing costs: one lookup through the whole application in process, off, with metrics, at 1 % and at 100 %.

Each way is a process of its own, as providers can be set only once in one, and they take turns. Counted is processor
time with all threads, the exporter's too. On a busy machine believe the least, not the median.
`python -m bench.telemetry [rounds]`
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WAYS: dict[str, dict[str, Any]] = {
    "off": {},
    "metrics": {"metrics": True},
    "metrics, 1 % traced": {"metrics": True, "sample": 0.01},
    "metrics, all traced": {"metrics": True, "sample": 1.0},
}
ROUNDS = 150
OPERATIONS = 20
REQUEST = """mutation { auditRequest(input: {target: {url: "https://example.com/"}}) {
  ... on AuditRequestPayload { audit { page { id } } } } }"""
LOOKUP = "query Lookup($id: ID!) { page(id: $id) { id name path site { name } latestAudit { state metrics { lcpMs cls } } } }"


class Sink(BaseHTTPRequestHandler):
    """A collector that takes everything and keeps nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as closing:
        sink = closing.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Sink))
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        closing.callback(sink.shutdown)
        ways = {name: closing.enter_context(Way(name, sink.server_address[1])) for name in WAYS}
        for way in ways.values():
            way.take()
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        order = list(ways)
        for _ in range(rounds):
            for name in order:
                seconds[name].append(ways[name].take() / OPERATIONS)
            order.append(order.pop(0))
    base = seconds["off"]
    print(f"processor time of a lookup in µs; {rounds} rounds of {OPERATIONS}")
    print(f"{'':22}{'median':>8}{'least':>8}{'ratio':>8}{'its quartiles':>18}")
    for name, took in seconds.items():
        ratios = [one / other for one, other in zip(took, base, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        times = f"{statistics.median(took) * 1e6:8.0f}{min(took) * 1e6:8.0f}"
        print(f"{name:22}{times}{middle:8.3f}{f'{low:.3f} – {high:.3f}':>18}")


class Way:
    """A process that answers in one of the ways, when told to."""

    def __init__(self, name: str, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.telemetry", "--answer", name, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def take(self) -> float:
        """The processor time of one round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("go", file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())


async def answer(way: str, port: int) -> None:
    from app import bootstrap
    from app.asgi import create_app
    from app.settings import Settings
    from infra.telemetry import Telemetry

    given = dict(WAYS[way])
    endpoint = f"http://127.0.0.1:{port}" if "sample" in given else None
    telemetry = Telemetry(service_name="pacemark-bench", service_version="0", endpoint=endpoint, **given)
    telemetry.start()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder))
        async with bootstrap.embedded(settings) as (house, workspace_id):
            ask = asking(create_app(house), await bootstrap.first_key(house, workspace_id))
            page = (await ask(REQUEST, {}))["auditRequest"]["audit"]["page"]["id"]
            while await asyncio.to_thread(sys.stdin.readline):
                began = time.process_time()
                for _ in range(OPERATIONS):
                    assert (await ask(LOOKUP, {"id": page}))["page"]["id"] == page
                print(time.process_time() - began, flush=True)
    await asyncio.to_thread(telemetry.close)


def asking(app: Any, key: str) -> Callable[[str, dict[str, str]], Awaitable[Any]]:
    """Asks the application as a server would, without a socket."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"content-type", b"application/json"),
            (b"authorization", b"Bearer " + key.encode()),
            (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
    }

    async def ask(query: str, variables: dict[str, str]) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        sent: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message.get("body", b""))

        # A task for each, as a server makes one.
        await asyncio.create_task(app(dict(scope), receive, send))
        said = json.loads(b"".join(sent))
        assert "errors" not in said, said
        return said["data"]

    return ask


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        asyncio.run(answer(sys.argv[2], int(sys.argv[3])))
    else:
        main()
