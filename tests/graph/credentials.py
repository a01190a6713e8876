"""People who are really signed in; and keys and access tokens that were good once, with what ends each of them."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, update

from domain import accounts, documents, keys, workspaces
from domain.access import NOBODY, Actor, Role
from domain.accounts import SignedIn, Signing, SignInMethod
from domain.accounts.rules import mint_refresh_token
from domain.accounts.tokens import LEEWAY, LIFETIME
from domain.base import Base
from domain.documents import ClientMode
from domain.ids import new_id
from domain.keyring import Keyring
from domain.keys.rules import mint
from domain.work import Origin
from infra.db.database import SqlDatabase
from tests.databases import everybodys, new_workspace
from tests.domain.workspaces import people

HERE = Origin("192.0.2.1", "Firefox")
SESSIONS, SIGNING_KEYS = Base.metadata.tables["sessions"], Base.metadata.tables["signing_keys"]


class Former(NamedTuple):
    """What opens the API until `end`. `refresh` is the session's other token."""

    text: str
    end: Callable[[], Awaitable[object]]
    refresh: str = ""


@dataclass
class Installation:
    """Where people sign in and keys are issued; `owner` is that of the workspace."""

    database: SqlDatabase
    keyring: Keyring
    signing: Signing
    workspace_id: UUID
    owner: Actor

    async def sign_in(self, user_id: UUID) -> SignedIn:
        async with self.database.work(NOBODY, HERE) as work:
            method = SignInMethod.PASSWORD
            return await accounts.start_session(work, user_id=user_id, method=method, keyring=self.keyring)

    async def token(self, user_id: UUID) -> str:
        """An access token of somebody who has just signed in."""
        return (await self.signing.issue(user_id, (await self.sign_in(user_id)).session_id)).text

    async def formers(self) -> Mapping[str, Former]:
        """All of them good for now, by what will be said of them."""
        return {
            "an expired key": await self._expired_key(),
            "a revoked key": await self._revoked_key(),
            "a key that was replaced": await self._replaced_key(),
            "a key of a deleted workspace": await self._key_of_a_deleted_workspace(),
            "a key of a deleted client": await self._key_of_a_deleted_client(),
            "a key of somebody who has left": await self._key_of_who_left(),
            "a key of a deleted account": await self._key_of_a_deleted_account(),
            "a token of a revoked session": await self._of_a_revoked_session(),
            "a token of a session that is over": await self._of_a_session_that_is_over(),
            "a token of a deleted account": await self._of_a_deleted_account(),
        }

    async def nevers(self) -> Mapping[str, str]:
        """What was over before it was brought, or never was; made before `formers`, since another key signs from then on."""
        retired, person = await self._of_a_retired_key(), await self._person("late")
        late = datetime.now(UTC) - LIFETIME - LEEWAY - timedelta(seconds=1)
        expired = (await self.signing.tokens()).issue(person, (await self.sign_in(person)).session_id, late)
        return {"a token whose key is retired": retired, "an expired token": expired, "a key that never was": mint()}

    @staticmethod
    def never_refreshed() -> str:
        """A refresh token of no session."""
        return mint_refresh_token()

    async def _of_a_retired_key(self) -> str:
        token = await self.token(await self._person("retired"))
        async with self.database.work(NOBODY) as work:
            await accounts.rotate(work, keyring=self.keyring)
        await self.signing.read(token)
        now = datetime.now(UTC)
        is_next = SIGNING_KEYS.c.ends_at.is_(None)
        await self._change(update(SIGNING_KEYS).where(~is_next).values(ends_at=now))
        await self._change(update(SIGNING_KEYS).where(is_next).values(begins_at=now))
        self.signing._read_at = -math.inf  # as after half a minute
        return token

    async def _expired_key(self) -> Former:
        id, text = await self._key()
        expired = update(keys.ApiKey).where(keys.ApiKey.id == id).values(expires_at=_just_now())
        return Former(text, lambda: self._change(expired))

    async def _revoked_key(self) -> Former:
        id, text = await self._key()

        async def end() -> None:
            async with self.database.work(self.owner) as work:
                await keys.revoke(work, key_id=id)

        return Former(text, end)

    async def _replaced_key(self) -> Former:
        id, text = await self._key()

        async def end() -> None:
            async with self.database.work(self.owner) as work:
                await keys.rotate(work, key_id=id, overlap_hours=0, keyring=self.keyring)

        return Former(text, end)

    async def _key_of_a_deleted_workspace(self) -> Former:
        workspace_id, owner = await new_workspace(self.database, "elsewhere")
        _, text = await self._key(workspace_id=workspace_id, owner=owner)

        async def end() -> None:
            async with self.database.work(owner) as work:
                await workspaces.delete_workspace(work, workspace_id=workspace_id)

        return Former(text, end)

    async def _key_of_a_deleted_client(self) -> Former:
        async with self.database.work(self.owner) as work:
            given: dict[str, Any] = {"workspace_id": self.workspace_id, "name": "gone", "mode": ClientMode.OPEN}
            client_id = await documents.create_client(work, **given)
        _, text = await self._key(client_id=client_id)

        async def end() -> None:
            async with self.database.work(self.owner) as work:
                await documents.delete_client(work, client_id=client_id)

        return Former(text, end)

    async def _key_of_who_left(self) -> Former:
        user_id = await self._member("left")
        _, text = await self._key(user_id=user_id)

        async def end() -> None:
            async with self.database.work(self.owner) as work:
                await workspaces.remove_member(work, workspace_id=self.workspace_id, user_id=user_id)

        return Former(text, end)

    async def _key_of_a_deleted_account(self) -> Former:
        user_id = await self._member("deleted")
        _, text = await self._key(user_id=user_id)
        return Former(text, lambda: self._forget(user_id))

    async def _of_a_revoked_session(self) -> Former:
        user_id, there, text = await self._session("revoked")

        async def end() -> None:
            async with self.database.work(Actor(user_id=user_id, session_id=there.session_id)) as work:
                await accounts.revoke_session(work, session_id=there.session_id)

        return Former(text, end, there.refresh_token)

    async def _of_a_session_that_is_over(self) -> Former:
        _, there, text = await self._session("over")
        over = update(SESSIONS).where(SESSIONS.c.id == there.session_id).values(expires_at=_just_now())
        return Former(text, lambda: self._change(over), there.refresh_token)

    async def _of_a_deleted_account(self) -> Former:
        user_id, there, text = await self._session("gone")
        return Former(text, lambda: self._forget(user_id), there.refresh_token)

    async def _person(self, name: str) -> UUID:
        person = await people.person(self.database, f"{name}@people.example")
        assert person.user_id is not None
        return person.user_id

    async def _member(self, name: str) -> UUID:
        member = await people.join(self.database, self.workspace_id, f"{name}@members.example", Role.MEMBER)
        assert member.user_id is not None
        return member.user_id

    async def _session(self, name: str) -> tuple[UUID, SignedIn, str]:
        user_id = await self._person(name)
        there = await self.sign_in(user_id)
        return user_id, there, (await self.signing.issue(user_id, there.session_id)).text

    async def _key(self, *, workspace_id: UUID | None = None, owner: Actor | None = None, **whose: UUID) -> tuple[UUID, str]:
        id = new_id()
        given: dict[str, Any] = {"name": "ci", "role": Role.MEMBER, "key_id": id, "keyring": self.keyring, **whose}
        async with self.database.work(owner or self.owner) as work:
            return id, await keys.issue(work, workspace_id=workspace_id or self.workspace_id, **given)

    async def _forget(self, user_id: UUID) -> None:
        await self._change(delete(accounts.User).where(accounts.User.id == user_id))

    async def _change(self, statement: Any) -> None:
        async with everybodys(self.database) as connection:
            await connection.execute(statement)


def _just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)
