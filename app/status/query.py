"""How a workspace's pages stand, asked over GraphQL: of this process, or of another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from app.auditing.plain import plain
from app.errors import Unusable
from domain import metrics
from domain.audits import WATCHED
from domain.measuring import MetricName
from domain.metrics import Direction, Rating

MOST = 100
"""Pages, the worst first; and sites, by name. What lies behind is told of, not shown."""

STATUS = """query Status($workspace: String!, $first: Int!, $filter: PageFilter, $order: PageOrder!, $tags: [String!],
  $metric: MetricName!, $profile: ID, $environment: String!) {
  workspace(slug: $workspace) {
    name
    sites(first: $first, tags: $tags) { nodes { id } pageInfo { hasNextPage } }
    pages(first: $first, filter: $filter, orderBy: $order) {
      nodes {
        id name path url
        site { id name }
        change(metric: $metric, profile: $profile, environment: $environment) { value baseline change audits rating }
      }
      pageInfo { hasNextPage }
    }
  }
}"""
PROFILES = "query Profiles($workspace: String!) { workspace(slug: $workspace) { profiles { id name } } }"

Ask = Callable[..., Awaitable[Mapping[str, Any]]]


class Wish(NamedTuple):
    """What is to be known: `profile` by its name, or None for each site's default one."""

    workspace: str
    metric: str
    profile: str | None
    environment: str
    tags: tuple[str, ...]


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


class Status(NamedTuple):
    """The pages come worst first; `more_pages` and `more_sites`: there are others behind them."""

    name: str
    metric: MetricName
    pages: Sequence[PageStatus]
    more_pages: bool
    sites: int
    more_sites: bool

    @property
    def knows_all_worse(self) -> bool:
        """What lies behind the pages got no worse."""
        return not self.more_pages or (self.pages[-1].worse or 0) <= 0

    def by_site(self, top: int) -> list[list[PageStatus]]:
        """The worst pages that can be compared, site by site: the one with the worst of them first."""
        shown = [page for page in self.pages if page.worse is not None][:top]
        order = {site: place for place, site in enumerate(dict.fromkeys(page.site_id for page in shown))}
        pages = sorted(shown, key=lambda page: order[page.site_id])
        return [list(own) for _, own in groupby(pages, key=lambda page: page.site_id)]


def checked_metric(name: str) -> MetricName:
    """Raises Unusable."""
    if name not in {metric.name for metric in WATCHED}:
        raise Unusable(f"--metric is one of {', '.join(metric.name for metric in WATCHED)}.")
    return MetricName[name]


async def ask(ask: Ask, wish: Wish, where: str) -> Status:
    """Raises Unusable."""
    metric = checked_metric(wish.metric)
    profile = await _profile(ask, wish, where) if wish.profile is not None else None
    which = {"metric": metric.name, "profile": profile, "environment": wish.environment}
    tags = list(wish.tags) or None
    said = await ask(
        STATUS,
        workspace=wish.workspace,
        first=MOST,
        filter={"tags": tags},
        order={"by": "CHANGE", **which},
        tags=tags,
        **which,
    )
    return _told(_workspace(said, wish, where), metric)


async def _profile(ask: Ask, wish: Wish, where: str) -> str:
    found = _workspace(await ask(PROFILES, workspace=wish.workspace), wish, where)["profiles"]
    ids = [each["id"] for each in found if wish.profile in (each["name"], each["id"])]
    if not ids:
        names = ", ".join(plain(each["name"], 60) for each in found)
        raise Unusable(f"There is no profile {wish.profile!r} there. There are: {names}.")
    id: str = ids[0]
    return id


def _workspace(said: Mapping[str, Any], wish: Wish, where: str) -> Mapping[str, Any]:
    if said["workspace"] is None:
        raise Unusable(f"There is no workspace {wish.workspace!r} {where}")
    found: Mapping[str, Any] = said["workspace"]
    return found


def _told(found: Mapping[str, Any], metric: MetricName) -> Status:
    pages = [_page(node, metric) for node in found["pages"]["nodes"]]
    more = found["pages"]["pageInfo"]["hasNextPage"]
    sites = found["sites"]
    return Status(found["name"], metric, pages, more, len(sites["nodes"]), sites["pageInfo"]["hasNextPage"])


def _page(node: Mapping[str, Any], metric: MetricName) -> PageStatus:
    stands: Mapping[str, Any] = node["change"] or {}
    change = stands.get("change")
    better = metrics.CATALOGUE[metric].direction is Direction.HIGHER_IS_BETTER
    rating = stands.get("rating")
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
    )
