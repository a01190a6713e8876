"""A shelf of audits on SQLite; tests that take `everywhere` have one on each database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from infra.db import migrate
from infra.db.database import SqlDatabase

from .shelf import Shelf, furnish


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncGenerator[Shelf, None]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'pacemark.db'}"
    await migrate.upgrade(url)
    database = SqlDatabase(url)
    furnished = await furnish(database, tmp_path)
    yield furnished
    await furnished.client.aclose()
    await database.close()


@pytest.fixture
async def everywhere(database: SqlDatabase, tmp_path: Path) -> AsyncGenerator[Shelf, None]:
    furnished = await furnish(database, tmp_path)
    yield furnished
    await furnished.client.aclose()
