"""Writing a mail, in the transaction that it tells of."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import update

from .. import jobs
from ..ids import new_id
from ..keyring import MAIL, Keyring
from ..work import Call, Job, StoredJob, Work
from .model import VALUES, StoredMail, Template

KIND = "mail"
"""The kind of its jobs."""


async def send(work: Work, template: Template, to: str, values: Mapping[str, str], keyring: Keyring) -> None:
    """It leaves after the commit, at least once. From where and when it was asked for is added to the values.

    `to` and the values are sealed: there are links among them that open something. `VALUES` has what is needed.
    """
    if missing := VALUES[template] - values.keys():
        raise ValueError(f"The template {template} needs {', '.join(sorted(missing))} too.")
    asked = {"address": work.origin.address, "agent": work.origin.agent, "at": f"{work.now:%Y-%m-%d %H:%M} UTC"}
    text = json.dumps({"to": to, "values": {**values, **asked}})
    mail = StoredMail(id=new_id(), template=template, sealed=keyring.seal(text.encode(), MAIL), created_at=work.now)
    work.db.add(mail)
    work.enqueue(Job(KIND, workspace_id=None, subject=mail.id, priority=jobs.PERSON_WAITS))


async def retry(work: Work, ids: Collection[UUID]) -> Collection[UUID]:
    """Try mails that were given up for another day, as new ones. Those of them that were dead still."""
    again = (
        update(StoredJob)
        .where(StoredJob.kind == KIND, StoredJob.subject.in_(ids), StoredJob.dead_at.is_not(None))
        .values(dead_at=None, error=None, deliveries=0, at=work.now, ready_at=work.now, sent_at=None)
        .returning(StoredJob.id, StoredJob.subject, StoredJob.trace)
    )
    rows = (await work.db.execute(again)).all()
    work.calls += [Call(KIND, id, trace) for id, _, trace in rows]
    return [mail for _, mail, _ in rows]
