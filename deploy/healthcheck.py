"""Exit status 0 when `pacemark serve` in this container answers. Uses nothing but Python, and no proxy."""

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
    sys.exit(0 if alive(int(os.environ.get("PACEMARK_PORT") or 8000)) else 1)
