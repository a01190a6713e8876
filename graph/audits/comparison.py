"""One metric of several pages, profiles or sites beside one another."""

from __future__ import annotations

import strawberry

from domain import audits
from domain.audits import Interval

from ..batched import by_key
from ..loaders import Loaders
from ..sites.types import Page, Profile, Site
from .series import POINTS, Point
from .types import Conditions


@strawberry.type(description="A whole series in numbers.")
class SeriesSummary:
    median: float = strawberry.field(description="The median of all audits.")
    p75: float = strawberry.field(description="What three quarters of the audits do not exceed.")
    audits: int = strawberry.field(description="How many audits there are.")


@strawberry.type(description="What is compared: a page, or a site with all of its pages, as one profile measured it.")
class ComparedSeries:
    page: Page | None = by_key(Loaders.page, "page_id", "The page; null where all pages of the site are taken together.")
    site: Site = by_key(Loaders.site, "site_id", "The site.")
    profile: Profile = by_key(Loaders.profile, "profile_id", "The profile.")
    conditions: Conditions | None = by_key(
        Loaders.conditions, "conditions_id", "What all of its audits have in common; null where there are none."
    )
    summary: SeriesSummary | None = strawberry.field(description="All of it in numbers; null where there are no audits.")
    rank: int | None = strawberry.field(description="1 for the best median, and the same for equal ones; null without audits.")

    @strawberry.field(description="What one point stands for: the same for all that are compared.")
    @staticmethod
    def interval(row: strawberry.Parent[audits.Compared]) -> Interval:
        return row.series.interval

    @strawberry.field(
        description="Oldest first, one for each interval from the first to the last; at most 2,000, in an operation 20,000.",
        directives=[POINTS],
    )
    @staticmethod
    def points(row: strawberry.Parent[audits.Compared]) -> list[Point]:
        return row.series.points  # type: ignore[return-value]  # read by the type's fields
