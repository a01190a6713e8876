"""Deploys and annotations, asked for and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from app.asking import There, done, every
from app.auditing.plain import plain
from app.commands.tables import console, moment, table

ABOUT = """fragment AboutDeploy on Deploy {
  id environment version commitHash branch author message url at snapshot { id state }
}"""
RECORD = f"""mutation RecordDeploy($input: DeployRecordInput!) {{
  deployRecord(input: $input) {{
    ... on DeployRecordPayload {{ deploy {{ ...AboutDeploy }} }}
    ... on Problem {{ message }}
    ... on InvalidInput {{ fields {{ message }} }}
  }}
}} {ABOUT}"""
DEPLOYS = f"""query Deploys($site: ID!, $first: Int!, $after: Cursor, $environment: String) {{
  site(id: $site) {{
    deploys(first: $first, after: $after, environment: $environment) {{
      nodes {{ ...AboutDeploy }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}} {ABOUT}"""
ANNOTATE = """mutation Annotate($input: AnnotationCreateInput!) {
  annotationCreate(input: $input) {
    ... on AnnotationCreatePayload { annotation { id at text } }
    ... on Problem { message }
    ... on InvalidInput { fields { message } }
  }
}"""
ANNOTATIONS = """query Annotations($site: ID!, $first: Int!, $after: Cursor) {
  site(id: $site) {
    annotations(first: $first, after: $after) {
      nodes { id at text page { path } } pageInfo { hasNextPage endCursor }
    }
  }
}"""

SHORT = 10
"""So many digits of a commit's hash are shown."""

Rows = tuple[list[Mapping[str, Any]], bool]


async def record(there: There, **given: Any) -> Mapping[str, Any]:
    """The deploy. Raises Unusable."""
    made: Mapping[str, Any] = done((await there.ask(RECORD, input=_kept(given)))["deployRecord"])["deploy"]
    return made


async def annotate(there: There, **given: Any) -> Mapping[str, Any]:
    """The annotation. Raises Unusable."""
    made: Mapping[str, Any] = done((await there.ask(ANNOTATE, input=_kept(given)))["annotationCreate"])["annotation"]
    return made


async def deploys(there: There, site: str, environment: str | None, most: int) -> Rows:
    """The newest first, and whether there are more. Raises Unusable."""
    return await every(there, DEPLOYS, ("site", "deploys"), most, site=site, environment=environment)


async def written(there: There, site: str, most: int) -> Rows:
    """The newest first, and whether there are more. Raises Unusable."""
    return await every(there, ANNOTATIONS, ("site", "annotations"), most, site=site)


def _kept(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def show_deploys(rows: Sequence[Mapping[str, Any]]) -> None:
    shown = table("Live since (UTC)", "Version", "Environment", "Commit", "Snapshot")
    for row in rows:
        commit = Text(plain(row["commitHash"] or "–", SHORT + 1)[:SHORT])
        if row["branch"]:
            commit.append(f"\n{plain(row['branch'], 60)}", "dim")
        snapshot = row["snapshot"]
        measured = Text(snapshot["id"]).append(f"\n{snapshot['state'].lower()}", "dim") if snapshot else Text("–", "dim")
        version = Text(plain(row["version"])).append(f"\n{row['id']}", "dim")
        shown.add_row(_at(row), version, plain(row["environment"], 60), commit, measured)
    console().print(shown)


def show_annotations(rows: Iterable[Mapping[str, Any]]) -> None:
    shown = table("Time (UTC)", "Page", "What is written")
    for row in rows:
        page = plain(row["page"]["path"], 100) if row["page"] else "all"
        shown.add_row(_at(row), Text(page), Text(plain(row["text"], 1_000)).append(f"\n{row['id']}", "dim"))
    console().print(shown)


def _at(row: Mapping[str, Any]) -> str:
    return moment(datetime.fromisoformat(row["at"]))
