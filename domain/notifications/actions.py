"""What is done to channels. Whoever writes here waits for the workspace's other writers first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import delete as remove
from sqlalchemy import update as change

from .. import accounts, mails, sites
from ..access import Permission
from ..base import count, query
from ..errors import Conflict, Fault, InvalidInput, LimitReached, ProblemCode
from ..idempotency import Promise, promise
from ..ids import Kind
from ..keyring import Keyring, Unsealed
from ..work import Work
from . import noting, rules, sealing
from .model import Channel, ChannelRow
from .rules import ChannelKind, PauseReason
from .turns import channel_in_turn, in_turn

_NUMBER = count(Channel, Channel.workspace_id == bindparam("workspace_id"))
_BY_NAME = query(ChannelRow, Channel).where(
    Channel.workspace_id == bindparam("workspace_id"), Channel.name == bindparam("name")
)


class _SealedRow(NamedTuple):
    sealed: bytes


_SEALED = query(_SealedRow, Channel).where(Channel.id == bindparam("id"), Channel.workspace_id == bindparam("workspace_id"))


class Created(NamedTuple):
    """`secret`: what signs, to be shown once; None for kinds that sign nothing, and for what was made before."""

    promised: Promise
    secret: str | None


async def create(
    work: Work,
    *,
    workspace_id: UUID,
    kind: ChannelKind,
    name: str,
    url: str | None = None,
    emails: Sequence[str] | None = None,
    everything: bool = True,
    keyring: Keyring,
    idempotency_key: str | None = None,
) -> Created:
    """Let alerts be told somewhere: at a URL, or to e-mail addresses."""
    work.actor.require(Permission.CHANNEL_WRITE, workspace_id)
    faults: list[Fault] = []
    name = sites.check_name(name, faults)
    targets = _targets(kind, url, emails, faults)
    if faults:
        raise InvalidInput(faults)
    # What leads somewhere is a secret, and is kept by its digest alone.
    given = {"workspace": workspace_id, "kind": kind, "name": name, "to": keyring.digest(repr(targets)), "all": everything}
    promised = await promise(work, idempotency_key, "channelCreate", given)
    if promised.replayed:
        return Created(promised, None)
    await in_turn(work, workspace_id)
    await _refuse_name(work, workspace_id, name)
    there = await work.db.first(_NUMBER, workspace_id=workspace_id)
    if there is not None and there.number >= rules.MAX_CHANNELS:
        raise LimitReached(f"A workspace has at most {rules.MAX_CHANNELS} channels.", rules.MAX_CHANNELS)
    contents = sealing.new_contents(kind, targets)
    channel = Channel(
        id=promised.id,
        workspace_id=workspace_id,
        kind=kind,
        name=name,
        sealed=sealing.sealed(contents, keyring),
        shown=_shown(kind, targets),
        everything=everything,
        created_at=work.now,
        created_by=work.actor.name,
        failures=0,
    )
    work.db.add(channel)
    await work.db.flush()
    noting.log(work, workspace_id, promised.id, change="created", name=name, tells=str(kind), target=channel.shown)
    return Created(promised, contents.secret)


async def update(work: Work, *, channel_id: UUID, changes: Mapping[str, Any], keyring: Keyring) -> UUID:
    """`changes`: name, url or emails (where it leads), everything, paused. What signs stays."""
    row = await channel_in_turn(work, channel_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    if "name" in changes:
        values["name"] = sites.check_name(changes["name"], faults)
    targets: list[str] | None = None
    if "url" in changes or "emails" in changes:
        targets = _targets(row.kind, changes.get("url"), changes.get("emails"), faults)
    if faults:
        raise InvalidInput(faults)
    if values.get("name", row.name) != row.name:
        await in_turn(work, row.workspace_id)
        await _refuse_name(work, row.workspace_id, values["name"])
    if "everything" in changes:
        values["everything"] = changes["everything"]
    if targets is not None:
        contents = (await _contents(work, row, keyring))._replace(targets=targets)
        values |= {"sealed": sealing.sealed(contents, keyring), "shown": _shown(row.kind, targets), **_WELL}
    if "paused" in changes:
        values |= _paused(work, row) if changes["paused"] else _RESUMED
    if values:
        await work.db.execute(change(Channel).where(Channel.id == channel_id).values(**values))
        told: dict[str, Any] = {name: values[name] for name in ("name", "everything") if name in values}
        told |= {"target": values["shown"]} if "shown" in values else {}
        told |= {"paused": changes["paused"]} if "paused" in changes else {}
        noting.log(work, row.workspace_id, channel_id, change="changed", **told)
    return channel_id


async def resume(work: Work, *, channel_id: UUID) -> UUID:
    """Let it be told of what comes from now on, as if it had never failed."""
    row = await channel_in_turn(work, channel_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    await work.db.execute(change(Channel).where(Channel.id == channel_id).values(**_RESUMED))
    noting.log(work, row.workspace_id, channel_id, change="resumed", name=row.name)
    return channel_id


async def delete(work: Work, *, channel_id: UUID) -> UUID:
    """Forget it with its routes and its log; nothing that waits is sent any more."""
    row = await channel_in_turn(work, channel_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    await work.db.execute(remove(Channel).where(Channel.id == channel_id))
    noting.log(work, row.workspace_id, channel_id, change="deleted", name=row.name)
    return channel_id


class Rotated(NamedTuple):
    """The new secret, to be shown once; the former one signs beside it until then."""

    secret: str
    former_until: datetime


async def rotate_secret(work: Work, *, channel_id: UUID, keyring: Keyring) -> Rotated:
    """A new secret signs; the one before it, and no earlier one, does so too for a day."""
    row = await channel_in_turn(work, channel_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    if row.kind is not ChannelKind.WEBHOOK:
        raise Conflict("Webhooks alone are signed.", ProblemCode.STATE_CHANGED, (Kind.CHANNEL, channel_id))
    contents = sealing.rotated(await _contents(work, row, keyring), work.now)
    assert contents.secret is not None
    assert contents.former_until is not None
    values = {"sealed": sealing.sealed(contents, keyring), "former_until": contents.former_until}
    await work.db.execute(change(Channel).where(Channel.id == channel_id).values(**values))
    noting.log(work, row.workspace_id, channel_id, change="secret replaced", name=row.name)
    return Rotated(contents.secret, contents.former_until)


_WELL: Mapping[str, Any] = {"failing_since": None, "failures": 0}
_RESUMED: Mapping[str, Any] = {"paused_at": None, "paused_reason": None, **_WELL}


def _paused(work: Work, row: ChannelRow) -> Mapping[str, Any]:
    return {"paused_at": row.paused_at or work.now, "paused_reason": row.paused_reason or PauseReason.BY_PERSON}


def _targets(kind: ChannelKind, url: str | None, emails: Sequence[str] | None, faults: list[Fault]) -> list[str]:
    """Where it leads, normalised; whatever is wrong is added to the faults."""
    wanted, other = ("emails", "url") if kind is ChannelKind.EMAIL else ("url", "emails")
    given = {"url": url, "emails": emails}
    if given[other] is not None:
        faults.append(Fault((other,), f"{kind} takes {wanted}, not {other}.", ProblemCode.INVALID))
    if given[wanted] is None or given[wanted] == []:
        faults.append(Fault((wanted,), f"{kind} needs {wanted}: where it leads.", ProblemCode.REQUIRED))
        return []
    found: list[str] = []
    if url is not None:
        try:
            found = ["".join(sites.split_url(url))]
        except InvalidInput as refused:
            faults += refused.faults
    for place, email in enumerate(emails or ()):
        try:
            found.append(accounts.checked_email(email))
        except InvalidInput as refused:
            faults += [Fault(("emails", str(place)), fault.message, fault.code) for fault in refused.faults]
    if len(found) > rules.MAX_ADDRESSES:
        faults.append(Fault(("emails",), f"At most {rules.MAX_ADDRESSES} addresses.", ProblemCode.TOO_MANY))
    return list(dict.fromkeys(found))


def _shown(kind: ChannelKind, targets: Sequence[str]) -> str:
    """As much of where it leads as may be read: whoever has the address of a webhook can often write there."""
    if kind is ChannelKind.EMAIL:
        return ", ".join(map(mails.masked, targets))
    origin, path = sites.split_url(targets[0])
    return origin if path == "/" else f"{origin}/…"


async def _contents(work: Work, row: ChannelRow, keyring: Keyring) -> sealing.Contents:
    kept = await work.db.first(_SEALED, id=row.id, workspace_id=row.workspace_id)
    assert kept is not None  # it is locked
    try:
        return sealing.opened(kept.sealed, keyring)
    except Unsealed:
        message = "What is known of this channel cannot be read: the secret has changed. Delete it, and make it anew."
        raise Conflict(message, ProblemCode.STATE_CHANGED, (Kind.CHANNEL, row.id)) from None


async def _refuse_name(work: Work, workspace_id: UUID, name: str) -> None:
    existing = await work.db.first(_BY_NAME, workspace_id=workspace_id, name=name)
    if existing is not None:
        message = "A channel of this workspace has this name already."
        raise Conflict(message, ProblemCode.ALREADY_EXISTS, (Kind.CHANNEL, existing.id))
