"""Where files lie outside the database: `disk.py` and `s3.py` implement `domain.ports.Storage` over obstore."""

from __future__ import annotations

import atexit
import time

from .disk import DiskStorage
from .s3 import S3Storage

__all__ = ["DiskStorage", "S3Storage", "settle_at_exit"]


def settle_at_exit() -> None:
    """Let obstore's threads come to rest before the interpreter goes. Call it once in a process that uses a storage.

    A process that ends right after its last storage call is otherwise sometimes aborted (SIGABRT, exit status 134):
    obstore's runtime threads still reach for an interpreter that is already being torn down.
    """
    atexit.register(time.sleep, 0.05)
