"""All that lies sealed in an installation's database is sealed anew under its secret of now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from domain import accounts, mails, notifications, security, sites
from domain.access import SYSTEM
from domain.ids import Kind, encode
from domain.keyring import Keyring
from domain.ports import Database

SEALED: Mapping[str, security.Sealed] = {
    "access to sites": sites.SEALED,
    "signing keys": accounts.SEALED,
    "channels": notifications.SEALED,
    "mails": mails.SEALED,
}

Told = Callable[[str, int, int], None]
"""Takes the kind, how many rows were looked at, and how many there are about."""


class Tally(NamedTuple):
    """What became of one kind. `lost`: which rows no secret opens."""

    kind: str
    anew: int
    current: int
    lost: Sequence[str]


async def reseal(database: Database, keyring: Keyring, told: Told) -> list[Tally]:
    """Each piece in a transaction of its own: whatever interrupts this, what was done stays done, and nothing is half done."""
    return [await _reseal(database, keyring, kind, sealed, told) for kind, sealed in SEALED.items()]


async def _reseal(database: Database, keyring: Keyring, kind: str, sealed: security.Sealed, told: Told) -> Tally:
    total = await security.number_of(database.reader, sealed)
    anew, current, lost, last = 0, 0, list[str](), None
    while True:
        told(kind, anew + current + len(lost), total)
        async with database.work(SYSTEM) as work:
            piece = await security.reseal(work, sealed, keyring, last)
        anew, current, last = anew + piece.anew, current + piece.current, piece.last
        lost += [_named(sealed, key) for key in piece.lost]
        if last is None:
            told(kind, anew + current + len(lost), total)
            return Tally(kind, anew, current, lost)


def _named(sealed: security.Sealed, key: Any) -> str:
    if sealed is sites.SEALED:
        return encode(Kind.SITE, key)
    if sealed is notifications.SEALED:
        return encode(Kind.CHANNEL, key)
    return mails.named(key) if sealed is mails.SEALED else str(key)
