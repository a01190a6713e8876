"""Files in a folder of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import obstore
from obstore.store import LocalStore

from .objects import checked, read


class DiskStorage:
    """Keeps bytes alone: a folder has no place for content types, which our database knows anyway."""

    def __init__(self, folder: Path) -> None:
        self._store = LocalStore(folder, mkdir=True, automatic_cleanup=True)

    async def put(self, key: str, data: bytes, *, content_type: str, content_encoding: str | None = None) -> None:
        await obstore.put_async(self._store, checked(key), data)

    async def get(self, key: str) -> bytes:
        return await read(self._store, key)

    async def delete(self, keys: Sequence[str]) -> None:
        for key in [checked(key) for key in keys]:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue

    async def link(self, key: str, *, seconds: int) -> str | None:
        return None
