"""What both technologies share over obstore: the shape of a key, and reading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import obstore

from domain.errors import NotFound

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_SEGMENT = r"[a-z0-9_-][a-z0-9_.-]*"
_SHAPE = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*\Z")
_LONGEST = 512


def checked(key: str) -> str:
    """The key itself. Raises ValueError for one that could leave its folder or that some file system cannot hold.

    Keys are made by us and never come from a request, so a bad one is a bug and not a refusal.
    """
    if len(key) > _LONGEST or ".." in key or _SHAPE.match(key) is None:
        raise ValueError("a storage key is a path of lower-case letters, digits, “_”, “-” and “.”")
    return key


async def read(store: ObjectStore, key: str) -> bytes:
    """What was put under the key, byte for byte. Raises NotFound."""
    try:
        found = await obstore.get_async(store, checked(key))
        return bytes(await found.bytes_async())
    except FileNotFoundError:
        raise NotFound("This file is no longer kept.") from None
