"""Making channels, changing, resuming and deleting them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import notifications
from domain.access import Permission
from domain.ids import Kind, decode
from domain.notifications import ChannelKind

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..sites.mutation import KEY, REPLAYED
from .types import Channel

URL = "Where a webhook or Slack's incoming webhook is. HTTPS or HTTP; redirects are not followed."
EMAILS = "For e-mail, 1 to 10 addresses."


@strawberry.input(description="A channel to make: say `url` for WEBHOOK and SLACK, `emails` for EMAIL.")
class ChannelCreateInput:
    workspace: strawberry.ID = strawberry.field(description="Whose alerts it is told of.")
    kind: ChannelKind = strawberry.field(description="By what it is told.")
    name: str = strawberry.field(description="Its name; no other channel of the workspace has it.")
    url: str | None = strawberry.field(default=None, description=URL)
    emails: list[str] | None = strawberry.field(default=None, description=EMAILS)
    everything: bool = strawberry.field(
        default=True, description="Whether it gets every alert; else what its routes say, of which it has none yet."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The channel was made.")
class ChannelCreatePayload:
    channel: Channel = strawberry.field(description="The channel.")
    secret: str | None = strawberry.field(
        description="What a webhook's messages are signed with, as Standard Webhooks writes it: shown here once. Null for "
        "other kinds, and where the channel was made before."
    )
    replayed: bool = strawberry.field(description=REPLAYED)


ChannelCreateResult = Annotated[
    ChannelCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("ChannelCreateResult", description="What becomes of `channelCreate`."),
]


@strawberry.input(description="What to change of a channel; what is left out stays, its secret too.")
class ChannelUpdateInput:
    channel: strawberry.ID = strawberry.field(description="Its id.")
    name: str | None = strawberry.field(default=None, description="Its new name.")
    url: str | None = strawberry.field(default=None, description=URL)
    emails: list[str] | None = strawberry.field(default=None, description=EMAILS)
    everything: bool | None = strawberry.field(
        default=None, description="Whether it gets every alert from now on, whatever its routes say."
    )
    paused: bool | None = strawberry.field(default=None, description="Whether nothing is sent to it from now on.")


@strawberry.type(description="The channel was changed.")
class ChannelUpdatePayload:
    channel: Channel = strawberry.field(description="The channel as it is now.")


ChannelUpdateResult = Annotated[
    ChannelUpdatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ChannelUpdateResult", description="What becomes of `channelUpdate`."),
]


@strawberry.input(description="A channel to forget.")
class ChannelDeleteInput:
    channel: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The channel is forgotten with its routes and deliveries; nothing that waited is sent.")
class ChannelDeletePayload:
    channel_id: strawberry.ID = strawberry.field(description="The id that it had.")


ChannelDeleteResult = Annotated[
    ChannelDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("ChannelDeleteResult", description="What becomes of `channelDelete`."),
]


@strawberry.input(description="A webhook whose secret is to be replaced.")
class ChannelRotateSecretInput:
    channel: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="There is a new secret; the one before it signs beside it for 24 hours.")
class ChannelRotateSecretPayload:
    channel: Channel = strawberry.field(description="The channel.")
    secret: str = strawberry.field(description="The new secret: shown here once.")
    former_until: datetime = strawberry.field(description="Until when the former one signs too.")


ChannelRotateSecretResult = Annotated[
    ChannelRotateSecretPayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ChannelRotateSecretResult", description="What becomes of `channelRotateSecret`."),
]


@strawberry.input(description="A paused channel that is to be told again.")
class ChannelResumeInput:
    channel: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The channel is told of what comes from now on.")
class ChannelResumePayload:
    channel: Channel = strawberry.field(description="The channel.")


ChannelResumeResult = Annotated[
    ChannelResumePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("ChannelResumeResult", description="What becomes of `channelResume`."),
]


def _id(id: strawberry.ID) -> UUID:
    return decode(Kind.CHANNEL, id, "channel")


def _changes(input: ChannelUpdateInput) -> dict[str, Any]:
    names = ("name", "url", "emails", "everything", "paused")
    return {name: getattr(input, name) for name in names if getattr(input, name) is not None}


@strawberry.type
class Mutation:
    @mutation("Let alerts be told somewhere.", Permission.CHANNEL_WRITE)
    async def channel_create(self, info: Info, input: ChannelCreateInput) -> ChannelCreateResult:
        async with info.context.work() as work:
            created = await notifications.create(
                work,
                workspace_id=decode(Kind.WORKSPACE, input.workspace, "workspace"),
                kind=input.kind,
                name=input.name,
                url=input.url,
                emails=input.emails,
                everything=input.everything,
                keyring=info.context.services.keyring,
                idempotency_key=input.idempotency_key,
            )
        channel = await made(info, Kind.CHANNEL, created.promised.id)
        return ChannelCreatePayload(channel=channel, secret=created.secret, replayed=created.promised.replayed)

    @mutation("Change a channel.", Permission.CHANNEL_WRITE)
    async def channel_update(self, info: Info, input: ChannelUpdateInput) -> ChannelUpdateResult:
        keyring = info.context.services.keyring
        async with info.context.work() as work:
            changes = _changes(input)
            id = await notifications.update(work, channel_id=_id(input.channel), changes=changes, keyring=keyring)
        return ChannelUpdatePayload(channel=await made(info, Kind.CHANNEL, id))

    @mutation("Forget a channel.", Permission.CHANNEL_WRITE)
    async def channel_delete(self, info: Info, input: ChannelDeleteInput) -> ChannelDeleteResult:
        async with info.context.work() as work:
            await notifications.delete(work, channel_id=_id(input.channel))
        return ChannelDeletePayload(channel_id=input.channel)

    @mutation("Replace the secret of a webhook.", Permission.CHANNEL_WRITE)
    async def channel_rotate_secret(self, info: Info, input: ChannelRotateSecretInput) -> ChannelRotateSecretResult:
        id, keyring = _id(input.channel), info.context.services.keyring
        async with info.context.work() as work:
            rotated = await notifications.rotate_secret(work, channel_id=id, keyring=keyring)
        channel = await made(info, Kind.CHANNEL, id)
        return ChannelRotateSecretPayload(channel=channel, secret=rotated.secret, former_until=rotated.former_until)

    @mutation("Let a paused channel be told again.", Permission.CHANNEL_WRITE)
    async def channel_resume(self, info: Info, input: ChannelResumeInput) -> ChannelResumeResult:
        async with info.context.work() as work:
            id = await notifications.resume(work, channel_id=_id(input.channel))
        return ChannelResumePayload(channel=await made(info, Kind.CHANNEL, id))
