#!/usr/bin/env python3
"""Stands in for Node.js in tests of the engine without a browser: a real process, told by the page's path what to do."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit


def say(step: object) -> None:
    print(json.dumps(step), flush=True)


def hang_with_a_child(folder: Path) -> None:
    """A process that will not end by itself, and another that it started, which hears no SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "300"])
    (folder.parent / "started.json").write_text(json.dumps([os.getpid(), child.pid]))
    say({"phase": "LOADING"})
    time.sleep(300)


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print("v22.19.0")
        return
    job = json.loads(sys.stdin.readline())
    output = Path(job["output"])
    (output.parent.parent / "seen.json").write_text(json.dumps({"job": job, "argv": sys.argv, "environment": dict(os.environ)}))
    match urlsplit(job["url"]).path:
        case "/hang":
            hang_with_a_child(output.parent)
        case "/crash":
            sys.exit("SyntaxError: Unexpected token")
        case "/no-chrome":
            say({"failed": {"code": "CHROME_NOT_STARTED"}})
        case "/throws":
            say({"failed": {"code": "PROTOCOL_TIMEOUT", "message": "Waiting for DevTools protocol response."}})
        case "/garbage":
            output.write_bytes(b"<html>")
            say({"done": True})
        case _:
            for phase in ("LOADING", "RESOURCES", "ANALYSING"):
                say({"phase": phase})
            print("a line of somebody's debugging", flush=True)
            output.write_bytes((Path(__file__).parent / "fixtures" / "lighthouse-13.5.0.json").read_bytes())
            say({"done": True})


main()
