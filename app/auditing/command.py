"""What `pacemark audit` does from beginning to end, and what its exit status says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer
import uvloop
from rich.console import Console

from app import bootstrap, server, settings
from app.auditing import document, order, progress, table
from app.auditing.outcome import Outcome, gather
from app.folder import WorkerLock
from app.settings import Settings
from domain import audits, metrics, sites
from domain.measuring import FailureKind

MEASURED, TOO_BAD, PAGE_FAILED, ENGINE_FAILED, INTERRUPTED = 0, 1, 3, 4, 130


def run(wish: order.Wish, *, data: Path | None, as_json: bool, fail_on: str | None) -> int:
    """The exit status. Raises Unusable and Refused, which are bad usage."""
    loaded = settings.load(data=data)
    sites.split_url(wish.url)  # before a folder is made for it
    errors = table.console(stderr=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome, is_up, interrupted = runner.run(_audit(loaded, wish, errors))
    if as_json:
        typer.echo(document.as_json(outcome))
    else:
        table.show(outcome, data=str(loaded.data.resolve()), is_up=is_up)
    return _status(outcome, wish, fail_on, interrupted, errors)


async def _audit(loaded: Settings, wish: order.Wish, errors: Console) -> tuple[Outcome, bool, bool]:
    stop = server.stopped_by_signals()
    async with bootstrap.embedded(loaded, allow_private=True) as (house, workspace_id):
        actor = await bootstrap.owner(house, workspace_id)
        audit_id = await order.file(house, actor, workspace_id, wish)
        with progress.shown(wish.url, errors) as show:
            audit = await order.see_through(house, actor, audit_id, stop=stop, timeout=wish.timeout, show=show)
        lock = WorkerLock(loaded.data, shared=not house.database.is_sqlite)
        address = lock.address() if lock.held_elsewhere() else ""
        lock.close()
        return await gather(house, actor, audit, address or loaded.base_url), bool(address), stop.is_set()


def _status(outcome: Outcome, wish: order.Wish, fail_on: str | None, interrupted: bool, errors: Console) -> int:
    def say(sentence: str) -> None:
        errors.print(sentence, markup=False, soft_wrap=True)

    audit = outcome.audit
    if audit.state is audits.AuditState.CANCELLED:
        if interrupted:
            say("Interrupted: the audit was cancelled.")
            return INTERRUPTED
        say("The audit was cancelled" + (f": it took longer than {wish.timeout:g} s." if wish.timeout else "."))
        return ENGINE_FAILED
    if audit.state is audits.AuditState.FAILED:
        return PAGE_FAILED if audit.failure_kind is FailureKind.PAGE else ENGINE_FAILED
    failing = outcome.failing(fail_on)
    for each in failing:
        words = table.RATINGS[each.rating][0] if each.rating else ""
        say(f"{each.metric.title} is {words}: {metrics.format_value(each.metric.name, each.value)}")
    return TOO_BAD if failing else MEASURED
