"""The second wall of units of work: PostgreSQL lets none of them touch a row of a workspace that is not its actor's."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy import Table, delete, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError

from domain import security, workspaces
from domain.access import NOBODY, SYSTEM, Actor, Role
from domain.base import Base
from domain.work import Work
from infra.db import migrate, roles
from infra.db.connections import REACH
from infra.db.database import SqlDatabase
from tests import servers
from tests.databases import everybodys, new_workspace, owners
from tests.house.code import rooms

for room in rooms():
    importlib.import_module(f"domain.{room}")

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
TENANTS = {
    table.name: table for table in Base.metadata.sorted_tables if "workspace_id" in table.c or table.name == "workspaces"
}
REFUSED = "violates row-level security policy"


def tenant(table: Table) -> sa.Column[Any]:
    return table.c.id if table.name == "workspaces" else table.c.workspace_id


def some(column: sa.Column[Any], number: int) -> Any:
    """A value that the column takes; another one for each number."""
    if isinstance(column.type, sa.Enum) and issubclass(column.type.enum_class or Enum, Enum):
        return next(iter(column.type.enum_class))  # type: ignore[arg-type]
    kind = column.type.python_type
    if kind is UUID:
        return UUID(int=number)
    if kind is datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)
    if kind in (dict, list):
        return {}
    return kind(number) if kind in (int, float) else b"x" if kind is bytes else f"{number}" if kind is str else kind()


def row(table: Table, workspace_id: UUID, number: int) -> dict[str, Any]:
    """One that belongs to the workspace, and refers to nothing that is there."""
    return {column.name: some(column, number) for column in table.c} | {tenant(table).name: workspace_id}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Tenants(NamedTuple):
    """Two workspaces, each with one row in every tenant's table, and the first one's owner."""

    database: SqlDatabase
    ours: UUID
    theirs: UUID
    actor: Actor

    async def rows(self, table: Table) -> Sequence[Any]:
        """All there are, as reads see them."""
        async with everybodys(self.database) as connection:
            return (await connection.execute(select(table).order_by(tenant(table), *table.primary_key))).all()


@pytest.fixture
async def tenants(database: SqlDatabase) -> Tenants:
    ours, actor = await new_workspace(database, "ours")
    theirs, _ = await new_workspace(database, "theirs")
    async with owners(database.url, altering=False) as connection:
        await connection.execute(text("SET session_replication_role = replica"))  # foreign keys are not what is tried here
        for number, workspace_id in enumerate((ours, theirs), 1):
            for table in TENANTS.values():
                if table.name != "workspaces":
                    await connection.execute(insert(table).values(row(table, workspace_id, number)))
    return Tenants(database, ours, theirs, actor)


async def seen(work: Work, table: Table) -> set[UUID]:
    return set((await work.db.execute(select(tenant(table)))).scalars())


class UndoneError(Exception):
    """Ends a unit of work as if nothing had been done in it."""


@on_postgresql
async def test_an_unscoped_statement_of_one_tenant_touches_no_other(tenants: Tenants) -> None:
    for table in TENANTS.values():
        with pytest.raises(UndoneError):
            await touch_everything(tenants, table)


async def touch_everything(tenants: Tenants, table: Table) -> None:
    async with tenants.database.work(tenants.actor) as work:
        await _touch_everything(work, tenants, table)
        raise UndoneError


async def _touch_everything(work: Work, tenants: Tenants, table: Table) -> None:
    before = [each for each in await tenants.rows(table) if tenants.theirs in each]
    assert before, table.name
    assert await seen(work, table) == {tenants.ours}, table.name
    if table.name == "security_log":
        return
    own = tenant(table)
    touched: Any = await work.db.execute(update(table).values({own: own}))
    assert touched.rowcount >= 1, f"what is ours may be changed: {table.name}"
    gone: Any = await work.db.execute(delete(table).where(own == tenants.theirs))
    assert gone.rowcount == 0, table.name
    if table.name == "profiles":
        await work.db.execute(delete(TENANTS["sites"]))  # whose default one is kept otherwise
    await work.db.execute(delete(table))
    assert await seen(work, table) == set(), table.name
    await work.db.reach_into(tenants.theirs)
    left = (await work.db.execute(select(table).order_by(own, *table.primary_key))).all()
    assert [tuple(each) for each in left] == [tuple(each) for each in before], table.name


@on_postgresql
async def test_a_row_cannot_be_written_into_another_tenants_workspace(tenants: Tenants) -> None:
    for table in TENANTS.values():
        whose = uuid4() if table.name == "workspaces" else tenants.theirs
        with pytest.raises(UndoneError if table.name == "security_log" else DBAPIError, match=refusal(table)):
            await write(tenants, table, whose)


async def write(tenants: Tenants, table: Table, whose: UUID) -> None:
    async with tenants.database.work(tenants.actor) as work:
        await work.db.execute(insert(table).values(row(table, whose, 3)))
        raise UndoneError(table.name)


@on_postgresql
async def test_a_row_cannot_be_given_to_another_tenant(tenants: Tenants) -> None:
    for table in TENANTS.values():
        if table.name not in ("security_log", "workspaces"):
            with pytest.raises(DBAPIError, match=refusal(table)):
                async with tenants.database.work(tenants.actor) as work:
                    await work.db.execute(update(table).values({tenant(table): tenants.theirs}))


def refusal(table: Table) -> str:
    """PostgreSQL's, or none: everybody may add to the security log."""
    return table.name if table.name == "security_log" else f'{REFUSED} for table "{table.name}"'


