"""Schedules: what is audited regularly, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import strawberry

from domain import schedules
from domain.errors import InvalidInput, ProblemCode

from ..batched import by_key
from ..loaders import Loaders
from ..node import Node, of
from ..scalars import TimeZone
from ..sites.types import Page, Profile, Site

MAX_UPCOMING = 50


@strawberry.type(description="A site, or one page of it, audited regularly.")
class Schedule(Node):
    is_type_of = of(schedules.ScheduleRow)

    name: str = strawberry.field(description="Its name in the site.")
    environment: str = strawberry.field(description="Where the pages stand.")
    runs: int | None = strawberry.field(description="How many runs each audit has; null for as many as the profile says.")
    cron: str | None = strawberry.field(description="The times as a cron expression; null for every so many minutes.")
    every_minutes: int | None = strawberry.field(
        description="Every so many minutes, counted from its making on; null for a cron expression."
    )
    time_zone: TimeZone = strawberry.field(
        description="Whose clocks the cron expression means. Where they change, it is read as Debian's cron reads it."
    )
    jitter_seconds: int = strawberry.field(
        description="It fires up to so many seconds later, each time another number of them, so that not all fire at once."
    )
    paused_at: datetime | None = strawberry.field(description="Since when it is paused; null when it is not.")
    next_at: datetime | None = strawberry.field(description="When it fires next; null while it is paused.")
    last_at: datetime | None = strawberry.field(description="When it last asked for audits; null for never.")
    created_at: datetime = strawberry.field(description="When it was made.")

    site: Site = by_key(Loaders.site, "site_id", "The site that is audited.")
    page: Page | None = by_key(Loaders.page, "page_id", "The one page that is audited; null for all pages of the site.")
    profile: Profile | None = by_key(Loaders.profile, "profile_id", "How it is measured; null for each of the site's profiles.")

    @strawberry.field(description="Whether it is paused.")
    @staticmethod
    def paused(row: strawberry.Parent[schedules.ScheduleRow]) -> bool:
        return row.paused_at is not None

    @strawberry.field(description="The next times that it fires, jitter included; none while it is paused.")
    @staticmethod
    def upcoming(
        row: strawberry.Parent[schedules.ScheduleRow],
        first: Annotated[int, strawberry.argument(description="How many; 1 to 50.")] = 5,
    ) -> list[datetime]:
        if not 1 <= first <= MAX_UPCOMING:
            raise InvalidInput.at("first", f"first is from 1 to {MAX_UPCOMING}.", ProblemCode.OUT_OF_RANGE)
        return schedules.upcoming(row, first, datetime.now(UTC)) if row.paused_at is None else []
