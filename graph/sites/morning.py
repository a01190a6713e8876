"""Which pages, in which order, and how each stands beside what it was: what a team looks at in the morning."""

from __future__ import annotations

from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from domain import audits
from domain.audits import PRODUCTION, PageOrderBy
from domain.errors import Fault, InvalidInput, ProblemCode
from domain.ids import Kind, decode
from domain.measuring import MetricName
from domain.metrics import Rating
from domain.paging import DEFAULT_FIRST, Window

from ..batched import by_key
from ..loaders import Loaders, PageOf
from ..paging import After, First

if TYPE_CHECKING:
    from ..audits.types import Conditions


@strawberry.input(description="Which pages: those for which all holds that is given.")
class PageFilter:
    search: str | None = strawberry.field(default=None, description="A part of the page's name, path, or site's name.")
    tags: list[str] | None = strawberry.field(default=None, description="Of sites that have all of these tags.")
    sites: list[strawberry.ID] | None = strawberry.field(default=None, description="Of these sites.")
    rating: list[Rating] | None = strawberry.field(
        default=None, description="Whose value of the order's `metric` is rated as one of these."
    )
    worse_than_percent: float | None = strawberry.field(
        default=None, description="Whose value of the order's `metric` got worse by more than so many percent."
    )


@strawberry.input(description="In which order pages come, and which of their numbers `filter` and order look at.")
class PageOrder:
    by: PageOrderBy = strawberry.field(description="What comes first.")
    metric: MetricName | None = strawberry.field(default=None, description="Which metric; VALUE and CHANGE ask for one.")
    profile: strawberry.ID | None = strawberry.field(
        default=None,
        description="Measured with this profile; else with each site's default one, whose values are not to be compared with "
        "those of another.",
    )
    environment: str = strawberry.field(default=PRODUCTION, description="In this environment.")


@strawberry.type(description="One metric of a page's newest finished audit, beside those before it under the same conditions.")
class MetricChange:
    """Read straight from a row."""

    value: float = strawberry.field(description="What the newest audit measured.")
    baseline: float | None = strawberry.field(
        description="The median of the audits before it, of up to 5; null where fewer than 2 can be compared."
    )
    change: float | None = strawberry.field(
        description="By which part of the baseline the value lies above it: 0.1 for ten percent more. A baseline of next to "
        "nothing counts as 10 ms, 1 kB, one thing or a hundredth. Whether that is more than chance, a verdict tells."
    )
    audits: int = strawberry.field(description="How many audits before it were measured under the same conditions; at most 5.")
    rating: Rating | None = strawberry.field(description="By the published thresholds; null where there are none.")
    finished_at: datetime = strawberry.field(
        description="When the newest audit finished: a page that cannot be measured any more keeps its last values."
    )
    conditions: Annotated[Conditions, strawberry.lazy("graph.audits.types")] | None = by_key(
        Loaders.conditions,
        "conditions_id",
        "Under which it was measured: values of pages with other ones are not to be set beside it.",
    )


def changed(
    metric: Annotated[MetricName, strawberry.argument(description="Which metric.")],
    profile: Annotated[
        strawberry.ID | None, strawberry.argument(description="With this profile; else with the site's default one.")
    ] = None,
    environment: Annotated[str, strawberry.argument(description="In this environment.")] = PRODUCTION,
) -> audits.Ranking:
    return audits.Ranking(audits.check_watched(metric), _profile(profile, "profile"), environment)


def pages_given(
    first: First = DEFAULT_FIRST,
    after: After = None,
    filter: Annotated[PageFilter | None, strawberry.argument(description="Which pages; else all.")] = None,
    order_by: Annotated[PageOrder | None, strawberry.argument(description="In which order; else by name.")] = None,
) -> PageOf:
    wanted, order = filter or PageFilter(), order_by or PageOrder(by=PageOrderBy.NAME)
    metric = _metric(wanted, order)
    site_ids = [decode(Kind.SITE, id, f"filter.sites.{at}") for at, id in enumerate(wanted.sites or ())]
    values: list[tuple[str, Any]] = [
        ("any_site", wanted.sites is None),
        ("any_tag", not wanted.tags),
        ("order", (order.by, metric)),
        ("search", wanted.search),
        ("sites", tuple(site_ids)),
        ("tags", tuple(wanted.tags or ())),
    ]
    if metric is not None:
        worse = wanted.worse_than_percent
        values += [
            ("any_rating", wanted.rating is None),
            ("environment", order.environment),
            ("profile", _profile(order.profile, "orderBy.profile")),
            ("ratings", tuple(wanted.rating or ())),
            ("worse_than", worse / 100 if worse is not None else None),
        ]
    return PageOf(Window.of(first, after), tuple(sorted(values, key=itemgetter(0))))


def _metric(wanted: PageFilter, order: PageOrder) -> MetricName | None:
    """The one that is looked at; None where none is."""
    by_numbers = order.by in (PageOrderBy.VALUE, PageOrderBy.CHANGE)
    asked = [
        *(["orderBy.by"] if by_numbers else ()),
        *(["filter.rating"] if wanted.rating is not None else ()),
        *(["filter.worseThanPercent"] if wanted.worse_than_percent is not None else ()),
    ]
    if not asked:
        return None
    if order.metric is None:
        message = f"Say in orderBy which metric is meant: {', '.join(asked)} asks for one."
        raise InvalidInput([Fault(("orderBy", "metric"), message, ProblemCode.REQUIRED)])
    return audits.check_watched(order.metric, "orderBy.metric")


def _profile(id: strawberry.ID | None, path: str) -> UUID | None:
    return decode(Kind.PROFILE, id, path) if id is not None else None
