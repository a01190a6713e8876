"""Databases as no test can make them: one that never answers, and one whose driver has a bug."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from graph import standing
from graph.batches import Batches
from infra.db.reader import SqlReader
from tests.graph.asking import Asking

SITE = '{ site(id: "site_01890000000070008000000000000000") { id } }'
SECRET = "pmk_12345678_secret"


class Stuck(SqlReader):
    """Reads begin, and end when they are cancelled."""

    def __init__(self, asking: Asking) -> None:
        super().__init__(asking.database.reads)
        self.running = 0
        self.begun = asyncio.Event()

    async def _read(self, text: Any, values: Any) -> Any:
        self.running += 1
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1


class Broken(SqlReader):
    """Reads fail as only a bug does."""

    async def _read(self, text: Any, values: Any) -> Any:
        raise RuntimeError(f"{SECRET} at 10.0.0.1")


def stick(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> Stuck:
    """From now on; who is known by now stays so."""
    stuck = Stuck(asking)
    put(stuck, asking, monkeypatch)
    return stuck


class Alone:
    """Each operation reads for itself, so that reads tell how many of them run."""

    def __init__(self, _batches: Batches, _kind: object, keys: Any, read: Any) -> None:
        self.keys = keys
        self._read = read

    async def answer(self) -> Any:
        return await self._read(self.keys)

    def leave(self) -> None:
        pass


def put(reader: SqlReader, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batches, "ask", lambda *given: Alone(*given))
    monkeypatch.setattr(standing, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(asking.database, "_reader", reader)
