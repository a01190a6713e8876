"""Brings a database's tables to the version that this program expects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

import migrations


def config(connection: Connection | None = None) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    settings.attributes["connection"] = connection
    return settings


def newest() -> str | None:
    """The version that this program expects."""
    return ScriptDirectory.from_config(config()).get_current_head()


async def upgrade(url: str, version: str = "head") -> None:
    await _run(url, lambda connection: command.upgrade(config(connection), version))


async def downgrade(url: str, version: str = "base") -> None:
    await _run(url, lambda connection: command.downgrade(config(connection), version))


async def current(url: str) -> str | None:
    """The version that the database has; None when it is empty."""
    version: str | None = await _run(url, lambda connection: MigrationContext.configure(connection).get_current_revision())
    return version


async def _run(url: str, job: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(job)
    finally:
        await engine.dispose()
