"""The security log: what is in an entry, and that an export loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import security
from domain.access import SYSTEM, Actor, Role
from domain.ids import new_id
from domain.paging import Window
from domain.security import SecurityKind
from domain.work import Origin
from infra.db.database import SqlDatabase
from tests.databases import new_workspace

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


async def log(database: SqlDatabase, kind: SecurityKind, number: int = 1, *, workspace_id: UUID | None = None) -> None:
    async with database.work(SYSTEM) as work:
        for each in range(number):
            security.log(work, kind, workspace_id=workspace_id, number=each)


async def exported(database: SqlDatabase, since: datetime = BEGINNING, workspace_id: UUID | None = None) -> list[str]:
    rows = [row async for row in security.export(database.reader, since=since, workspace_id=workspace_id)]
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    return [f"{row.kind} {row.details['number']}" for row in rows if "number" in row.details]


async def test_an_entry_says_who_did_what_to_what_from_where(database: SqlDatabase) -> None:
    workspace_id, _ = await new_workspace(database)
    user, key, session = new_id(), new_id(), new_id()
    actor = Actor(roles={workspace_id: Role.OWNER}, user_id=user, key_id=key, session_id=session)
    async with database.work(actor, Origin("203.0.113.7", "Firefox")) as work:
        security.log(work, SecurityKind.KEY_ISSUED, workspace_id=workspace_id, subject="key_1", role="ADMIN", sites=["a", "b"])
    [row, *_] = (await security.LOG.of(database.reader, actor.reach, workspace_id, Window())).rows
    assert (row.at, row.kind, row.user_id, row.key_id, row.session_id) == (
        work.now,
        SecurityKind.KEY_ISSUED,
        user,
        key,
        session,
    )
    assert (row.subject, row.address, row.agent) == ("key_1", "203.0.113.7", "Firefox")
    assert row.details == {"role": "ADMIN", "sites": ["a", "b"]}


async def test_what_is_rolled_back_is_not_logged(database: SqlDatabase) -> None:
    async def fail() -> None:
        async with database.work(SYSTEM) as work:
            security.log(work, SecurityKind.SIGNED_IN, number=1)
            await work.db.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await exported(database) == []


async def test_an_export_of_several_batches_has_each_entry_once_and_in_order(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = security.queries.BATCH + 1
    await log(database, SecurityKind.SIGNED_IN, number)
    assert await exported(database) == [f"SIGNED_IN {each}" for each in range(number)]


async def test_an_export_of_a_workspace_has_nothing_of_others(database: SqlDatabase) -> None:
    ours, _ = await new_workspace(database)
    theirs, _ = await new_workspace(database, slug="theirs")
    for id in (ours, theirs, None):
        await log(database, SecurityKind.KEY_REVOKED, workspace_id=id)
    assert await exported(database, workspace_id=ours) == ["KEY_REVOKED 0"]
    assert await exported(database) == ["KEY_REVOKED 0"] * 3


async def test_an_export_begins_with_the_moment_that_is_named(database: SqlDatabase) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for hours, kind in ((-1, SecurityKind.SIGNED_IN), (0, SecurityKind.SIGNED_OUT), (1, SecurityKind.SESSION_REVOKED)):
        database._clock = lambda hours=hours: moment + timedelta(hours=hours)  # type: ignore[misc]
        await log(database, kind)
    assert await exported(database, since=moment) == ["SIGNED_OUT 0", "SESSION_REVOKED 0"]


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (["a", 1], "a, 1"), (None, ""), (True, "yes"), (False, "no"), (3, "3")]
)
def test_a_detail_is_shown_as_text(value: object, text: str) -> None:
    assert security.as_text(value) == text
