"""Fills a migrated database with sites, pages and finished audits of a year: 10^5, 10^6 or 10^7 of them.

`python -m bench.seed --url postgresql://app@127.0.0.1:5432/pacemark --audits 1000000`

The workspace must be there (`pacemark keys create` makes `default`) and have no sites yet. On PostgreSQL it connects as the
owner of the tables, for whom the server itself makes the rows; SQLite files do for smaller numbers. The same options on the
same day give the same audits but for their ids: page after page in turn, as a schedule would ask for them, with noise,
outliers, a value missing now and then, and pages that got slower in the middle of the year.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, TextClause, Uuid, bindparam, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bench.conditions import kept_under
from bench.peers import running
from bench.peers.running import Failed
from domain.measuring import EngineName
from domain.sites import Page, Profile, Site
from domain.sites.model import SiteProfile
from domain.workspaces import Workspace
from infra.db.connections import EVERYTHING, REACH

PROFILE = "Lighthouse mobile"
DRIVERS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
BATCH = 50_000


class Seeded(NamedTuple):
    """What is there now; the times are those of the first audit and behind the last."""

    workspace_id: UUID
    profile_id: UUID
    sites: list[UUID]
    pages: list[UUID]
    audits: int
    since: datetime
    until: datetime


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.seed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True, help="postgresql://owner@host/name or sqlite:////path/to/file")
    parser.add_argument("--audits", type=running.positive, default=100_000, help="how many (default: 100000)")
    parser.add_argument("--sites", type=running.positive, default=20, help="how many (default: 20)")
    parser.add_argument("--pages", type=running.positive, default=10, help="pages of a site (default: 10)")
    parser.add_argument("--days", type=running.positive, default=365, help="over how many days, until today (default: 365)")
    parser.add_argument("--workspace", default="default", help="slug of the workspace (default: default)")
    given = vars(parser.parse_args())
    began = time.monotonic()
    seeded = asyncio.run(seed(given.pop("url"), told=running.progress, **given))
    counts = f"{len(seeded.sites):,} sites, {len(seeded.pages):,} pages, {seeded.audits:,} audits"
    print(f"{counts} in {time.monotonic() - began:.0f} s")


async def seed(
    url: str,
    *,
    audits: int,
    sites: int = 20,
    pages: int = 10,
    workspace: str = "default",
    days: int = 365,
    until: datetime | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> Seeded:
    """Audits of so many days up to `until` (by default the beginning of this day in UTC). Raises Failed."""
    until = until or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since, step = until - timedelta(days=days), timedelta(days=days) // audits
    scheme, found, rest = url.partition("://")
    if not found or scheme.partition("+")[0] not in DRIVERS:
        raise Failed("A database is postgresql://owner@host/name or sqlite:////path/to/file.")
    engine = create_async_engine(f"{DRIVERS[scheme.partition('+')[0]]}://{rest}")
    try:
        async with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(select(func.set_config(REACH, EVERYTHING, False)))
            workspace_id, profile_id = await _where(connection, workspace)
            site_ids, page_ids = await _places(connection, workspace_id, profile_id, sites, pages, since)
            if connection.dialect.name == "postgresql":
                await connection.execute(_UNCHECKED)
            await connection.run_sync(_define)
            statement = _statement(connection.dialect.name)
            values = {"workspace": workspace_id, "profile": profile_id, "pages": sites * pages, "middle": audits // 2}
            values["conditions"] = await kept_under(connection, workspace_id, profile_id)
            values |= {"since": _microseconds(since), "step": step // timedelta(microseconds=1)}
            for first in range(0, audits, BATCH):
                last = min(first + BATCH, audits) - 1
                await connection.execute(statement, {**values, "first": first, "last": last})
                await connection.commit()
                told(f"{last + 1:,} of {audits:,} audits")
            await _tidy(connection, told)
    except (DBAPIError, OSError) as error:
        raise Failed(f"The database could not be filled: {str(getattr(error, 'orig', error)).strip()}") from error
    finally:
        await engine.dispose()
    return Seeded(workspace_id, profile_id, site_ids, page_ids, audits, since, since + step * audits)


async def _where(connection: AsyncConnection, slug: str) -> tuple[UUID, UUID]:
    """The workspace, and its profile."""
    try:
        workspace_id = await _one(connection, select(Workspace.id).where(Workspace.slug == slug))
    except DBAPIError as error:
        raise Failed(f"The database has no tables that can be read, run `pacemark migrate` first: {error.orig}") from error
    if workspace_id is None:
        raise Failed(f"There is no workspace {slug!r}: `pacemark keys create NAME` makes `default`, with its profiles.")
    of_name = (Profile.workspace_id == workspace_id, Profile.name == PROFILE, Profile.engine == EngineName.LIGHTHOUSE)
    profile_id = await _one(connection, select(Profile.id).where(*of_name))
    if profile_id is None:
        raise Failed(f"The workspace {slug!r} has no profile {PROFILE!r}, which new workspaces begin with.")
    if await _one(connection, select(Site.id).where(Site.workspace_id == workspace_id).limit(1)) is not None:
        raise Failed(f"The workspace {slug!r} has sites already: seed one that has none.")
    return workspace_id, profile_id


async def _one(connection: AsyncConnection, statement: Select[tuple[UUID]]) -> UUID | None:
    return (await connection.execute(statement)).scalar()


async def _places(
    connection: AsyncConnection, workspace_id: UUID, profile_id: UUID, sites: int, pages: int, since: datetime
) -> tuple[list[UUID], list[UUID]]:
    """The ids of the new sites and their pages, in order. All of it is made a minute before the first audit."""
    made = since - timedelta(minutes=1)
    chance = random.Random(workspace_id.int)
    ids = [_v7(made + timedelta(microseconds=number), chance) for number in range(sites + sites * pages)]
    of_sites, of_pages = ids[:sites], ids[sites:]
    here = {"workspace_id": workspace_id, "created_at": made}
    names = [f"site-{number + 1:0{len(str(sites))}}" for number in range(sites)]
    rows: list[dict[str, Any]] = [
        {
            "id": id,
            "default_profile_id": profile_id,
            "slug": f"{name}-example-com",
            "name": f"{name}.example.com",
            "origin": f"https://{name}.example.com",
            "tags": ["seeded", f"team-{number % 5}"],
            **here,
        }
        for number, (id, name) in enumerate(zip(of_sites, names, strict=True))
    ]
    await connection.execute(insert(Site), rows)
    chosen = [{"site_id": id, "profile_id": profile_id, "workspace_id": workspace_id} for id in of_sites]
    await connection.execute(insert(SiteProfile), chosen)
    width = len(str(pages))
    paths = ["/" if number == 0 else f"/articles/{number:0{width}}?from=home" for number in range(pages)]
    rows = [
        {
            "id": id,
            "site_id": of_sites[number // pages],
            "name": "Home" if number % pages == 0 else f"Article {number % pages:0{width}}",
            "path": paths[number % pages],
            **here,
        }
        for number, id in enumerate(of_pages)
    ]
    for first in range(0, len(rows), BATCH):
        await connection.execute(insert(Page), rows[first : first + BATCH])
    return of_sites, of_pages


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _v7(moment: datetime, chance: random.Random) -> UUID:
    """As domain.ids.new_id would have made it then."""
    milliseconds, below = divmod(_microseconds(moment), 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | (below << 12) // 1000 << 64 | 2 << 62 | chance.getrandbits(62))


# The three functions that the statement below needs of a database: a number from 0 up to 1 that belongs to (row, kind of
# noise), the time, and the UUIDv7 of a row that was made then.
_FUNCTIONS = (
    """CREATE FUNCTION pg_temp.noise(bigint, integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS
    $$ SELECT (hashint8extended($1, $2) & 1048575) / CAST(1048576 AS double precision) $$""",
    """CREATE FUNCTION pg_temp.moment(bigint) RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT timestamptz '1970-01-01 00:00:00Z' + $1 * interval '1 microsecond' $$""",
    """CREATE FUNCTION pg_temp.identify(bigint, bigint, uuid) RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT CAST(lpad(to_hex($2 / 1000), 12, '0') || '7' || lpad(to_hex($2 % 1000 * 4096 / 1000), 3, '0')
       || substr('89ab', CAST($1 % 4 AS integer) + 1, 1) || substr(md5(concat($3, $1)), 1, 15) AS uuid) $$""",
)

# Every reference comes from a join, and to look each up again takes a third of the time: not where the owner may leave it out.
_ROLE = "session_replication_role"
_UNCHECKED = select(func.set_config(_ROLE, "replica", False)).where(func.has_parameter_privilege(_ROLE, "SET"))


def _define(connection: Connection) -> None:
    """The functions, for as long as this connection lives."""
    if connection.dialect.name == "postgresql":
        for each in _FUNCTIONS:
            connection.exec_driver_sql(each)
        return
    here: Any = connection.connection.dbapi_connection
    here.create_function("noise", 2, lambda row, kind: _digest(row, kind) / 2**32, deterministic=True)
    here.create_function("moment", 1, lambda at: f"{datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at):%FT%T.%fZ}")
    here.create_function("identify", 3, _identify, deterministic=True)


def _digest(row: int, kind: int) -> int:
    return int.from_bytes(hashlib.blake2b(b"%d %d" % (row, kind), digest_size=4).digest())


def _identify(row: int, at: int, workspace: str) -> str:
    return _v7(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at), random.Random(f"{workspace} {row}")).hex


_SERIES = {
    "postgresql": "SELECT i FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS numbers(i)",
    "sqlite": "SELECT CAST(:first AS bigint) UNION ALL SELECT i + 1 FROM series WHERE i < CAST(:last AS bigint)",
}

# A page is so slow by nature, got slower in the middle of the year or did not, and is measured with the noise of its day:
# three random numbers are nearly a bell, and one day in a hundred is a bad one.
_STATEMENT = """
INSERT INTO audits (
    id, workspace_id, site_id, page_id, profile_id, profile_version, environment, engine, engine_version, form_factor,
    runner_pool, conditions_id, state, requested_by, requested_url, final_url, requested_at, started_at, finished_at, phase,
    runs, performance_score, lcp_ms, fcp_ms, tbt_ms, cls, speed_index_ms, tti_ms, ttfb_ms, request_count, transfer_bytes,
    script_bytes, image_bytes, dom_size, scores, user_timings)
WITH RECURSIVE series(i) AS ({series}),
place AS (
    SELECT row_number() OVER (ORDER BY pages.id) - 1 AS number, pages.id, pages.site_id, sites.origin || pages.path AS url
    FROM pages JOIN sites ON sites.id = pages.site_id WHERE pages.workspace_id = :workspace
),
measured AS (
    SELECT i, place.*, CAST(:since AS bigint) + i * CAST(:step AS bigint) AS at,
        (1 + {noise}(number, 1) + CASE WHEN {noise}(number, 2) > 0.8 AND i > CAST(:middle AS bigint) THEN 0.5 ELSE 0 END)
        * (1 + ({noise}(i, 3) + {noise}(i, 4) + {noise}(i, 5) - 1.5) * 0.2)
        * CASE WHEN {noise}(i, 6) > 0.99 THEN 1.8 ELSE 1 END AS slow
    FROM series JOIN place ON place.number = i % CAST(:pages AS bigint)
),
scored AS (
    SELECT *, round(CAST(CASE WHEN slow > 3 THEN 0.25 ELSE 1.15 - slow * 0.3 END AS numeric), 2) AS score FROM measured
)
SELECT {identify}(i, at, :workspace), :workspace, site_id, scored.id, profiles.id, profiles.version, 'production',
    profiles.engine, '13.4.0', profiles.form_factor, 'default', :conditions, 'FINISHED', 'schedule', url, url, {moment}(at),
    {moment}(at + 2000000), {moment}(at + 20000000 + CAST(slow * 9000000 AS bigint)), 'ENDED', profiles.runs,
    score, CASE WHEN {noise}(i, 7) > 0.01 THEN round(CAST(1300 * slow AS numeric), 3) END,
    round(CAST(820 * slow AS numeric), 3),
    CASE WHEN {noise}(i, 8) > 0.02 THEN round(CAST(160 * slow * {noise}(i, 9) AS numeric), 3) END,
    round(CAST(0.12 * {noise}(number, 10) * {noise}(i, 11) AS numeric), 6),
    round(CAST(1500 * slow AS numeric), 3), round(CAST(2600 * slow AS numeric), 3), round(CAST(190 * slow AS numeric), 3),
    60 + CAST(40 * {noise}(number, 12) AS integer), 900000 + CAST(400000 * {noise}(number, 13) AS integer),
    300000 + CAST(200000 * {noise}(number, 14) AS integer), 400000 + CAST(100000 * {noise}(number, 15) AS integer),
    700 + CAST(900 * {noise}(number, 16) AS integer),
    CAST('[{{"category": "performance", "title": "Performance", "score": ' || CAST(score AS text) || '}}]' AS {json}),
    CAST('[]' AS {json})
FROM scored JOIN profiles ON profiles.id = :profile
"""


def _statement(dialect: str) -> TextClause:
    postgres = dialect == "postgresql"
    names = {name: f"pg_temp.{name}" if postgres else name for name in ("noise", "moment", "identify")}
    filled = _STATEMENT.format(series=_SERIES[dialect], json="jsonb" if postgres else "text", **names)
    return text(filled).bindparams(
        bindparam("workspace", type_=Uuid()), bindparam("profile", type_=Uuid()), bindparam("conditions", type_=Uuid())
    )


async def _tidy(connection: AsyncConnection, told: Callable[[str], None]) -> None:
    """So that plans are made, and pages of tables seen as visible, as after a night of autovacuum."""
    told("vacuum and analyze")
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    for table in ("sites", "pages", "site_profiles", "audits") if connection.dialect.name == "postgresql" else ("",):
        await connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}" if table else "ANALYZE")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Failed as failed:
        raise SystemExit(str(failed)) from None
