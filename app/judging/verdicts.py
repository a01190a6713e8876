"""Verdicts, asked for and shown: for people as a table, for programs as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rich.text import Text

from app.asking import There, every
from app.auditing.plain import plain
from app.commands.tables import console, moment, table
from domain import metrics
from domain.measuring import MetricName
from domain.metrics import Direction
from domain.verdicts import Judgement, Reason

LOOKED_AT = 5_000
"""So many of a snapshot are read, whatever they say."""

VERDICT = """fragment Said on Verdict {
  id judgement reason before after change relativeChange changeLow changeHigh detectable spreadRatio
  snapshotsBefore snapshotsAfter judgedAt
  metric { name } page { id path url site { id name } } profile { name } snapshot { id } audit { id }
}"""
OF_WORKSPACE = f"""query Verdicts(
  $workspace: String!, $first: Int!, $after: Cursor, $judgement: Judgement, $metric: MetricName
) {{
  workspace(slug: $workspace) {{ id
    found: verdicts(first: $first, after: $after, judgement: $judgement, metric: $metric) {{
      nodes {{ ...Said }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{VERDICT}"""
OF_PAGE = f"""query VerdictsOfPage($page: ID!, $first: Int!, $after: Cursor, $judgement: Judgement, $metric: MetricName) {{
  page(id: $page) {{
    found: verdicts(first: $first, after: $after, judgement: $judgement, metric: $metric) {{
      nodes {{ ...Said }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{VERDICT}"""
OF_SITE = f"""query VerdictsOfSite($site: ID!, $first: Int!, $after: Cursor, $judgement: Judgement, $metric: MetricName) {{
  site(id: $site) {{
    found: verdicts(first: $first, after: $after, judgement: $judgement, metric: $metric) {{
      nodes {{ ...Said }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{VERDICT}"""
OF_SNAPSHOT = f"""query VerdictsOfSnapshot($snapshot: ID!, $first: Int!, $after: Cursor, $judgement: Judgement) {{
  snapshot(id: $snapshot) {{
    found: verdicts(first: $first, after: $after, judgement: $judgement) {{
      nodes {{ ...Said }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{VERDICT}"""

CHANGED = (Judgement.REGRESSED, Judgement.IMPROVED)

_SAID = {
    Judgement.REGRESSED: ("REGRESSED", "bold red"),
    Judgement.IMPROVED: ("IMPROVED", "green"),
    Judgement.NO_EVIDENCE: ("no evidence", "dim"),
    Judgement.INCOMPARABLE: ("incomparable", "yellow"),
}
_WHY = {
    Reason.CONFIRMED: "later snapshots showed it too",
    Reason.UNCONFIRMED: "no later snapshot was there to confirm it",
    Reason.DIFFERENT: "does not vary by itself, and is not what it was",
    Reason.SUSPECTED: "suspected: being measured again",
    Reason.NOT_CONFIRMED: "later snapshots did not show it",
    Reason.TOO_SMALL: "less than counts",
    Reason.WITHIN_NOISE: "what differs by chance",
    Reason.TOO_FEW: "too few snapshots before",
    Reason.CONDITIONS_CHANGED: "profile, engine or pool changed",
    Reason.MACHINE_CHANGED: "the machine changed",
}


class Wanted(NamedTuple):
    """Which verdicts: of a page, or of a site (by its id), or of all; without judgements whatever they say."""

    page: str | None
    site: str | None
    judgements: Sequence[Judgement]
    metric: MetricName | None
    most: int


async def listed(there: There, wanted: Wanted) -> tuple[list[Mapping[str, Any]], bool]:
    """The newest first, and whether there are more. Raises Unusable."""
    found: list[Mapping[str, Any]] = []
    more = False
    for judgement in wanted.judgements or (None,):
        metric = wanted.metric.name if wanted.metric is not None else None
        which: dict[str, Any] = {"judgement": judgement.value if judgement is not None else None, "metric": metric}
        text, path = _list_of(wanted)
        which[path] = wanted.page or wanted.site or there.workspace
        nodes, cut = await every(there, text, (path, "found"), wanted.most, **which)
        found += nodes
        more = more or cut
    found.sort(key=lambda each: (datetime.fromisoformat(each["judgedAt"]), each["id"]), reverse=True)
    return found[: wanted.most], more or len(found) > wanted.most


def _list_of(wanted: Wanted) -> tuple[str, str]:
    if wanted.page is not None:
        return OF_PAGE, "page"
    return (OF_SITE, "site") if wanted.site is not None else (OF_WORKSPACE, "workspace")


async def of_snapshot(there: There, snapshot: str) -> list[Mapping[str, Any]]:
    """So many as are looked at, and whatever changed, if it lies behind them. Raises Unusable."""
    found, more = await every(there, OF_SNAPSHOT, ("snapshot", "found"), LOOKED_AT, snapshot=snapshot)
    for judgement in CHANGED if more else ():
        changed, _ = await every(
            there, OF_SNAPSHOT, ("snapshot", "found"), LOOKED_AT, snapshot=snapshot, judgement=judgement.value
        )
        seen = {row["id"] for row in found}
        found += [row for row in changed if row["id"] not in seen]
    return found


def show(rows: Iterable[Mapping[str, Any]], *, dated: bool = True) -> None:
    """`dated`: they are of several snapshots."""
    shown = table(*(["Judged (UTC)"] if dated else []), "Page", "Metric", "Verdict")
    for heading in ("Before → after", "Change", "Detectable"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("Why")
    for row in rows:
        metric = MetricName[row["metric"]["name"]]
        page, profile = row["page"], row["profile"]
        where = Text(plain((page["site"]["name"] if dated else "") + page["path"], 100) if page else "–")
        where.append(f"\n{plain(profile['name'], 60) if profile else '–'}", "dim")
        words, style = _SAID[Judgement(row["judgement"])]
        shown.add_row(
            *([moment(datetime.fromisoformat(row["judgedAt"]))] if dated else []),
            where,
            metrics.CATALOGUE[metric].title,
            Text(words, style),
            f"{value(metric, row['before'])} → {value(metric, row['after'])}",
            _change(metric, row),
            value(metric, row["detectable"]),
            _why(row),
        )
    console().print(shown)


def value(metric: MetricName, number: float | None) -> str:
    return metrics.format_value(metric, number) if number is not None else "–"


def _change(metric: MetricName, row: Mapping[str, Any]) -> Text:
    """The change as a number and as a part, over the interval that it lies in."""
    if row["change"] is None:
        return Text("–")
    part = f" ({metrics.format_share(row['relativeChange'])})" if row["relativeChange"] is not None else ""
    lower = metrics.CATALOGUE[metric].direction is Direction.LOWER_IS_BETTER
    worse = row["change"] > 0 if lower else row["change"] < 0
    changed = Judgement(row["judgement"]) in CHANGED
    text = Text().append(metrics.format_change(metric, row["change"]) + part, ("red" if worse else "green") if changed else "")
    if row["changeLow"] is not None and row["changeHigh"] is not None:
        ends = (metrics.format_change(metric, row[end]) for end in ("changeLow", "changeHigh"))
        text.append("\n" + " to ".join(ends), "dim")
    return text


def _why(row: Mapping[str, Any]) -> Text:
    """In words; one that this program does not know yet, by its name."""
    reason = row["reason"]
    words = _WHY[Reason(reason)] if reason in Reason.__members__ else plain(reason.lower().replace("_", " "), 60)
    number = f"{row['snapshotsAfter']} against {row['snapshotsBefore']}"
    text = Text(words).append(f"\n{number}", "dim")
    if row["spreadRatio"] is not None:
        text.append(f", {row['spreadRatio']:.1f} × as far apart", "dim")
    return text


_KEPT = (
    "judgement",
    "reason",
    "before",
    "after",
    "change",
    "relativeChange",
    "changeLow",
    "changeHigh",
    "detectable",
    "spreadRatio",
    "snapshotsBefore",
    "snapshotsAfter",
    "judgedAt",
)


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """The names are those of the GraphQL API."""
    page, profile = row["page"], row["profile"]
    return {
        "id": row["id"],
        "snapshot": row["snapshot"]["id"] if row["snapshot"] else None,
        "audit": row["audit"]["id"] if row["audit"] else None,
        "page": page["url"] if page else None,
        "profile": profile["name"] if profile else None,
        "metric": row["metric"]["name"],
        **{name: row[name] for name in _KEPT},
    }
