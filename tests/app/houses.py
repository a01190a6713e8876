"""A house over a folder of its own, for tests that run its parts inside this process."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from app import bootstrap
from app.settings import Settings
from app.wiring import House
from domain import audits
from domain.access import Actor
from domain.measuring import Engine


@asynccontextmanager
async def opened(folder: Path, *engines: Engine) -> AsyncGenerator[tuple[House, Actor], None]:
    """With the engines given in the place of the real ones of their names."""
    settings = Settings(_env_file=None, data=folder, probes_at_once=2)
    async with bootstrap.embedded(settings) as (house, workspace_id):
        changed = {**house.engines, **{engine.name: engine for engine in engines}}
        yield replace(house, engines=changed), await bootstrap.owner(house, workspace_id)


async def file(house: House, actor: Actor, url: str = "http://127.0.0.1/") -> UUID:
    async with house.database.work(actor) as work:
        return (await audits.request(work, url=url, runs=1)).id


async def state(house: House, actor: Actor, audit_id: UUID) -> audits.AuditState:
    return (await audits.by_ids(house.database.reader, actor.reach, [audit_id]))[audit_id].state
