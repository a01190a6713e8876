from __future__ import annotations

from pathlib import Path

import pytest
from graphql import build_schema

from app import bootstrap, cli
from app.errors import Unusable
from app.settings import Settings
from infra.db import migrate
from tests.app.running import pacemark


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


def test_schema_print_prints_the_schema(tmp_path: Path) -> None:
    done = pacemark(tmp_path, "schema", "print")
    assert (done.returncode, done.stderr) == (0, "")
    schema = build_schema(done.stdout)
    assert schema.mutation_type is not None
    assert "auditRequest" in schema.mutation_type.fields
    assert list(tmp_path.iterdir()) == []


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
