"""The slow work: one mail, from its claim until it has left the house, with no transaction open while it does."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum

from sqlalchemy import bindparam, delete, select, update

from .. import jobs
from ..access import SYSTEM
from ..base import query
from ..keyring import MAIL, Keyring, Unsealed
from ..ports import Database
from ..work import StoredJob, Work
from . import rules
from .actions import KIND
from .mailer import Mail, Mailer, MailerAway, MailRefused
from .model import MailRow, StoredMail

SEND_SECONDS = 15.0
"""With what `jobs.record` may take, shorter than a claim lasts."""

SWEPT = 500


class Outcome(StrEnum):
    """What became of a mail."""

    SENT = "SENT"
    REFUSED = "REFUSED"
    PUT_OFF = "PUT_OFF"
    GIVEN_UP = "GIVEN_UP"
    UNREADABLE = "UNREADABLE"
    GONE = "GONE"


async def take(database: Database) -> jobs.Claim | None:
    """The next mail to be sent. Raises DatabaseAway."""
    return await jobs.take_next(database, KIND)


async def perform(database: Database, mailer: Mailer, keyring: Keyring, claim: jobs.Claim) -> tuple[Outcome, str]:
    """Send it, and record so. What became of it, and why, without an address. Cancelled, it gives the mail back at once.

    Whatever a mailer raises that it should not is recorded as the reason why the mail was given up, and raised. Raises
    ClaimLost, and DatabaseAway: then another worker sends it, perhaps once more.
    """
    async with jobs.giving_back(database, claim):
        return await _perform(database, mailer, keyring, claim)


async def _perform(database: Database, mailer: Mailer, keyring: Keyring, claim: jobs.Claim) -> tuple[Outcome, str]:
    async with database.work(SYSTEM) as work:
        await jobs.hold(work, claim)
        row = await work.db.first(_ONE, id=claim.job.subject)
    if row is None:
        await jobs.record(database, lambda work: jobs.finish(work, claim))
        return Outcome.GONE, "It is not there any more."
    try:
        mail = _opened(row, keyring)
    except Unsealed:
        await jobs.record(database, lambda work: _done(work, claim))
        return Outcome.UNREADABLE, "It was sealed under a secret that is no longer known."
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await mailer.send(mail)
    except MailRefused as refused:
        await jobs.record(database, lambda work: _done(work, claim))
        return Outcome.REFUSED, str(refused)
    except (MailerAway, TimeoutError) as away:
        reason = str(away) or "The server did not answer in time."
        return await jobs.record(database, lambda work: _put_off(work, claim, reason)), reason
    except Exception:
        await jobs.record(
            database, lambda work: jobs.give_up(work, claim, "Something went wrong on our side; it has been logged.")
        )
        raise
    await jobs.record(database, lambda work: _done(work, claim))
    return Outcome.SENT, ""


_ONE = query(MailRow, StoredMail).where(StoredMail.id == bindparam("id"))


def _opened(row: MailRow, keyring: Keyring) -> Mail:
    """Raises Unsealed."""
    sealed = json.loads(keyring.open(row.sealed, MAIL))
    return Mail(row.id, row.template, sealed["to"], sealed["values"])


async def _done(work: Work, claim: jobs.Claim) -> None:
    await jobs.finish(work, claim)
    await work.db.execute(delete(StoredMail).where(StoredMail.id == claim.job.subject))


async def _put_off(work: Work, claim: jobs.Claim, reason: str) -> Outcome:
    pause = rules.pause(work.now - claim.job.at)
    if pause is None:
        await jobs.give_up(work, claim, f"It was tried for a day. {reason}")
        return Outcome.GIVEN_UP
    await jobs.postpone(work, claim, pause)
    await work.db.execute(update(StoredJob).where(StoredJob.id == claim.job.id).values(error=reason))
    return Outcome.PUT_OFF


async def sweep(work: Work) -> jobs.Lapsed:
    """Put back what dead workers held, and give up what has outlived too many of them."""
    return await jobs.lapse(work, [KIND], SWEPT)


async def forget(work: Work) -> None:
    """Forget what was given up long ago: the links in it have ended, and nobody is told of them any more."""
    stale = select(StoredJob.subject).where(StoredJob.kind == KIND, StoredJob.dead_at < work.now - rules.KEPT_DEAD)
    await work.db.execute(delete(StoredMail).where(StoredMail.id.in_(stale)))
    await work.db.execute(delete(StoredJob).where(StoredJob.kind == KIND, StoredJob.dead_at < work.now - rules.KEPT_DEAD))
