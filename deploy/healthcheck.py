"""Exit status 0 when Pacemark in this container answers on its port. Uses nothing but Python, and no proxy."""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException


def alive(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    # Where one environment is given to all, `serve` has another port than the rest.
    ports = os.environ.get("PACEMARK_METRICS_PORT"), os.environ.get("PACEMARK_PORT") or 8000
    sys.exit(0 if any(alive(int(port)) for port in ports if port) else 1)
