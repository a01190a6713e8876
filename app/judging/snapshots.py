"""Snapshots, asked for over GraphQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from app.asking import There, done, every
from app.errors import Unusable
from app.judging import verdicts

EACH = 20
"""So many are asked for at once with what was said of each."""

ABOUT = """fragment About on Snapshot {
  id cause state name environment buildUrl requestedAt finishedAt judgedAt
  site { id name slug } commit { hash branch ancestor author message }
  progress { total queued running finished failed cancelled } confirmations { id state }
}"""
_LIST = """
snapshots(first: $first, after: $after, branch: $branch, commit: $commit, cause: $cause, environment: $environment) {
  nodes { ...About judgements { regressed improved noEvidence incomparable } } pageInfo { hasNextPage endCursor }
}"""
_TAKES = "$first: Int!, $after: Cursor, $branch: String, $commit: String, $cause: Cause, $environment: String"
OF_WORKSPACE = f"query Snapshots($workspace: String!, {_TAKES}) {{ workspace(slug: $workspace) {{ {_LIST} }} }} {ABOUT}"
OF_SITE = f"query SnapshotsOfSite($site: ID!, {_TAKES}) {{ site(id: $site) {{ {_LIST} }} }} {ABOUT}"
JUDGED = f"""query JudgedSnapshot($snapshot: ID!) {{
  snapshot(id: $snapshot) {{ ...About judgements {{ regressed improved noEvidence incomparable }} }}
}} {ABOUT}"""
ONE = f"query Snapshot($snapshot: ID!) {{ snapshot(id: $snapshot) {{ ...About }} }} {ABOUT}"
PAGES = """query PagesOfSnapshot($snapshot: ID!, $first: Int!, $after: Cursor) {
  snapshot(id: $snapshot) {
    pages(first: $first, after: $after) {
      nodes {
        page { path url }
        audits {
          id state profile { name } failure { kind code message }
          metrics { lcpMs fcpMs tbtMs cls ttfbMs pageLoadMs }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""
REQUEST = f"""mutation RequestSnapshot($input: SnapshotRequestInput!) {{
  snapshotRequest(input: $input) {{
    ... on SnapshotRequestPayload {{ snapshot {{ ...About }} }}
    ... on Problem {{ message }}
    ... on InvalidInput {{ fields {{ message }} }}
  }}
}} {ABOUT}"""
CANCEL = """mutation CancelSnapshot($input: SnapshotCancelInput!) {
  snapshotCancel(input: $input) {
    ... on SnapshotCancelPayload { snapshot { id state } }
    ... on Problem { message }
    ... on InvalidInput { fields { message } }
  }
}"""

UNJUDGED = MappingProxyType({"regressed": 0, "improved": 0, "noEvidence": 0, "incomparable": 0})


class Whole(NamedTuple):
    """A snapshot with its audits, page by page, and with what was said of them."""

    about: Mapping[str, Any]
    pages: Sequence[Mapping[str, Any]]
    verdicts: Sequence[Mapping[str, Any]]
    judgements: Mapping[str, int]
    """How many of its verdicts say what, also of those that are left out."""

    @property
    def left_out(self) -> int:
        """Of so many verdicts more is known only than how many say what."""
        return max(0, sum(self.judgements.values()) - len(self.verdicts))

    def failures(self) -> set[str]:
        """Who would have to act for what could not be measured: PAGE, CONFIGURATION, ENGINE."""
        return {audit["failure"]["kind"] for page in self.pages for audit in page["audits"] if audit["failure"]}


async def listed(there: There, site: str | None, most: int, **which: Any) -> tuple[list[Mapping[str, Any]], bool]:
    """Of a site by its id, or of all; the newest first, and whether there are more. Raises Unusable."""
    if site is not None:
        return await every(there, OF_SITE, ("site", "snapshots"), most, each=EACH, site=site, **which)
    return await every(there, OF_WORKSPACE, ("workspace", "snapshots"), most, each=EACH, workspace=there.workspace, **which)


async def request(there: There, **given: Any) -> Mapping[str, Any]:
    """Raises Unusable."""
    input = {name: value for name, value in given.items() if value is not None}
    made: Mapping[str, Any] = done((await there.ask(REQUEST, input=input))["snapshotRequest"])["snapshot"]
    return made


async def cancel(there: There, id: str) -> None:
    """Raises Unusable."""
    done((await there.ask(CANCEL, input={"snapshot": id}))["snapshotCancel"])


async def one(there: There, id: str, text: str = ONE) -> Mapping[str, Any]:
    """Raises Unusable."""
    found: Mapping[str, Any] | None = (await there.ask(text, snapshot=id))["snapshot"]
    if found is None:
        listing = f"pacemark snapshots list{there.options}"
        raise Unusable(f"There is no such snapshot, or it is not yours. They are listed by: {listing}")
    return found


async def whole(there: There, id: str) -> Whole:
    """Raises Unusable."""
    about = dict(await one(there, id, JUDGED))
    judgements = about.pop("judgements")
    pages, _ = await every(there, PAGES, ("snapshot", "pages"), verdicts.LOOKED_AT, each=EACH, snapshot=id)
    return Whole(about, pages, await verdicts.of_snapshot(there, id), judgements)
