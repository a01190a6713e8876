"""Artifacts: reports and pictures, behind links that expire."""

from __future__ import annotations

import strawberry

from domain import files

from .context import Info
from .node import Node, of
from .scalars import Url


@strawberry.type(description="A file that a run left.")
class Artifact(Node):
    is_type_of = of(files.FileRow)

    kind: files.FileKind = strawberry.field(description="What it holds.")
    at_ms: float | None = strawberry.field(description="Milliseconds after the start of the load; null but for filmstrips.")
    bytes: float = strawberry.field(description="Its size as stored.")
    content_type: str = strawberry.field(description="Its media type.")

    @strawberry.field(description="Where it can be fetched by anyone who has the link, for 24 hours.")
    @staticmethod
    async def url(row: strawberry.Parent[files.FileRow], info: Info) -> Url:
        return Url(await info.context.file_link(row))
