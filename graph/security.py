"""The security log in GraphQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry

from domain import security
from domain.ids import Kind, encode
from domain.security import SecurityKind


@strawberry.type(description="One thing more that is known of what was done.")
class SecurityDetail:
    name: str = strawberry.field(description="What it is, such as role; new ones may come.")
    value: str = strawberry.field(description="It itself, as text.")


@strawberry.type(
    description="Somebody did something that others may want to know of. What it names may be gone by now: then `node` gives "
    "null for its id."
)
class SecurityEntry:
    at: datetime = strawberry.field(description="When it was done.")
    kind: SecurityKind = strawberry.field(description="What was done.")
    address: str = strawberry.field(description="The address from which it was asked for; empty for this installation itself.")
    agent: str = strawberry.field(description="What the asking program says that it is. Anybody can write anything there.")
    subject: strawberry.ID | None = strawberry.field(description="The id of what it was done to.")

    @strawberry.field(description="No two entries share one. `node` does not find it.")
    @staticmethod
    def id(row: strawberry.Parent[security.SecurityRow]) -> strawberry.ID:
        return strawberry.ID(f"entry_{row.id.hex}")

    @strawberry.field(description="The person who did it, or whose account it is about; null for nobody in particular.")
    @staticmethod
    def user_id(row: strawberry.Parent[security.SecurityRow]) -> strawberry.ID | None:
        return _id(Kind.USER, row.user_id)

    @strawberry.field(description="The API key with which it was done; null for none.")
    @staticmethod
    def key_id(row: strawberry.Parent[security.SecurityRow]) -> strawberry.ID | None:
        return _id(Kind.KEY, row.key_id)

    @strawberry.field(description="What else is known of it, by name.")
    @staticmethod
    def details(row: strawberry.Parent[security.SecurityRow]) -> list[SecurityDetail]:
        return [SecurityDetail(name=name, value=security.as_text(value)) for name, value in sorted(row.details.items())]


def _id(kind: Kind, id: UUID | None) -> strawberry.ID | None:
    return strawberry.ID(encode(kind, id)) if id is not None else None
