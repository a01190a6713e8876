"""Single sites, of which members, invitations and keys may be: as they are named, and as whoever asks sees them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import strawberry

from domain.ids import Kind, decode

from ..context import Info


def decoded(sites: Collection[strawberry.ID] | None) -> list[UUID] | None:
    """Raises InvalidInput."""
    return None if sites is None else [decode(Kind.SITE, each, "sites") for each in sites]


async def of_ids(info: Info, ids: Collection[UUID]) -> Any:
    """Those of the sites that are there still, and that whoever asks sees."""
    return [row for row in await info.context.loaders.site.load_many(list(ids)) if row is not None]


async def of_hex(info: Info, sites: Collection[str] | None) -> Any:
    return None if sites is None else await of_ids(info, [UUID(hex=each) for each in sites])
