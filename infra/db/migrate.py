"""Brings a database's tables to the version that this program expects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, select, table
from sqlalchemy.exc import DBAPIError

import migrations
from domain.base import Query
from domain.ports import Reader

from .connections import EVERYTHING, REACH, once
from .roles import grant

_LOCK = 20_261_122
"""The number of the advisory lock that whoever migrates a PostgreSQL holds."""


def config(connection: Connection | None = None) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    settings.attributes["connection"] = connection
    return settings


def newest() -> str | None:
    """The version that this program expects."""
    return ScriptDirectory.from_config(config()).get_current_head()


async def upgrade(url: str, version: str = "head", *, service: str | None = None) -> None:
    """`service`: the role that may use the tables afterwards, of another who owns them. Raises NoSuchRole."""
    await once(url, lambda connection: _alone(connection, command.upgrade, version, service))


async def downgrade(url: str, version: str = "base") -> None:
    await once(url, lambda connection: _alone(connection, command.downgrade, version))


async def current(url: str) -> str | None:
    """The version that the database has; None when it is empty."""
    return await once(url, lambda connection: MigrationContext.configure(connection).get_current_revision())


class _VersionRow(NamedTuple):
    number: str


_VERSION = Query(_VersionRow, select(column("version_num")).select_from(table("alembic_version")))


async def version(reader: Reader) -> str | None:
    """The same of a database that is open, and was migrated when it was opened. Raises DatabaseAway."""
    try:
        row = await reader.first(_VERSION)
    except DBAPIError:  # somebody has emptied it
        return None
    return row.number if row is not None else None


def _alone(connection: Connection, change: Callable[[Config, str], None], version: str, service: str | None = None) -> None:
    """All of it or nothing; and of two programs that start at once, the second finds the work done."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        # An owner is held to the policies too, and migrations move everybody's rows.
        connection.exec_driver_sql(f"SELECT set_config('{REACH}', '{EVERYTHING}', true)")
    change(config(connection), version)
    if service is not None:
        grant(connection, service)
