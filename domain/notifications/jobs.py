"""The slow work: one delivery, from its claim until it has left the house, with no transaction open while it does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import bindparam, delete, select, update

from .. import files, jobs, mails
from ..access import SYSTEM
from ..base import Query, query
from ..ids import Kind, encode, parse
from ..keyring import CHANNELS, LINKS, Unsealed
from ..mails import Mail, MailerAway, MailRefused, Template
from ..ports import Database
from ..work import Work
from ..workspaces import Workspace
from . import messages, recording, rules, sealing
from .model import Channel, Delivery
from .poster import Means, Unreached
from .recording import Tried
from .rules import ChannelKind, DeliveryState, Moment, PauseReason
from .telling import KIND

SEND_SECONDS = 15.0
"""With what `jobs.record` may take, shorter than a claim lasts."""

MAIL_SECONDS = 14.0
"""Each of several mails; shorter than all of it, so that what became of the others is known."""

LINK_LASTS = timedelta(days=7)
SWEPT = 500
FORGOTTEN = 5_000

HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "Pacemark"}
GONE = 410
UNREADABLE = "What is known of where it leads cannot be read: the secret has changed. Say again where it leads."
PAUSED = "The channel is paused."
DELETED = "The workspace is deleted."
BUG = "Something went wrong on our side; it has been logged."


class Outcome(StrEnum):
    """What became of a delivery."""

    SENT = "SENT"
    PUT_OFF = "PUT_OFF"
    FAILED = "FAILED"
    GONE = "GONE"


class DeliveryToDo(NamedTuple):
    """A delivery with what is needed of its channel. `deleted_at`: of its workspace, where that is."""

    id: UUID
    workspace_id: UUID
    channel_id: UUID
    moment: Moment
    message: dict[str, Any]
    reached: list[str]
    refused: dict[str, str]
    tries: int
    before: int
    kind: ChannelKind
    sealed: bytes
    paused_reason: PauseReason | None
    created_at: datetime
    deleted_at: datetime | None


_ONE = Query(
    DeliveryToDo,
    query(DeliveryToDo, Delivery, Channel, Workspace)
    .statement.join(Channel, Channel.id == Delivery.channel_id)
    .join(Workspace, Workspace.id == Delivery.workspace_id)
    .where(Delivery.id == bindparam("id")),
).beyond_reach("A worker reads the delivery that it has claimed.")


async def take(database: Database) -> jobs.Claim | None:
    """The next delivery to be tried. Raises DatabaseAway."""
    return await jobs.take_next(database, KIND)


async def perform(database: Database, means: Means, claim: jobs.Claim) -> tuple[Outcome, str]:
    """Try it, and record what came of it. What became of it, and why. Cancelled, it gives the delivery back at once.

    Whatever is raised that should not be is recorded as the reason why it failed, and raised. Raises ClaimLost, and
    DatabaseAway: then another worker tries it, perhaps once more.
    """
    async with jobs.giving_back(database, claim):
        return await _perform(database, means, claim)


async def _perform(database: Database, means: Means, claim: jobs.Claim) -> tuple[Outcome, str]:
    async with database.work(SYSTEM) as work:
        await jobs.hold(work, claim)
        row, at = await work.db.first(_ONE, id=claim.job.subject), work.now
    if row is None:
        await jobs.record(database, lambda work: jobs.finish(work, claim))
        return Outcome.GONE, "It is not there any more."
    now, tried = asyncio.get_running_loop().time, Tried(at)
    began, bug = now(), None
    try:
        if row.deleted_at is not None:
            tried.error, tried.final, tried.ours = DELETED, True, True
        elif row.paused_reason is not None and row.moment is not Moment.TEST:
            tried.error, tried.final, tried.ours = PAUSED, True, True
        else:
            async with asyncio.timeout(SEND_SECONDS):
                await _send(means, row, tried)
    except TimeoutError:
        tried.error = "There was no answer in time."
    except Exception as error:
        bug, tried.error, tried.final, tried.ours = error, BUG, True, True
    tried.duration = timedelta(seconds=now() - began)
    state = await jobs.record(database, lambda work: recording.record(work, claim, row, tried))
    if bug is not None:
        raise bug
    outcome = {DeliveryState.SENT: Outcome.SENT, DeliveryState.WAITING: Outcome.PUT_OFF}.get(state, Outcome.FAILED)
    return outcome, tried.error or ""


async def _send(means: Means, row: DeliveryToDo, tried: Tried) -> None:
    """What comes of it is in `tried`."""
    try:
        contents = sealing.opened(row.sealed, means.keyring)
    except Unsealed:
        tried.error, tried.final, tried.ours = UNREADABLE, True, True
        return
    link = _link(means, row)
    if row.kind is ChannelKind.EMAIL:
        await _mail(means, row, contents.targets, link, tried)
        return
    headers = dict(HEADERS)
    if row.kind is ChannelKind.SLACK:
        body = messages.slack(row.message, row.moment, link)
    else:
        body = messages.webhook(row.message, link)
        headers |= sealing.headers(contents, row.id, tried.at, body)
    try:
        answer = await means.poster.post(contents.targets[0], headers, body)
    except Unreached as unreached:
        tried.error = str(unreached)
        return
    tried.status, tried.answer = answer.status, rules.shown(answer.text) or None
    if not 200 <= answer.status < 300:
        tried.error = f"The server answered {answer.status}."
        tried.gone = answer.status == GONE
        tried.asked = rules.retry_after(answer.retry_after, tried.at)


async def _mail(means: Means, row: DeliveryToDo, addresses: Sequence[str], link: str, tried: Tried) -> None:
    """One mail for each address that has none yet, whatever becomes of the others'.

    A mail server of ours that is away is no fault of the channel's.
    """
    values = {**messages.mail(row.message, row.moment, link), "at": f"{row.created_at:%Y-%m-%d %H:%M} UTC"}
    done = {*row.reached, *row.refused}
    left = [each for each in addresses if done.isdisjoint(means.keyring.digests(each, CHANNELS))]
    tried.reached, tried.refused = list(row.reached), dict(row.refused)

    async def send(address: str) -> None:
        async with asyncio.timeout(MAIL_SECONDS):
            await means.mailer.send(Mail(uuid5(row.id, address), Template.ALERT, address, values))

    said = await asyncio.gather(*map(send, left), return_exceptions=True)
    away, bugs = [], []
    for address, error in zip(left, said, strict=True):
        match error:
            case None:
                tried.reached.append(means.keyring.digest(address, CHANNELS))
            case MailRefused():
                tried.refused[means.keyring.digest(address, CHANNELS)] = f"{mails.masked(address)}: {error}"
            case MailerAway() | TimeoutError():
                away.append(str(error) or "The mail server did not answer in time.")
            case _:
                bugs.append(error)
    if bugs:
        raise bugs[0]
    if away:
        tried.error, tried.ours = away[0], True
    elif tried.refused:
        tried.error, tried.final = "; ".join(tried.refused.values()), True


def _link(means: Means, row: DeliveryToDo) -> str:
    """The report of the audit that it is about, where there is one; the same each time that it is tried."""
    alert = row.message["data"].get("alert") or {}
    found = parse(alert.get("auditId") or "")
    if found is None:
        return f"{means.base_url}/graphql"
    token = files.sign(found[1], row.created_at + LINK_LASTS, means.keyring.derive(LINKS))
    return f"{means.base_url}/report/{encode(Kind.AUDIT, found[1])}?token={token}"


async def sweep(work: Work) -> jobs.Lapsed:
    """Put back what dead workers held, and give up what has outlived too many of them."""
    lapsed = await jobs.lapse(work, [KIND], SWEPT)
    for job in lapsed.dead:
        ended = {"state": DeliveryState.FAILED, "next_at": None, "ended_at": work.now}
        await work.db.execute(update(Delivery).where(Delivery.id == job.subject).values(**ended))
    return lapsed


async def forget(work: Work) -> int:
    """Forget what was told long ago, up to so much at once; how many deliveries that were."""
    old = select(Delivery.id).where(Delivery.created_at < work.now - rules.KEPT).order_by(Delivery.created_at).limit(FORGOTTEN)
    gone = await work.db.execute(delete(Delivery).where(Delivery.id.in_(old)).returning(Delivery.id))
    return len(gone.all())
