"""The keys that sign access tokens: kept sealed, published before they sign, read until what they signed is good no more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, update

from ..access import SYSTEM
from ..base import Query, query
from ..keyring import TOKENS, Keyring
from ..ports import Database
from ..work import Work
from .model import SigningKeyRow, StoredSigningKey
from .tokens import LEEWAY, LIFETIME, Access, SigningKey, Tokens, Unreadable

PUBLISHED = timedelta(minutes=10)
"""So long a new key is published before it signs: whoever keeps the published ones has fetched them anew by then."""

FRESH_SECONDS = 30.0
"""What was read of the keys is good for so long."""

UNKNOWN_SECONDS = 5.0
"""How often a token of a key that is not known may make us look."""

_KEYS = Query(
    SigningKeyRow, query(SigningKeyRow, StoredSigningKey).statement.order_by(StoredSigningKey.begins_at, StoredSigningKey.id)
)


class Issued(NamedTuple):
    """An access token."""

    text: str
    expires_at: datetime


class Signing:
    """Of one process. `issuer` is the installation's address."""

    def __init__(self, database: Database, keyring: Keyring, issuer: str) -> None:
        self._database = database
        self._keyring = keyring
        self._issuer = issuer
        self._turn = asyncio.Lock()
        self._tokens: Tokens | None = None
        self._read_at = 0.0

    async def issue(self, user_id: UUID, session_id: UUID) -> Issued:
        now = datetime.now(UTC)
        return Issued((await self.tokens()).issue(user_id, session_id, now), now.replace(microsecond=0) + LIFETIME)

    async def read(self, token: str) -> Access:
        """Raises Unreadable, and DatabaseAway."""
        tokens = await self.tokens()
        try:
            return tokens.read(token, datetime.now(UTC))
        except Unreadable:
            again = await self.tokens(UNKNOWN_SECONDS)  # a key may have come since
            if again is tokens:
                raise
            return again.read(token, datetime.now(UTC))

    async def tokens(self, fresh_seconds: float = FRESH_SECONDS) -> Tokens:
        """As the keys stand now; the first one is made here. Raises DatabaseAway."""
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if self._tokens is None or now - self._read_at >= fresh_seconds:
                self._tokens, self._read_at = await self._looked(), now
            return self._tokens

    async def _looked(self) -> Tokens:
        rows = await self._database.reader.all(_KEYS)
        if not rows:
            async with self._database.work(SYSTEM) as work:
                await rotate(work, keyring=self._keyring)
            rows = await self._database.reader.all(_KEYS)
        return Tokens(in_order(rows, self._keyring, datetime.now(UTC)), self._issuer)


def in_order(rows: Sequence[SigningKeyRow], keyring: Keyring, now: datetime) -> list[SigningKey]:
    """Those that are good: the one that signs, those to come, and those that did. `rows` are by when they begin."""
    good = [row for row in rows if row.ends_at is None or row.ends_at > now]
    begun = [row for row in good if row.begins_at <= now]
    signing = begun[-1] if begun else good[0]
    others = [row for row in good if row is not signing]
    return [SigningKey(keyring.open(row.sealed, TOKENS).decode()) for row in (signing, *others)]


async def rotate(work: Work, *, keyring: Keyring) -> SigningKeyRow:
    """A new key, which signs as soon as it was published for long enough; those before are read until it has."""
    key = SigningKey.new()
    there = await work.db.all(_KEYS)
    begins = work.now + PUBLISHED if there else work.now
    ends = begins + LIFETIME + 2 * LEEWAY
    last = [row.id for row in there if row.ends_at is None]
    await work.db.execute(update(StoredSigningKey).where(StoredSigningKey.id.in_(last)).values(ends_at=ends))
    await work.db.execute(delete(StoredSigningKey).where(StoredSigningKey.ends_at < work.now))
    row = SigningKeyRow(key.id, keyring.seal(key.pem.encode(), TOKENS), work.now, begins, None)
    work.db.add(StoredSigningKey(**row._asdict()))
    await work.db.flush()
    return row