@on_postgresql
async def test_nobody_sees_nothing_and_this_installation_everything(tenants: Tenants) -> None:
    for actor, whose in ((NOBODY, set()), (SYSTEM, {tenants.ours, tenants.theirs})):
        async with tenants.database.work(actor) as work:
            for table in TENANTS.values():
                assert await seen(work, table) == whose, table.name


@on_postgresql
async def test_every_table_of_a_tenant_has_its_policy_and_no_other_table_has(database: SqlDatabase) -> None:
    held = "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid WHERE relrowsecurity AND relforcerowsecurity"
    async with everybodys(database) as connection:
        assert set((await connection.execute(text(held))).scalars()) == set(TENANTS)


@on_postgresql
async def test_who_is_in_several_workspaces_touches_them_all(tenants: Tenants) -> None:
    both = Actor(roles={tenants.ours: Role.VIEWER, tenants.theirs: Role.VIEWER})
    async with tenants.database.work(both) as work:
        assert await seen(work, TENANTS["members"]) == {tenants.ours, tenants.theirs}


@on_postgresql
@pytest.mark.parametrize("name", ["jobs", "security_log"])
async def test_what_is_of_no_workspace_is_everybodys(tenants: Tenants, name: str) -> None:
    table = TENANTS[name]
    async with tenants.database.work(NOBODY) as work:
        await work.db.execute(insert(table).values({**row(table, tenants.ours, 3), "workspace_id": None}))
        assert await seen(work, table) == {None}


async def test_one_may_reach_into_a_workspace_for_the_rest_of_the_transaction(database: SqlDatabase) -> None:
    """On SQLite, which has no such wall, it changes nothing."""
    table, new, second = TENANTS["workspaces"], uuid4(), uuid4()
    async with database.work(NOBODY) as work:
        for id in (new, second):
            await work.db.reach_into(id)
            work.db.add(workspaces.Workspace(id=id, slug=f"a{id.hex}", name="New", created_at=work.now))
            await work.db.flush()
        assert await seen(work, table) == {new, second}
    async with database.work(SYSTEM) as work:
        await work.db.reach_into(new)
        assert await seen(work, table) == {new, second}
    async with database.work(NOBODY) as work:
        assert await seen(work, table) == ({new, second} if database.is_sqlite else set())


@on_postgresql
async def test_what_one_unit_of_work_could_reach_is_not_left_to_the_next_on_its_connection(database: SqlDatabase) -> None:
    ours, actor = await new_workspace(database)
    asked = select(func.pg_backend_pid(), func.current_setting(REACH, literal(True)))
    told = []
    for reaching in (actor, SYSTEM):
        async with database.work(reaching) as work:
            told.append(tuple((await work.db.execute(asked)).one()))
        async with database.writes.begin() as connection:
            told.append(tuple((await connection.execute(asked)).one()))
            assert (await connection.execute(select(workspaces.Workspace.id))).all() == []
    assert len({process for process, _ in told}) == 1, "another connection proves nothing"
    assert [reach for _, reach in told] == [str(ours), "", "*", ""]


