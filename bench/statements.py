"""The statements that Pacemark sends for the workloads, for a control that sends the same from elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

from domain import audits, sites, workspaces
from domain.access import Actor, Role
from domain.audits import AUDITS, Latest
from domain.base import Query, R
from domain.paging import Window

GIVEN = ("ids", "slugs", "pages", "parents", "parent", "limit")
"""The parameters that change from request to request; the others have one value in all of them."""

METRICS = ("performance_score", "lcp_ms", "fcp_ms", "tbt_ms", "cls")
AUDIT = ("id", "state", "requested_at", "finished_at", *METRICS)
"""The columns of an audit that one workload or the other asks for."""


class _Recorder:
    """A reader of an empty database, which keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Query[Any], Mapping[str, Any]]] = []

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        self.asked.append((query, values))
        return []

    async def first(self, query: Query[R], **values: Any) -> R | None:
        await self.all(query, **values)
        return None


def write(path: Path, workspace_id: UUID) -> None:
    """Into a JSON file: by name, each statement's text and its values in their order, which are given or the same for all."""
    path.write_text(json.dumps(asyncio.run(_statements(workspace_id))))


async def _statements(workspace_id: UUID) -> dict[str, Any]:
    reach, window = Actor(roles={workspace_id: Role.OWNER}).reach, Window(1)
    one, two = [uuid4()], [uuid4(), uuid4()]
    any_audit = {"profile": None, "environment": None, "since": None, "until": None}
    any_site: dict[str, Any] = {"search": None, "tags": []}
    any_page = {**any_site, "any_tag": True, "any_site": True, "sites": []}
    recorder = _Recorder()
    reads = {
        "workspace": workspaces.by_slugs(recorder, reach, ["default"]),
        "page": sites.pages_by_ids(recorder, reach, one),
        "site": sites.by_ids(recorder, reach, one),
        "sites": sites.SITES.under(recorder, reach, one, window, **any_site),
        "pages": sites.PAGES.under(recorder, reach, two, window),
        "workspacePages": sites.WORKSPACE_PAGES.under(recorder, reach, one, window, **any_page),
        "audits": AUDITS.under(recorder, reach, two, window, AUDIT, **any_audit),
        "auditsOfOne": AUDITS.under(recorder, reach, one, window, AUDIT, **any_audit),
        "latestAudits": audits.latest(recorder, reach, one, Latest(), AUDIT),
    }
    found = {}
    for name, read in reads.items():
        await read
        found[name] = _described(*recorder.asked.pop())
    return found


def _described(query: Query[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
    compiled = query.statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    whole = compiled.construct_params(dict(values))
    processes = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)
        for bind, name in compiled.bind_names.items()
    }
    names = compiled.positiontup or []
    return {
        "text": compiled.string,
        "values": [{"name": name} if name in GIVEN else {"value": _plain(processes[name](whole[name]))} for name in names],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.hex if isinstance(value, UUID) else value
