"""Files one audit and sees it through: worked by whoever works this folder, else by this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from app.folder import WorkerLock
from app.waiting import set_within
from app.wiring import House
from app.worker import appear
from domain import audits, sites, verdicts
from domain.access import SYSTEM, Actor
from domain.errors import Conflict
from domain.measuring import EngineName, FormFactor

POLL_SECONDS = 0.1
LOOK_SECONDS = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wish:
    """What to measure, and how. `runs` None means the profile's."""

    url: str
    engine: EngineName
    form_factor: FormFactor
    runs: int | None
    timeout: float | None


async def file(house: House, actor: Actor, workspace_id: UUID, wish: Wish) -> UUID:
    """The audit's id. Raises Refused."""
    async with house.database.work(actor) as work:
        profile = await sites.find_or_create_profile(
            work, workspace_id=workspace_id, engine=wish.engine, form_factor=wish.form_factor
        )
        promised = await audits.request(work, workspace_id=workspace_id, url=wish.url, profile_id=profile.id, runs=wish.runs)
    return promised.id


async def see_through(
    house: House,
    actor: Actor,
    audit_id: UUID,
    *,
    stop: asyncio.Event,
    timeout: float | None,
    show: Callable[[audits.AuditRow], None],
) -> audits.AuditRow:
    """The audit as it ended; `stop` and the timeout (seconds) cancel it."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        working = group.create_task(_work_if_nobody_does(house, audit_id, ended))
        try:
            return await _watch(house, actor, audit_id, stop=stop, timeout=timeout, show=show)
        finally:
            ended.set()
            await asyncio.wait({working})


async def _watch(
    house: House,
    actor: Actor,
    audit_id: UUID,
    *,
    stop: asyncio.Event,
    timeout: float | None,
    show: Callable[[audits.AuditRow], None],
) -> audits.AuditRow:
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout if timeout is not None else float("inf")
    cancelled = False
    while True:
        audit = (await audits.by_ids(house.database.reader, actor.reach, [audit_id]))[audit_id]
        show(audit)
        if audit.state in audits.ENDED:
            return audit
        if not cancelled and (stop.is_set() or clock() > deadline):
            cancelled = True
            await _cancel(house, actor, audit_id)
        await asyncio.sleep(POLL_SECONDS)


async def _cancel(house: House, actor: Actor, audit_id: UUID) -> None:
    try:
        async with house.database.work(actor) as work:
            await audits.cancel(work, audit_id=audit_id)
    except Conflict:
        return  # it ended by itself in the meantime


async def _work_if_nobody_does(house: House, audit_id: UUID, ended: asyncio.Event) -> None:
    """This audit and no other, also when whoever worked the folder goes away before it is done."""
    lock = WorkerLock(house.settings.data, shared=not house.database.is_sqlite)
    try:
        while not ended.is_set():
            if not lock.held_elsewhere():
                await _work(house, audit_id)
            await set_within(ended, LOOK_SECONDS)
    finally:
        lock.close()


async def _work(house: House, audit_id: UUID) -> None:
    database = house.database
    async with database.work(SYSTEM) as work:
        await audits.sweep(work)
    claim = await audits.take(
        database,
        runner_id=await appear(house),
        pool=house.settings.runner_pool,
        engines=house.engines,
        only=audit_id,
    )
    if claim is None:
        return
    try:
        await audits.perform(database, house.storage, house.engines[claim.audit.engine], house.keyring, claim)
    except Exception:
        log.exception("The audit could not be worked.")
        return
    judging = await verdicts.take_alone(database, audit_id)
    if judging is not None:
        await verdicts.perform_alone(database, judging)
