"""What the demo asks of Pacemark: the same operations as any other client's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.errors import Unusable
from app.remote import Remote

WORKSPACE = 'query DemoWorkspace { workspace(slug: "default") { id } }'

ADD_SITE = """mutation DemoSite($workspace: ID!, $origin: String!) {
  made: siteCreate(input: { workspace: $workspace, origin: $origin, name: "A small site", tags: ["demo"] }) {
    ... on SiteCreatePayload { site { id } }
    ... on Problem { message }
  }
}"""

ADD_PAGE = """mutation DemoPage($site: ID!, $path: String!, $name: String!) {
  made: pageCreate(input: { site: $site, path: $path, name: $name }) {
    ... on PageCreatePayload { page { id } }
    ... on Problem { message }
  }
}"""

MEASURE = """mutation DemoSnapshot($site: ID!, $name: String!) {
  made: snapshotRequest(input: { site: $site, name: $name }) {
    ... on SnapshotRequestPayload { snapshot { id } }
    ... on Problem { message }
  }
}"""

DEPLOY = """mutation DemoDeploy($site: ID!, $version: String!) {
  made: deployRecord(input: { site: $site, version: $version, snapshot: {} }) {
    ... on DeployRecordPayload { deploy { snapshot { id } } }
    ... on Problem { message }
  }
}"""

STANDING = """query DemoStanding($snapshot: ID!) {
  snapshot(id: $snapshot) {
    finishedAt judgedAt
    progress { finished failed }
    verdicts(first: 50) { nodes { reason } }
  }
}"""

MEASURED = """query DemoMeasured($snapshot: ID!) {
  snapshot(id: $snapshot) {
    audits(first: 20) { nodes { state failure { message } page { path } metrics { ttfbMs } reportUrl } }
    verdicts(first: 50) {
      nodes {
        page { path } metric { name title }
        judgement reason before after changeLow changeHigh detectable snapshotsBefore snapshotsAfter
      }
    }
  }
}"""


async def make(remote: Remote, operation: str, **variables: Any) -> Mapping[str, Any]:
    """What a mutation made. Raises Unusable with what it says where it made nothing."""
    made: Mapping[str, Any] = (await remote.ask(operation, **variables))["made"]
    if "message" in made:
        raise Unusable(str(made["message"]))
    return made
