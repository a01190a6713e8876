"""How a workspace's pages stand, asked over GraphQL: of this process, or of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple

from app.asking import EACH, There, workspace_of
from app.auditing.plain import plain
from app.errors import Unusable
from domain import metrics
from domain.audits import WATCHED
from domain.measuring import MetricName
from domain.metrics import Direction, Rating

MOST = 5_000
"""Of pages, of sites and of alerts, each; what lies behind is told of, not asked for."""

OLD_AFTER = timedelta(days=8)
"""What is measured every week is not old."""

LEAST_SHOWN = 0.0005
"""A change by less is none: it is shown as nothing, and counted so."""

STATUS = """query Status($workspace: String!, $first: Int!, $filter: PageFilter, $order: PageOrder!, $tags: [String!],
  $metric: MetricName!, $profile: ID, $environment: String!, $pages: Boolean!, $afterPage: Cursor, $sites: Boolean!,
  $afterSite: Cursor, $alerts: Boolean!, $afterAlert: Cursor) {
  workspace(slug: $workspace) {
    name
    alerts(first: $first, after: $afterAlert, state: OPEN) @include(if: $alerts) {
      nodes { id kind severity title openedAt environment site { id name tags } page { path } }
      pageInfo { hasNextPage endCursor }
    }
    sites(first: $first, after: $afterSite, tags: $tags) @include(if: $sites) {
      nodes { id name }
      pageInfo { hasNextPage endCursor }
    }
    pages(first: $first, after: $afterPage, filter: $filter, orderBy: $order) @include(if: $pages) {
      nodes {
        id name path url
        site { id name }
        change(metric: $metric, profile: $profile, environment: $environment) {
          value baseline change audits rating finishedAt
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""
PROFILES = "query Profiles($workspace: String!) { workspace(slug: $workspace) { profiles { id name } } }"


class Wish(NamedTuple):
    """What is to be known: `profile` by its name, or None for each site's default one."""

    metric: str
    profile: str | None
    environment: str
    tags: tuple[str, ...]
    old_after: timedelta = OLD_AFTER


class Stand(StrEnum):
    """How a page stands. OLD: what is known of it was measured too long ago to say how it is now."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "same"
    OLD = "old"
    UNKNOWN = "unknown"


class PageStatus(NamedTuple):
    """A page and how it stands; `worse` by which part it got worse, None where that is not known."""

    id: str
    path: str
    url: str
    site_id: str
    site: str
    value: float | None
    baseline: float | None
    change: float | None
    worse: float | None
    audits: int
    rating: Rating | None
    finished_at: datetime | None
    is_old: bool

    @property
    def stand(self) -> Stand:
        if self.is_old:
            return Stand.OLD
        if self.worse is None:
            return Stand.UNKNOWN
        if abs(self.worse) < LEAST_SHOWN:
            return Stand.SAME
        return Stand.WORSE if self.worse > 0 else Stand.BETTER


class AlertStatus(NamedTuple):
    """What is wrong and nobody has said that they know of."""

    id: str
    kind: str
    severity: str
    title: str
    opened_at: datetime
    environment: str | None
    site: str
    path: str | None


class Status(NamedTuple):
    """The pages come worst first, `sites` by name; `is_whole`: there are no others behind them."""

    name: str
    metric: MetricName
    pages: Sequence[PageStatus]
    sites: Mapping[str, str]
    alerts: Sequence[AlertStatus]
    old_after: timedelta = OLD_AFTER
    is_whole: bool = True

    @property
    def tally(self) -> Mapping[Stand, int]:
        found = Counter(page.stand for page in self.pages)
        return {stand: found[stand] for stand in Stand}

    @property
    def compared(self) -> int:
        """How many pages can be said to have changed or not."""
        tally = self.tally
        return tally[Stand.WORSE] + tally[Stand.BETTER] + tally[Stand.SAME]

    def by_site(self, top: int | None) -> list[list[PageStatus]]:
        """The worst pages that can be compared, and behind them what is old, site by site: the one with the worst first.

        All pages, also those of which nothing is known, where `top` is None.
        """
        fresh = [page for page in self.pages if page.stand not in (Stand.OLD, Stand.UNKNOWN)]
        old = [page for page in self.pages if page.stand is Stand.OLD]
        unknown = [page for page in self.pages if page.stand is Stand.UNKNOWN] if top is None else []
        shown = [*fresh, *old, *unknown][:top]
        order = {site: place for place, site in enumerate(dict.fromkeys(page.site_id for page in shown))}
        pages = sorted(shown, key=lambda page: order[page.site_id])
        return [list(own) for _, own in groupby(pages, key=lambda page: page.site_id)]

    def fine_and_unsure(self) -> tuple[int, int]:
        """Of how many sites every page is known not to be worse, and of how many neither that nor the contrary."""
        stands: dict[str, set[Stand]] = {site: set() for site in self.sites}
        for page in self.pages:
            stands.setdefault(page.site_id, set()).add(page.stand)
        fine = sum(bool(each) and each <= {Stand.BETTER, Stand.SAME} for each in stands.values())
        return fine, len(stands) - fine - sum(Stand.WORSE in each for each in stands.values())


def checked_metric(name: str) -> MetricName:
    """Raises Unusable."""
    if name not in {metric.name for metric in WATCHED}:
        raise Unusable(f"--metric is one of {', '.join(metric.name for metric in WATCHED)}.")
    return MetricName[name]


async def ask(there: There, wish: Wish) -> Status:
    """One query, and one more for each further hundred of a large workspace. Raises Unusable."""
    metric = checked_metric(wish.metric)
    profile = await _profile(there, wish.profile) if wish.profile is not None else None
    which = {"metric": metric.name, "profile": profile, "environment": wish.environment}
    tags = list(wish.tags) or None
    given = {"filter": {"tags": tags}, "order": {"by": "CHANGE", **which}, "tags": tags, **which}
    found: dict[str, list[Mapping[str, Any]]] = {"pages": [], "sites": [], "alerts": []}
    after: dict[str, str | None] = dict.fromkeys(found)
    wanted = list(found)
    while True:
        cursors = {"afterPage": after["pages"], "afterSite": after["sites"], "afterAlert": after["alerts"]}
        parts = {name: name in wanted for name in found}
        said = workspace_of(await there.ask(STATUS, workspace=there.workspace, first=EACH, **given, **parts, **cursors), there)
        for name in wanted:
            found[name] += said[name]["nodes"]
            after[name] = said[name]["pageInfo"]["endCursor"]
        more = [name for name in wanted if said[name]["pageInfo"]["hasNextPage"]]
        wanted = [name for name in more if len(found[name]) < MOST]
        if not wanted:
            return _told(said["name"], metric, wish, found, is_whole=not more)


async def _profile(there: There, name: str) -> str:
    found = workspace_of(await there.ask(PROFILES, workspace=there.workspace), there)["profiles"]
    ids = [each["id"] for each in found if name in (each["name"], each["id"])]
    if not ids:
        names = ", ".join(plain(each["name"], 60) for each in found)
        raise Unusable(f"There is no profile {name!r} there. There are: {names}.")
    id: str = ids[0]
    return id


def _told(
    name: str, metric: MetricName, wish: Wish, found: Mapping[str, Iterable[Mapping[str, Any]]], *, is_whole: bool
) -> Status:
    since = datetime.now(UTC) - wish.old_after
    pages = [_page(node, metric, since) for node in found["pages"]]
    sites = {node["id"]: node["name"] for node in found["sites"]}
    alerts = [_alert(node) for node in found["alerts"] if _is_meant(node, wish)]
    return Status(name, metric, pages, sites, alerts, wish.old_after, is_whole)


def _is_meant(alert: Mapping[str, Any], wish: Wish) -> bool:
    """An alert without an environment, such as one of a schedule, belongs to all of them."""
    return set(wish.tags) <= set(alert["site"]["tags"]) and alert["environment"] in (None, wish.environment)


def _page(node: Mapping[str, Any], metric: MetricName, since: datetime) -> PageStatus:
    """What finished before `since` is old."""
    stands: Mapping[str, Any] = node["change"] or {}
    change = stands.get("change")
    better = metrics.CATALOGUE[metric].direction is Direction.HIGHER_IS_BETTER
    rating = stands.get("rating")
    finished_at = datetime.fromisoformat(stands["finishedAt"]) if stands else None
    return PageStatus(
        id=node["id"],
        path=node["path"],
        url=node["url"],
        site_id=node["site"]["id"],
        site=node["site"]["name"],
        value=stands.get("value"),
        baseline=stands.get("baseline"),
        change=change,
        worse=None if change is None else -change if better else change,
        audits=stands.get("audits", 0),
        rating=Rating(rating) if rating is not None else None,
        finished_at=finished_at,
        is_old=finished_at is not None and finished_at < since,
    )


def _alert(node: Mapping[str, Any]) -> AlertStatus:
    return AlertStatus(
        id=node["id"],
        kind=node["kind"],
        severity=node["severity"],
        title=node["title"],
        opened_at=datetime.fromisoformat(node["openedAt"]),
        environment=node["environment"],
        site=node["site"]["name"],
        path=node["page"]["path"] if node["page"] else None,
    )
