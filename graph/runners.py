"""Runners: the workers that measure."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import runners
from domain.measuring import EngineName

from .node import Node, of


@strawberry.type(description="A worker that measures.")
class Runner(Node):
    is_type_of = of(runners.RunnerRow)

    name: str = strawberry.field(description="Its name; the same name is the same runner.")
    location: str = strawberry.field(description="Where it stands.")
    pool: str = strawberry.field(description="Runners of one pool measure alike: their results are compared.")
    seen_at: datetime = strawberry.field(description="When it last said that it is there.")

    @strawberry.field(description="What it can measure with.")
    @staticmethod
    def engines(row: strawberry.Parent[runners.RunnerRow]) -> list[EngineName]:
        return [EngineName(engine) for engine in row.engines]
