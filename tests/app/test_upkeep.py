from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from app import bootstrap, cli
from app.errors import Unusable
from app.settings import Settings
from domain import history
from domain.access import SYSTEM
from domain.ids import new_id
from domain.work import Event, EventKind, EventRow
from infra.db import migrate
from tests.app.running import pacemark
from tests.servers import PostgresServer


@pytest.mark.slow
def test_migrate_says_from_where_to_where(tmp_path: Path) -> None:
    first, second = (pacemark(tmp_path, "migrate", "--data", "data") for _ in range(2))
    assert (first.returncode, first.stdout, first.stderr) == (0, f"empty -> {migrate.newest()}\n", "")
    assert (second.returncode, second.stdout) == (0, f"{migrate.newest()} -> {migrate.newest()}\n")


async def test_a_version_that_nobody_knows_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="The database is at version none: Can't locate revision identified by 'nonsense'"):
        await bootstrap.bring_up_to_date(Settings(_env_file=None, data=tmp_path), "nonsense")


async def test_a_database_that_cannot_be_reached_is_a_sentence(tmp_path: Path, free_port: int) -> None:
    url = f"postgresql://127.0.0.1:{free_port}/x"
    with pytest.raises(Unusable, match="The database cannot be reached: "):
        await bootstrap.bring_up_to_date(Settings(_env_file=None, data=tmp_path, database_url=url))


async def test_a_folder_is_bootstrapped_once(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path)
    async with bootstrap.embedded(settings) as (house, first):
        key = await bootstrap.first_key(house, first)
    async with bootstrap.embedded(settings) as (house, again):
        assert again == first
        assert await bootstrap.first_key(house, again) == key


async def test_a_restored_database_begins_a_history_of_its_own(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path)
    async with bootstrap.embedded(settings) as (house, workspace):
        async with house.database.work(SYSTEM) as work:
            work.say(Event(EventKind.AUDIT_PROGRESSED, workspace, new_id(), None, {}))
        before = await history.state(house.database.reader)
    await bootstrap.bring_up_to_date(settings, restored=True)
    async with bootstrap.embedded(settings) as (house, _):
        after = await history.state(house.database.reader)
    assert after.id != before.id
    assert (after.last, after.published, after.forgotten) == (1, 1, 1)


@pytest.mark.slow
async def test_a_restored_database_takes_the_streams_over_behind_everything_that_is_there(
    tmp_path: Path, postgres_server: PostgresServer, nats_url: str
) -> None:
    """The database was made anew where the former one is lost, and then the copy was put in its place."""
    name = f"restored_{secrets.token_hex(6)}"
    there, copy = [
        Settings(
            _env_file=None,
            data=tmp_path / each,
            **await postgres_server.create_installation(f"{name}_{each}"),  # type: ignore[arg-type]
            nats_url=nats_url,
            nats_prefix=name,
        )
        for each in ("there", "copy")
    ]
    async with bootstrap.embedded(there) as (house, workspace), house.database.work(SYSTEM) as work:
        for _ in range(3):
            work.say(Event(EventKind.AUDIT_PROGRESSED, workspace, new_id(), None, {}))
    async with bootstrap.embedded(there) as (house, _):
        async with asyncio.timeout(20):
            while (await history.state(house.database.reader)).published < 3:
                await asyncio.sleep(0.05)
    with pytest.raises(Unusable, match="belongs to another Pacemark database"):
        await bootstrap.bring_up_to_date(copy)
    await bootstrap.bring_up_to_date(copy, restored=True)
    async with bootstrap.embedded(copy) as (house, workspace):
        state = await history.state(house.database.reader)
        assert (state.last, state.published) == (3, 3)
        with house.hub.follow(workspace) as follower:
            async with house.database.work(SYSTEM) as work:
                work.say(Event(EventKind.AUDIT_PROGRESSED, workspace, new_id(), None, {"number": 4}))
            heard = await follower.next(20)
    assert isinstance(heard, EventRow)
    assert (heard.sequence, heard.payload) == (4, {"number": 4})


@pytest.mark.parametrize("words", [["--help"], ["audit", "--help"], ["keys", "create", "--help"], ["schema", "--help"]])
def test_help_explains_every_option(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.dispatch(words)
    assert ended.value.code == 0
    options = [line for line in capsys.readouterr().out.splitlines() if line.lstrip("│* ").startswith("--")]
    assert options
    assert all(len(line.strip("│ ").split()) > 2 for line in options)


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert pacemark(tmp_path, "--version").stdout == "pacemark 0.1.0\n"
