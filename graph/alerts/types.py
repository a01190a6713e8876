"""Alerts: what is wrong, since when, and who knows of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain import alerts, security
from domain.alerts import AlertKind, AlertSeverity, AlertState, Resolution

from ..audits.types import Audit
from ..batched import by_key
from ..loaders import Loaders
from ..node import Node, of
from ..rows import reads
from ..sites.types import Page, Profile, Site

if TYPE_CHECKING:
    from ..workspaces.members import Member


def _acknowledged_by(row: alerts.AlertRow) -> tuple[UUID, UUID] | None:
    return (row.workspace_id, row.acknowledged_by_id) if row.acknowledged_by_id is not None else None


@strawberry.type(description="One thing more that is known of what is wrong.")
class AlertDetail:
    name: str = strawberry.field(description="What it is, such as limit; new ones may come.")
    value: str = strawberry.field(description="It itself, as text.")


@strawberry.type(description="Something is wrong: told when it begins, gets worse and ends, however often it is seen between.")
class Alert(Node):
    is_type_of = of(alerts.AlertRow)

    kind: AlertKind = strawberry.field(description="What it is about.")
    severity: AlertSeverity = strawberry.field(description="How grave it is.")
    state: AlertState = strawberry.field(description="How it stands.")
    title: str = strawberry.field(description="What is wrong, as a short sentence.")
    environment: str | None = strawberry.field(description="Where it is so; null where that does not matter.")
    opened_at: datetime = strawberry.field(description="When it was seen first.")
    last_seen_at: datetime = strawberry.field(description="When it was seen last.")
    occurrences: int = strawberry.field(description="How often it was seen.")
    acknowledged_at: datetime | None = strawberry.field(
        description="Since when somebody knows of it as it is, so that nothing but its end is told; null for nobody."
    )
    acknowledged_by: Annotated[Member, strawberry.lazy("graph.workspaces.members")] | None = by_key(
        Loaders.member,
        _acknowledged_by,
        "Who acknowledged it; null for nobody, for an API key, and for who is no member any more or may not be known to you.",
    )
    snoozed_until: datetime | None = strawberry.field(
        description="Until when it is put off; then it is told again if it is so still. Null where it is not put off."
    )
    resolved_at: datetime | None = strawberry.field(description="When it ended; null while it is so.")
    resolution: Resolution | None = strawberry.field(description="Why it ended; null while it is so.")

    site: Site = by_key(Loaders.site, "site_id", "The site that it is about.")
    page: Page | None = by_key(Loaders.page, "page_id", "The page that it is about; null for the whole site.")
    profile: Profile | None = by_key(
        Loaders.profile, "profile_id", "How it was measured; null where that does not matter, or once it is deleted."
    )
    audit: Audit | None = by_key(
        Loaders.audit, "audit_id", "The audit in which it was seen first; null for none, or once it is deleted."
    )

    @strawberry.field(description="What else is known of it, by name, as it was seen last.", metadata=reads("details"))
    @staticmethod
    def details(row: strawberry.Parent[alerts.AlertRow]) -> list[AlertDetail]:
        return [AlertDetail(name=name, value=security.as_text(value)) for name, value in sorted(row.details.items())]
