"""Writing a mail, in the transaction that it tells of."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .. import jobs
from ..ids import new_id
from ..keyring import MAIL, Keyring
from ..work import Job, Work
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