@on_postgresql
async def test_reads_see_every_workspace_and_can_write_nothing(tenants: Tenants) -> None:
    found = await tenants.database.reads.fetch("SELECT id FROM workspaces", [])
    assert {id for (id,) in found} == {tenants.ours, tenants.theirs}
    for statement in ("UPDATE workspaces SET name = 'mine'", "DELETE FROM workspaces"):
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await tenants.database.reads.fetch(statement, [])


@on_postgresql
async def test_the_services_role_owns_nothing_and_passes_no_policy_by(database: SqlDatabase, owner_url: str) -> None:
    assert await roles.standing_of_role(database.url) == (servers.SERVICE, False, False, False)
    assert await roles.standing_of_role(owner_url) == ("app", True, True, True)
    for statement in (
        "ALTER TABLE audits DISABLE ROW LEVEL SECURITY",
        "DROP POLICY reach ON audits",
        "TRUNCATE audits",
        "CREATE TABLE mine (id integer)",
        "UPDATE alembic_version SET version_num = ''",
        "SET ROLE app",
    ):
        with pytest.raises(DBAPIError, match=r"must be owner of|permission denied"):
            async with database.writes.begin() as connection:
                await connection.execute(text(statement))


async def test_sqlite_has_no_roles_to_find_fault_with() -> None:
    assert not (await roles.standing_of_role("sqlite+aiosqlite:///x.db")).any


@on_postgresql
async def test_an_owner_who_is_no_superuser_is_held_to_the_policies_too_and_can_migrate(database_url: str) -> None:
    owner, service = f"owner {uuid4().hex}", f'service "{uuid4().hex}'
    async with owners(database_url) as connection:
        for role in (owner, service):
            await connection.execute(text(f"CREATE ROLE {quoted(role)} LOGIN"))
        await connection.execute(text(f"GRANT ALL ON SCHEMA public TO {quoted(owner)}"))
    named = sa.make_url(database_url)
    as_owner, as_service = (named.set(username=role).render_as_string() for role in (owner, service))
    assert (roles.service_role(as_service, as_owner), roles.service_role(as_owner, as_owner)) == (service, None)
    with pytest.raises(roles.NoSuchRole):
        await migrate.upgrade(as_owner, service="nobody's")
    assert await migrate.current(as_owner) is None
    for _ in range(2):
        await migrate.upgrade(as_owner, service=service)
    assert await roles.standing_of_role(as_owner) == (owner, False, False, True)
    assert await roles.standing_of_role(as_service) == (service, False, False, False)
    database = SqlDatabase(as_service)
    await new_workspace(database)
    owning = SqlDatabase(as_owner)
    async with owning.writes.begin() as connection:
        assert (await connection.execute(select(workspaces.Workspace.id))).all() == []
    await database.close()
    await owning.close()
    await migrate.downgrade(as_owner)
    async with owners(database_url) as connection:
        for role in (owner, service):
            await connection.execute(text(f"DROP OWNED BY {quoted(role)}"))
            await connection.execute(text(f"DROP ROLE {quoted(role)}"))


async def log(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        security.log(work, security.SecurityKind.SIGNED_IN)


@pytest.mark.parametrize("forgery", ["UPDATE security_log SET address = 'elsewhere'", "DELETE FROM security_log"])
async def test_the_security_log_is_only_ever_added_to(database: SqlDatabase, forgery: str) -> None:
    await log(database)
    with pytest.raises(DBAPIError, match=r"only ever added to|permission denied for table security_log"):
        async with database.work(SYSTEM) as work:
            await work.db.execute(text(forgery))
    assert await entries(database) == 1


@on_postgresql
@pytest.mark.parametrize(
    "forgery", ["UPDATE security_log SET address = 'elsewhere'", "DELETE FROM security_log", "TRUNCATE security_log"]
)
async def test_not_even_its_owner_changes_the_security_log(database: SqlDatabase, forgery: str) -> None:
    await log(database)
    with pytest.raises(DBAPIError, match="only ever added to"):
        async with owners(database.url, altering=False) as connection:
            await connection.execute(text(forgery))
    assert await entries(database) == 1


async def entries(database: SqlDatabase) -> int:
    async with everybodys(database) as connection:
        return int((await connection.execute(select(func.count()).select_from(security.SecurityEntry))).scalar_one())
