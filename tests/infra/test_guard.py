"""A read of a tenant's table that is held to no tenant is not run."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import (
    ColumnElement,
    FromClause,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    join,
    literal_column,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

import app
import domain
import graph
import infra
from domain import accounts, audits, documents, keys, sites
from domain.base import Query, one_of, query, within
from domain.paging import Keyset
from domain.work import StoredEvent
from domain.workspaces import Member, Workspace
from infra.db.database import SqlDatabase
from infra.db.guard import Unscoped, guarded, unscoped
from tests.databases import new_workspace


class Found(NamedTuple):
    id: UUID


SITES = query(Found, sites.Site)
OURS = sites.Site.workspace_id == bindparam("workspace_id")
REACHED = within(sites.Site.workspace_id, sites.Site.id)
PAGES = select(sites.Page.id)
OF_SITE = sites.Site.id == sites.Page.site_id
EARLIER = aliased(audits.Audit)
AUDITS = table("audits", column("id"), column("workspace_id"))
MINE = AUDITS.c.workspace_id == bindparam("workspace_id")
SHORT = table("sites", column("id"), column("workspace_id"))
SAMPLE = sites.Site.__table__.tablesample(5)  # type: ignore[attr-defined]
TWICE = audits.Audit.__table__.alias().alias()
BESIDE = select(audits.Audit.id, sites.Site.name).where(sites.Site.slug == "one").cte()
RENAMED = update(Workspace).values(name="mine").returning(Workspace.id)
TEXT, WRITE, BOTH = ["what a text names"], ["what it writes"], ["audits", "sites"]
_audits = select(func.count()).select_from(audits.Audit)


def beside(condition: ColumnElement[bool]) -> FromClause:
    """A join that another one has brackets around."""
    return join(sites.Page, EARLIER, condition)


async def test_a_read_of_whichever_workspace_is_refused(database: SqlDatabase) -> None:
    workspace_id, actor = await new_workspace(database)
    for reads in (database.reader.all, database.reader.first):
        with pytest.raises(Unscoped, match=r"The statement for Found reads sites of whichever workspace\."):
            await reads(SITES.where(sites.Site.slug == "one"))
    async with database.work(actor) as work:
        for reads in (work.db.all, work.db.first):
            with pytest.raises(Unscoped):
                await reads(SITES)
            with pytest.raises(Unscoped, match=r"The statement for Found reads what a text names of whichever workspace\."):
                await reads(Query(Found, select(text("* FROM sites"))))
    assert await database.reader.all(SITES.where(OURS), workspace_id=workspace_id) == []
    assert await database.reader.all(SITES.where(REACHED), reach=[workspace_id]) == []
    assert await database.reader.all(SITES.beyond_reach("A test.").where(sites.Site.slug == "one")) == []


@pytest.mark.parametrize(
    "statement",
    [
        select(sites.Site.id).where(OURS),
        select(sites.Site.id).where(REACHED, sites.Site.slug == "one"),
        select(sites.Site.id).where(one_of(sites.Site.workspace_id, "workspaces")),
        select(Workspace.id).where(one_of(Workspace.id, "reach")),
        PAGES.join(sites.Site, OF_SITE).where(OURS),
        PAGES.where(OF_SITE, OURS),
        PAGES.outerjoin(sites.Site, OF_SITE).where(sites.Page.workspace_id == bindparam("workspace_id")),
        select(sites.Site.id).where(OURS, ~exists().where(OF_SITE)),
        select(PAGES.where(OF_SITE, OURS).subquery().c.id),
        select(accounts.User.id),
        select(AUDITS.c.id).where(MINE),
        select(AUDITS.c.id).where(AUDITS.c.workspace_id == sites.Site.workspace_id, OURS),
        select(SHORT.c.id).where(SHORT.c.workspace_id == Workspace.id, one_of(Workspace.id, "reach")),
        select(sites.Page.id).where(sites.Page.site_id == SHORT.c.id, one_of(SHORT.c.workspace_id, "reach")),
        select(SAMPLE.c.id).where(SAMPLE.c.workspace_id == bindparam("workspace_id")),
        select(TWICE.c.id).where(TWICE.c.workspace_id == bindparam("workspace_id")),
        select(sites.Site.id).where(OURS).cte().select(),
        select(func.count()).select_from(sites.Site).where(OURS),
        PAGES.select_from(sites.Site).join(beside(EARLIER.page_id == sites.Page.id), OF_SITE).where(OURS),
        select(table("json_each", column("value")).c.value),
    ],
)
def test_what_is_held_to_a_tenant_passes(statement: Any) -> None:
    assert unscoped(statement) == []


@pytest.mark.parametrize(
    ("statement", "loose"),
    [
        (select(sites.Site.id), ["sites"]),
        (select(Workspace.id).where(one_of(Workspace.slug, "reach")), ["workspaces"]),
        (select(sites.Site.id).where(one_of(sites.Site.id, "reach")), ["sites"]),
        (select(sites.Site.id).where(one_of(sites.Site.workspace_id, "ids")), ["sites"]),
        (select(sites.Site.id).where(~one_of(sites.Site.workspace_id, "reach")), ["sites"]),
        (select(sites.Site.id).where(sites.Site.workspace_id != bindparam("workspace_id")), ["sites"]),
        (select(sites.Site.id).where(or_(OURS, sites.Site.slug == "one")), ["sites"]),
        (select(sites.Site.id).where(or_(REACHED, sites.Site.slug == "one")), ["sites"]),
        (select(sites.Site.id).where(or_(REACHED, one_of(sites.Site.default_profile_id, "reach"))), ["sites"]),
        (PAGES.where(OURS), ["pages"]),
        (PAGES.where(or_(OF_SITE, sites.Page.path == "/"), OURS), ["pages"]),
        # All pages are there, whatever the join asks of their sites.
        (PAGES.outerjoin(sites.Site, OF_SITE & OURS), ["pages"]),
        (select(sites.Site.id).where(OURS, exists(select(sites.Page.id).where(sites.Page.path == "/"))), ["pages"]),
        (select(sites.Site.id).where(OURS, sites.Site.id.in_(PAGES)), ["pages"]),
        (select(sites.Site.id, _audits.scalar_subquery()).where(OURS), ["audits"]),
        (select(sites.Site.id, func.max(PAGES.subquery().c.id)).where(OURS), ["pages"]),
        (select(EARLIER.id).where(audits.Audit.workspace_id == bindparam("workspace_id")), ["audits"]),
        # The same person's rows are not the same tenant's.
        (
            select(Member.role)
            .join(accounts.User, accounts.User.id == Member.user_id)
            .join(keys.ApiKey, keys.ApiKey.user_id == accounts.User.id)
            .where(keys.ApiKey.workspace_id == bindparam("workspace_id")),
            ["members"],
        ),
        (select(documents.Document.id).union_all(select(sites.Site.id).where(OURS)), ["documents"]),
        (select(func.count()).select_from(StoredEvent), ["events"]),
        # By a table's name alone.
        (select(AUDITS.c.id), ["audits"]),
        (select(AUDITS.c.id).where(OURS), ["audits"]),
        (select(table("Audits", column("id")).c.id), ["Audits"]),
        (select(func.count()).select_from(AUDITS.alias()), ["audits"]),
        (select(sites.Site.id).where(OURS, exists(select(AUDITS.c.id))), ["audits"]),
        # By another name, and that by another; and some of its rows.
        (select(TWICE.c.id), ["audits"]),
        (select(SAMPLE.c.id), ["sites"]),
        (select(SAMPLE.alias().c.id), ["sites"]),
        (PAGES.select_from(sites.Site).join(beside(EARLIER.id == sites.Page.id), OF_SITE).where(OURS), ["audits"]),
        # What stands in a table of its own is not the surrounding select's.
        (select(audits.Audit.id, BESIDE.c.name).where(audits.Audit.workspace_id == bindparam("workspace_id")), BOTH),
        (select(BESIDE.alias().c.id, sites.Site.id).where(OURS), BOTH),
        (select(sites.Site.id).where(OURS).add_cte(BESIDE), BOTH),
        # What a text names nobody can see.
        (select(text("* FROM audits")), TEXT),
        (select(text("id")).select_from(text("audits")), TEXT),
        (select(literal_column("(SELECT max(id) FROM audits)")), TEXT),
        (select(func.max(literal_column("(SELECT max(id) FROM audits)")).label("last")), TEXT),
        (select(sites.Site.id).where(OURS, text("slug = 'one'")), TEXT),
        (select(sites.Site.id).where(OURS).order_by(text("(SELECT max(id) FROM audits)")), TEXT),
        (select(sites.Site.id).where(OURS).prefix_with("(SELECT max(id) FROM audits),"), TEXT),
        (select(sites.Site.id).where(OURS).with_statement_hint("UNION SELECT id FROM audits"), TEXT),
        (select(text("SELECT id FROM audits").columns(column("id")).subquery().c.id), TEXT),
        (text("SELECT id FROM audits"), TEXT),
        # And a read writes nothing.
        (RENAMED, WRITE),
        (delete(sites.Site).where(OURS).returning(sites.Site.id), WRITE),
        (insert(sites.Site).returning(sites.Site.id), WRITE),
        (select(RENAMED.cte().c.id), WRITE),
    ],
)
def test_what_is_not_is_refused_with_the_name_of_its_table(statement: Any, loose: list[str]) -> None:
    assert unscoped(statement) == loose


def modules() -> Iterator[ModuleType]:
    for package in (app, domain, graph, infra):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def asked(module: ModuleType) -> set[str]:
    """The names of the statements that the module runs."""
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(source) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    run = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in ("all", "first"))
    return {call.args[0].id for call in run if call.args and isinstance(call.args[0], ast.Name)}


def shipped() -> Iterator[tuple[str, Query[Any]]]:
    for module in modules():
        names = asked(module)
        for name, value in vars(module).items():
            if isinstance(value, Query) and name in names:
                yield f"{module.__name__}.{name}", value
            elif isinstance(value, Keyset):
                for shape in ((False, False, False), (True, True, True), (True, False, False), (False, True, True)):
                    yield f"{module.__name__}.{name}", value._statement(*shape, None)
    yield "domain.audits.queries._latest", audits.queries._latest(None)


def test_every_shipped_statement_is_held_to_a_tenant_or_says_why_not() -> None:
    found = dict(shipped())
    assert len(found) > 60
    for each in found.values():
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            assert guarded(each, dialect) is each.on(dialect)
    needless = {name for name, each in found.items() if each.beyond and not unscoped(each.statement)}
    assert needless == set()


def test_those_that_give_fewer_columns_are_held_as_the_whole_ones_are_whose_word_is_taken() -> None:
    narrowed = [audits.queries._latest(frozenset({"id"}))]
    for module in modules():
        for value in vars(module).values():
            if isinstance(value, Keyset):
                narrowed += [value._statement(*shape, frozenset({"id"})) for shape in product((False, True), repeat=3)]
    assert len(narrowed) > 100
    for each in narrowed:
        assert each.like is not None
        assert each.beyond == each.like.beyond
        if not each.beyond:
            assert unscoped(each.statement) == [] == unscoped(each.on(sqlite.dialect()))
