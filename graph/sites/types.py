"""Sites, their pages, the workspace's profiles, and what is sent to reach a site."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from domain import audits, sites
from domain.audits import PRODUCTION, Interval, Statistic
from domain.ids import Kind, decode
from domain.measuring import EngineName, FormFactor, MetricName, ThrottlingMethod
from domain.paging import Window

from ..alerting import alerts_given
from ..batched import by_key, paged
from ..breaches import breaches_given
from ..context import Info
from ..costs import HISTORY
from ..given import From, To, of_annotations, of_deploys, of_marks, of_snapshots, of_verdicts
from ..loaders import Loaders, PageOf
from ..node import Node, of
from ..paging import After, Connection
from ..rows import reads
from ..scalars import Cursor, TimeZone, Url
from .morning import changed

if TYPE_CHECKING:
    from ..alerts.types import Alert
    from ..audits.series import Series
    from ..audits.types import Audit
    from ..budgets.types import Breach, Budget
    from ..marking.types import Annotation, Deploy, Mark
    from ..schedules.types import Schedule
    from ..snapshots.types import Snapshot
    from ..verdicts.types import Verdict
    from ..workspaces.types import Workspace
    from .morning import MetricChange


@strawberry.type(description="A slower network and processor.")
class Throttling:
    method: ThrottlingMethod = strawberry.field(description="How the slowness comes about.")
    rtt_ms: float = strawberry.field(description="Round-trip time in milliseconds.")
    throughput_kbps: float = strawberry.field(description="Throughput in kilobits a second.")
    cpu_slowdown: float = strawberry.field(description="How many times slower the processor is.")


@strawberry.type(description="How a page is measured.")
class Profile(Node):
    is_type_of = of(sites.ProfileRow)

    name: str = strawberry.field(description="Its name in the workspace.")
    version: int = strawberry.field(description="Goes up when the way of measuring changes.")
    engine: EngineName = strawberry.field(description="What measures.")
    form_factor: FormFactor = strawberry.field(description="The device that is measured, or pretended to be.")
    runs: int = strawberry.field(description="How many runs an audit has.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(description="The slowness; null for the form factor's preset.")
    @staticmethod
    def throttling(row: strawberry.Parent[sites.ProfileRow]) -> Throttling | None:
        return sites.throttling_of(row)  # type: ignore[return-value]  # read by the type's fields


@strawberry.type(description="What is sent to reach a site: the names alone, never the values.")
class Access:
    header_names: list[str] = strawberry.field(description="The names of the headers.")
    cookie_names: list[str] = strawberry.field(description="The names of the cookies.")
    has_password: bool = strawberry.field(description="Whether a user name and a password are sent.")
    updated_at: datetime = strawberry.field(description="When it was set.")


def _path_key(
    row: sites.SiteRow, path: Annotated[str, strawberry.argument(description="Such as /pricing?plan=team.")]
) -> tuple[UUID, str]:
    return row.id, sites.split_path(path)


@strawberry.type(description="What is watched: an origin with its pages.")
class Site(Node):
    is_type_of = of(sites.SiteRow)

    slug: str = strawberry.field(description="Its short name in the workspace.")
    name: str = strawberry.field(description="Its name for people.")
    origin: Url = strawberry.field(description="Scheme, host and port.")
    tags: list[str] = strawberry.field(description="Such as the client or the team.")
    created_at: datetime = strawberry.field(description="When it was added.")

    workspace: Annotated[Workspace, strawberry.lazy("graph.workspaces.types")] = by_key(
        Loaders.workspace, "workspace_id", "Whose it is."
    )
    profiles: list[Profile] = by_key(Loaders.profiles_of_site, "id", "The profiles that it is measured with.")
    default_profile: Profile = by_key(Loaders.profile, "default_profile_id", "The profile that is meant where none is named.")
    access: Access | None = by_key(Loaders.access_of_site, "id", "What is sent to reach it; null for nothing.")
    page: Page | None = by_key(Loaders.page_by_path, _path_key, "A page by its path, with its query; null when there is none.")
    pages: Connection[Page] = paged(Loaders.pages_of_site, "Its pages, by path.")
    deploys: Connection[Annotated[Deploy, strawberry.lazy("graph.marking.types")]] = paged(
        Loaders.deploys_of_site, "What went live of it, the newest first.", given=of_deploys
    )
    annotations: Connection[Annotated[Annotation, strawberry.lazy("graph.marking.types")]] = paged(
        Loaders.annotations_of_site,
        "What people wrote to a time of it, the newest first.",
        given=of_annotations,
    )
    schedules: Connection[Annotated[Schedule, strawberry.lazy("graph.schedules.types")]] = paged(
        Loaders.schedules_of_site, "Its schedules, those of single pages too, by name."
    )
    snapshots: Connection[Annotated[Snapshot, strawberry.lazy("graph.snapshots.types")]] = paged(
        Loaders.snapshots_of_site, "What was measured together of it, the newest first.", given=of_snapshots
    )
    verdicts: Connection[Annotated[Verdict, strawberry.lazy("graph.verdicts.types")]] = paged(
        Loaders.verdicts_of_site, "What was said of its pages, the newest first.", given=of_verdicts
    )
    alerts: Connection[Annotated[Alert, strawberry.lazy("graph.alerts.types")]] = paged(
        Loaders.alerts_of_site, "Its alerts, those of its pages too, newest first.", given=alerts_given
    )
    budgets: Connection[Annotated[Budget, strawberry.lazy("graph.budgets.types")]] = paged(
        Loaders.budgets_of_site, "Its own budgets, by name; those of the whole workspace hold for it too."
    )


UTC = TimeZone("UTC")

ProfileId = Annotated[strawberry.ID | None, strawberry.argument(description="Measured with this profile.")]


def profile_id(id: strawberry.ID | None, path: str = "profile") -> Any:
    return decode(Kind.PROFILE, id, path) if id is not None else None


def _latest(
    profile: Annotated[
        strawberry.ID | None, strawberry.argument(description="With this profile; else with the site's default one.")
    ] = None,
    environment: Annotated[str, strawberry.argument(description="In this environment.")] = PRODUCTION,
) -> audits.Latest:
    return audits.Latest(profile_id(profile), environment)


def _audits_given(
    first: Annotated[int | None, strawberry.argument(description="How many of the newest; 1 to 100, else 20.")] = None,
    after: After = None,
    last: Annotated[int | None, strawberry.argument(description="How many of the oldest; 1 to 100.")] = None,
    before: Annotated[Cursor | None, strawberry.argument(description="Only what comes before this cursor.")] = None,
    profile: ProfileId = None,
    environment: Annotated[str | None, strawberry.argument(description="In this environment only.")] = None,
    from_: From = None,
    to: To = None,
) -> PageOf:
    values = (("environment", environment), ("profile", profile_id(profile)), ("since", from_), ("until", to))
    return PageOf(Window.of(first, after, last, before), values)


@strawberry.type(description="A path of a site, with its query.")
class Page(Node):
    is_type_of = of(sites.PageRow)

    name: str = strawberry.field(description="Its name for people.")
    path: str = strawberry.field(description="Its path and query.")
    created_at: datetime = strawberry.field(description="When it was added.")

    site: Site = by_key(Loaders.site, "site_id", "Where it belongs.")
    latest_audit: Annotated[Audit, strawberry.lazy("graph.audits.types")] | None = by_key(
        Loaders.latest_audit, "id", "The newest finished audit; null when there is none yet.", given=_latest
    )
    change: Annotated[MetricChange, strawberry.lazy("graph.sites.morning")] | None = by_key(
        Loaders.change_of_page,
        "id",
        "A metric of the newest finished audit, beside those before it; null where that did not measure it.",
        given=changed,
    )
    audits: Connection[Annotated[Audit, strawberry.lazy("graph.audits.types")]] = paged(
        Loaders.audits_of_page, "Its audits, the newest first, whatever their state.", given=_audits_given
    )
    verdicts: Connection[Annotated[Verdict, strawberry.lazy("graph.verdicts.types")]] = paged(
        Loaders.verdicts_of_page, "What was said of it, the newest first.", given=of_verdicts
    )
    marks: Connection[Annotated[Mark, strawberry.lazy("graph.marking.types")]] = paged(
        Loaders.marks_of_page,
        "What happened beside its series, the newest first: deploys of its site, what people wrote to it or to the whole site, "
        "and what regressed or improved.",
        given=of_marks,
    )
    schedules: Connection[Annotated[Schedule, strawberry.lazy("graph.schedules.types")]] = paged(
        Loaders.schedules_of_page, "The schedules of this page alone, by name; those of its whole site audit it too."
    )
    alerts: Connection[Annotated[Alert, strawberry.lazy("graph.alerts.types")]] = paged(
        Loaders.alerts_of_page, "The alerts about this page, newest first.", given=alerts_given
    )
    breaches: Connection[Annotated[Breach, strawberry.lazy("graph.budgets.types")]] = paged(
        Loaders.breaches_of_page, "What broke its budgets, the newest first.", given=breaches_given
    )

    @strawberry.field(description="Its whole address.", metadata=reads("origin", "path"))
    @staticmethod
    def url(row: strawberry.Parent[sites.PageRow]) -> Url:
        return Url(row.origin + row.path)

    @strawberry.field(
        description="Metrics over time, of finished audits with one profile in one environment: one series a metric and "
        "conditions, in the order in which they began.",
        directives=[HISTORY],
    )
    @staticmethod
    async def time_series(
        row: strawberry.Parent[sites.PageRow],
        info: Info,
        metrics: Annotated[list[MetricName], strawberry.argument(description="Which metrics.")],
        profile: Annotated[strawberry.ID, strawberry.argument(description="Measured with this profile.")],
        environment: Annotated[str, strawberry.argument(description="In this environment.")] = PRODUCTION,
        from_: From = None,
        to: To = None,
        interval: Annotated[Interval, strawberry.argument(description="How much time one point stands for.")] = Interval.AUTO,
        statistic: Annotated[
            Statistic, strawberry.argument(description="Which number stands for an interval's audits.")
        ] = Statistic.P50,
        time_zone: Annotated[TimeZone, strawberry.argument(description="Whose days and weeks are meant.")] = UTC,
    ) -> list[Annotated[Series, strawberry.lazy("graph.audits.series")]]:
        wanted = tuple(dict.fromkeys(metrics))
        what = (profile_id(profile), environment, wanted, from_, to, interval, statistic, time_zone)
        return await info.context.loaders.series.load(audits.SeriesKey(row.id, *what))


def _site_key(_root: None, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]) -> UUID:
    return decode(Kind.SITE, id)


def _page_key(_root: None, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]) -> UUID:
    return decode(Kind.PAGE, id)


@strawberry.type
class Query:
    site: Site | None = by_key(Loaders.site, _site_key, "A site; null when it is not there or not yours.")
    page: Page | None = by_key(Loaders.page, _page_key, "A page; null when it is not there or not yours.")
