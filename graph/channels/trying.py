"""Testing a channel, and trying again what was not taken."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain import notifications
from domain.access import Permission
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, NotAllowed, NotFound, mutation
from ..node import made
from .types import Delivery


@strawberry.input(description="A channel to test.")
class ChannelTestInput:
    channel: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="A test is on its way; it is tried once. What comes of it is seen in the delivery.")
class ChannelTestPayload:
    delivery: Delivery = strawberry.field(description="The test.")


ChannelTestResult = Annotated[
    ChannelTestPayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ChannelTestResult", description="What becomes of `channelTest`."),
]


@strawberry.input(description="A delivery to try again.")
class DeliveryRetryInput:
    delivery: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="It is tried at once, and as often as if it were new.")
class DeliveryRetryPayload:
    delivery: Delivery = strawberry.field(description="The delivery.")


DeliveryRetryResult = Annotated[
    DeliveryRetryPayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("DeliveryRetryResult", description="What becomes of `deliveryRetry`."),
]


@strawberry.type
class DeliveryMutation:
    @mutation("Tell a channel something, to see whether it works; also where it is paused.", Permission.CHANNEL_WRITE)
    async def channel_test(self, info: Info, input: ChannelTestInput) -> ChannelTestResult:
        async with info.context.work() as work:
            id = await notifications.test(work, channel_id=decode(Kind.CHANNEL, input.channel, "channel"))
        return ChannelTestPayload(delivery=await made(info, Kind.DELIVERY, id))

    @mutation("Try again what a channel did not take.", Permission.CHANNEL_WRITE)
    async def delivery_retry(self, info: Info, input: DeliveryRetryInput) -> DeliveryRetryResult:
        async with info.context.work() as work:
            id = await notifications.retry(work, delivery_id=decode(Kind.DELIVERY, input.delivery, "delivery"))
        return DeliveryRetryPayload(delivery=await made(info, Kind.DELIVERY, id))
