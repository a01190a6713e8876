"""How a database comes to the version that the program expects: whole, once, and back again."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

import migrations
from infra.db import migrate
from infra.db.database import SqlDatabase

BREAKS = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "broken", {newest!r}, None, None
def upgrade():
    op.create_table("half_done", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO nowhere VALUES (1)")
def downgrade():
    op.drop_table("half_done")
"""


async def tables(url: str) -> set[str]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    await engine.dispose()
    return names


async def test_an_empty_database_has_no_version_and_a_migrated_one_the_newest(database_url: str) -> None:
    assert await migrate.current(database_url) is None
    await migrate.upgrade(database_url)
    assert await migrate.current(database_url) == migrate.newest()


async def test_asking_for_the_version_changes_nothing(database_url: str) -> None:
    await migrate.current(database_url)
    assert await tables(database_url) == set()


async def test_migrating_twice_changes_nothing_more(database_url: str) -> None:
    await migrate.upgrade(database_url)
    before = await tables(database_url)
    await migrate.upgrade(database_url)
    assert await tables(database_url) == before


async def test_of_programs_that_migrate_at_once_all_find_the_work_done(database_url: str) -> None:
    script = "import asyncio, sys; from infra.db import migrate; asyncio.run(migrate.upgrade(sys.argv[1]))"
    root = Path(__file__).parents[2]
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, database_url, cwd=root, stdout=-1, stderr=-1)
        for _ in range(3)
    ]
    said = [await process.communicate() for process in others]
    assert [process.returncode for process in others] == [0, 0, 0], said[0][1][-500:] + said[1][1][-500:] + said[2][1][-500:]
    assert await migrate.current(database_url) == migrate.newest()


async def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.upgrade(database_url)
    before, newest = await tables(database_url), migrate.newest()
    assert migrations.__file__ is not None
    folder = shutil.copytree(Path(migrations.__file__).parent, tmp_path / "broken")
    (folder / "versions" / "zz_broken.py").write_text(BREAKS.format(newest=newest))
    monkeypatch.setattr(migrations, "__file__", str(folder / "__init__.py"))
    with pytest.raises(Exception, match="nowhere"):
        await migrate.upgrade(database_url)
    assert await tables(database_url) == before
    assert await migrate.current(database_url) == newest


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_migrated_sqlite_file_is_in_wal_mode_before_anyone_opens_it(database_url: str) -> None:
    await migrate.upgrade(database_url)
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
    await engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_programs_that_open_a_fresh_file_at_once_wait_for_one_another(database_url: str) -> None:
    databases = [SqlDatabase(database_url) for _ in range(6)]

    async def use(database: SqlDatabase) -> None:
        async with database.writes.begin() as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS t (x)"))

    await asyncio.gather(*map(use, databases))
    for database in databases:
        await database.close()
