"""Changing how pages are measured."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain import sites
from domain.access import Permission
from domain.ids import Kind, decode
from domain.measuring import EngineName, FormFactor, ThrottlingMethod
from domain.measuring import Throttling as Slowness

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from .mutation import KEY, REPLAYED
from .types import Profile


@strawberry.input(description="A slower network and processor; LIGHTHOUSE only.")
class ThrottlingInput:
    method: ThrottlingMethod = strawberry.field(description="How the slowness comes about.")
    rtt_ms: float = strawberry.field(default=0, description="Round-trip time in milliseconds, to 10,000.")
    throughput_kbps: float = strawberry.field(default=0, description="Throughput in kilobits a second.")
    cpu_slowdown: float = strawberry.field(default=1, description="How many times slower the processor is, 1 to 20.")


@strawberry.input(description="A way of measuring.")
class ProfileCreateInput:
    workspace: strawberry.ID = strawberry.field(description="Whose it is.")
    name: str = strawberry.field(description="Its name.")
    engine: EngineName = strawberry.field(description="What measures.")
    form_factor: FormFactor = strawberry.field(description="The device.")
    throttling: ThrottlingInput | None = strawberry.field(default=None, description="Else the form factor's preset.")
    runs: int = strawberry.field(default=3, description="How many runs an audit has, 1 to 20.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The profile can be used.")
class ProfileCreatePayload:
    profile: Profile = strawberry.field(description="The profile.")
    replayed: bool = strawberry.field(description=REPLAYED)


ProfileCreateResult = Annotated[
    ProfileCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("ProfileCreateResult", description="What becomes of `profileCreate`."),
]


@strawberry.input(description="What to change of a profile. A changed way of measuring is a new version of it.")
class ProfileUpdateInput:
    profile: strawberry.ID = strawberry.field(description="Its id.")
    name: str | None = strawberry.field(default=None, description="Its new name.")
    form_factor: FormFactor | None = strawberry.field(default=None, description="The device from now on.")
    throttling: ThrottlingInput | None = strawberry.field(
        default=strawberry.UNSET, description="The slowness from now on; null for the form factor's preset."
    )
    runs: int | None = strawberry.field(default=None, description="How many runs from now on.")


@strawberry.type(description="The profile was changed.")
class ProfileUpdatePayload:
    profile: Profile = strawberry.field(description="The profile as it is now.")


ProfileUpdateResult = Annotated[
    ProfileUpdatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ProfileUpdateResult", description="What becomes of `profileUpdate`."),
]


@strawberry.input(description="A profile to forget; one that was used stays for its results' sake.")
class ProfileDeleteInput:
    profile: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The profile is forgotten.")
class ProfileDeletePayload:
    profile_id: strawberry.ID = strawberry.field(description="The id that it had.")


ProfileDeleteResult = Annotated[
    ProfileDeletePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ProfileDeleteResult", description="What becomes of `profileDelete`."),
]


def _slowness(input: ThrottlingInput | None) -> Slowness | None:
    return Slowness(input.method, input.rtt_ms, input.throughput_kbps, input.cpu_slowdown) if input else None


@strawberry.type
class ProfileMutation:
    @mutation("Make a way of measuring.", Permission.PROFILE_WRITE)
    async def profile_create(self, info: Info, input: ProfileCreateInput) -> ProfileCreateResult:
        settings = sites.ProfileSettings(input.engine, input.form_factor, _slowness(input.throttling), input.runs)
        async with info.context.work() as work:
            promised = await sites.create_profile(
                work,
                workspace_id=decode(Kind.WORKSPACE, input.workspace, "workspace"),
                name=input.name,
                settings=settings,
                idempotency_key=input.idempotency_key,
            )
        profile = await made(info, Kind.PROFILE, promised.id)
        return ProfileCreatePayload(profile=profile, replayed=promised.replayed)

    @mutation("Change a way of measuring, or its name.", Permission.PROFILE_WRITE)
    async def profile_update(self, info: Info, input: ProfileUpdateInput) -> ProfileUpdateResult:
        changes: dict[str, object] = {"form_factor": input.form_factor, "runs": input.runs}
        if input.throttling is not strawberry.UNSET:
            changes["throttling"] = _slowness(input.throttling)
        async with info.context.work() as work:
            id = await sites.update_profile(
                work,
                profile_id=decode(Kind.PROFILE, input.profile, "profile"),
                name=input.name,
                changes={name: value for name, value in changes.items() if value is not None or name == "throttling"},
            )
        return ProfileUpdatePayload(profile=await made(info, Kind.PROFILE, id))

    @mutation("Forget a way of measuring.", Permission.PROFILE_WRITE)
    async def profile_delete(self, info: Info, input: ProfileDeleteInput) -> ProfileDeleteResult:
        async with info.context.work() as work:
            await sites.delete_profile(work, profile_id=decode(Kind.PROFILE, input.profile, "profile"))
        return ProfileDeletePayload(profile_id=input.profile)
