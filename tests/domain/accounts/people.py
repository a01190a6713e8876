"""People with verified accounts, the mails that they got, and a clock that is set."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import accounts, mails, security
from domain.access import NOBODY, Actor
from domain.accounts import Registration, SignedIn
from domain.base import Query
from domain.ids import new_id
from domain.keyring import MAIL, Keyring
from domain.mails import StoredMail
from domain.security import SecurityEntry
from domain.work import Origin
from infra.cache.memory import MemoryCache
from infra.db.database import SqlDatabase

KEYRING = Keyring([b"secret"])
BASE = "https://pacemark.test"
HOME = Origin("192.0.2.1", "Firefox")
ELSEWHERE = Origin("198.51.100.7", "curl")
EMAIL, PASSWORD = "ada@example.com", "correct horse battery"


class Mail(NamedTuple):
    template: str
    to: str
    values: dict[str, str]

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.values["link"]).query)["token"][0]


class _MailRow(NamedTuple):
    template: mails.Template
    sealed: bytes


class Entry(NamedTuple):
    kind: str
    user_id: UUID | None
    address: str
    details: dict[str, Any]


_MAILS: Query[_MailRow] = Query(_MailRow, select(StoredMail.template, StoredMail.sealed).order_by(StoredMail.id))
_LOG: Query[Entry] = Query(
    Entry,
    select(SecurityEntry.kind, SecurityEntry.user_id, SecurityEntry.address, SecurityEntry.details).order_by(SecurityEntry.id),
).beyond_reach("A test looks at all that was logged.")


@dataclass
class People:
    """`database` tells the time that `now` says."""

    database: SqlDatabase
    passwords: accounts.Passwords
    cache: MemoryCache = field(default_factory=MemoryCache)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    async def sign_up(
        self,
        email: str = EMAIL,
        *,
        name: str = "Ada",
        password: str = PASSWORD,
        registration: Registration = Registration.OPEN,
        invited: bool = False,
    ) -> None:
        hash = await self.passwords.hash(password)
        async with self.database.work(NOBODY, HOME) as work:
            await accounts.sign_up(
                work,
                email=email,
                name=name,
                password_hash=hash,
                registration=registration,
                invited=invited,
                cache=self.cache,
                keyring=KEYRING,
                base_url=BASE,
            )

    async def verify(self, token: str) -> UUID:
        async with self.database.work(NOBODY, HOME) as work:
            return await accounts.verify_email(work, token, keyring=KEYRING)

    async def person(self, email: str = EMAIL) -> UUID:
        """A verified one."""
        await self.sign_up(email)
        return await self.verify((await self.mails())[-1].token)

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, origin: Origin = HOME) -> SignedIn:
        return await accounts.sign_in(
            self.database,
            self.passwords,
            self.cache,
            email=email,
            password=password,
            origin=origin,
            now=self.now,
            keyring=KEYRING,
            base_url=BASE,
        )

    async def refresh(self, token: str, origin: Origin = HOME) -> SignedIn | None:
        async with self.database.work(NOBODY, origin) as work:
            return await accounts.refresh(work, token, keyring=KEYRING)

    async def confirm(self, user_id: UUID, password: str = PASSWORD) -> str:
        """By some session of theirs."""
        return await accounts.confirm(
            self.database,
            self.passwords,
            self.cache,
            actor=Actor(user_id=user_id, session_id=new_id()),
            password=password,
            origin=HOME,
            now=self.now,
            keyring=KEYRING,
        )

    async def live(self, *signed_in: SignedIn) -> list[bool]:
        ids = [each.session_id for each in signed_in]
        found = await accounts.live_sessions(self.database.reader, ids, self.now)
        return [id in found for id in ids]

    async def mails(self) -> Sequence[Mail]:
        found = []
        for row in await self.database.reader.all(_MAILS):
            said = json.loads(KEYRING.open(row.sealed, MAIL))
            found.append(Mail(str(row.template), said["to"], said["values"]))
        return found

    async def log(self) -> Sequence[Entry]:
        return await self.database.reader.all(_LOG)

    async def kinds(self) -> list[str]:
        return [str(security.SecurityKind(entry.kind)) for entry in await self.log()]


def actor_of(signed_in: SignedIn) -> Actor:
    return Actor(user_id=signed_in.user_id, session_id=signed_in.session_id)


@pytest.fixture
async def people(database: SqlDatabase) -> AsyncGenerator[People, None]:
    """On both databases."""
    passwords = accounts.Passwords()
    made = People(database, passwords)
    made.database = SqlDatabase(database.url, clock=lambda: made.now)
    yield made
    await made.database.close()
    passwords.close()
