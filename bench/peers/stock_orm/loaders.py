"""Everything that is read: one statement a level, through loaders that live as long as a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy import Select, Uuid, any_, bindparam, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, joinedload
from strawberry.fastapi import BaseContext

from .models import AuditModel, PageModel, SiteModel, State, WorkspaceModel


def among(column: Any, ids: Sequence[UUID]) -> Any:
    """One statement text for however many ids."""
    return column == any_(bindparam(None, list(ids), type_=ARRAY(Uuid())))


Keys = list[tuple[UUID, int]]
"""Parents, and how many of their first rows are wanted."""


def first_rows(model: Any, parent: Any, link: Any, keys: Keys, order: Callable[[Any], Sequence[Any]]) -> Select[Any]:
    """Each parent's first rows, and one more, which tells whether there is a next page; through the index of the order."""
    most = max(first for _, first in keys) + 1
    top = select(model).where(link == parent.id).order_by(*order(model)).limit(most).lateral()
    row = aliased(model, top)
    statement = select(row).select_from(parent).join(top, true()).order_by(*order(row))
    if model is PageModel:
        statement = statement.options(joinedload(row.site))
    return statement.where(among(parent.id, [id for id, _ in keys]))


class Context(BaseContext):
    """Of one request: its session, and the loaders over it."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__()
        self.session = session
        self.turn = asyncio.Lock()  # a session runs one statement at a time
        self.sites = DataLoader(self.load_sites)
        self.pages = DataLoader(self.load_pages)
        self.workspace_pages = DataLoader(self.load_workspace_pages)
        self.audits = DataLoader(self.load_audits)
        self.latest_audit = DataLoader(self.load_latest_audits)

    async def all(self, statement: Select[tuple[Any]]) -> Sequence[Any]:
        async with self.turn:
            return (await self.session.scalars(statement)).all()

    async def first(self, statement: Select[tuple[Any]]) -> Any:
        async with self.turn:
            return (await self.session.scalars(statement)).first()

    async def load_sites(self, keys: Keys) -> list[list[SiteModel]]:
        order = attrgetter("name", "id")
        statement = first_rows(SiteModel, WorkspaceModel, SiteModel.workspace_id, keys, order)
        return shared(keys, await self.all(statement), "workspace_id")

    async def load_pages(self, keys: Keys) -> list[list[PageModel]]:
        order = attrgetter("path", "id")
        statement = first_rows(PageModel, SiteModel, PageModel.site_id, keys, order)
        return shared(keys, await self.all(statement), "site_id")

    async def load_workspace_pages(self, keys: Keys) -> list[list[PageModel]]:
        order = attrgetter("name", "id")
        statement = first_rows(PageModel, WorkspaceModel, PageModel.workspace_id, keys, order)
        return shared(keys, await self.all(statement), "workspace_id")

    async def load_audits(self, keys: Keys) -> list[list[AuditModel]]:
        statement = first_rows(AuditModel, PageModel, AuditModel.page_id, keys, lambda audit: [audit.id.desc()])
        return shared(keys, await self.all(statement), "page_id")

    async def load_latest_audits(self, pages: list[UUID]) -> list[AuditModel | None]:
        newest = (
            select(AuditModel)
            .where(
                AuditModel.page_id == PageModel.id,
                AuditModel.profile_id == SiteModel.default_profile_id,
                AuditModel.environment == "production",
                AuditModel.state == State.FINISHED,
            )
            .order_by(AuditModel.finished_at.desc(), AuditModel.id.desc())
            .limit(1)
            .lateral()
        )
        statement = select(aliased(AuditModel, newest)).select_from(PageModel).join(PageModel.site).join(newest, true())
        found = {audit.page_id: audit for audit in await self.all(statement.where(among(PageModel.id, pages)))}
        return [found.get(page) for page in pages]


def shared(keys: Keys, found: Sequence[Any], parent: str) -> list[list[Any]]:
    rows: dict[UUID, list[Any]] = {}
    for row in found:
        rows.setdefault(getattr(row, parent), []).append(row)
    return [rows.get(id, [])[: first + 1] for id, first in keys]
