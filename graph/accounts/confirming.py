"""What comes before an account is touched: passwords looked at, mails counted, and answers that take as long as others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from domain import accounts

from ..context import Info

PASSWORD = 500
"""What it costs to have a password looked at."""

EVEN_SECONDS = 0.25
"""So long it takes at least to be told that a mail is on its way, whether one is or not."""


async def pay_for_mail(info: Info, email: str) -> None:
    services = info.context.services
    await accounts.pay_for_mail(
        services.cache, services.keyring, email=email, address=info.context.origin.address, now=datetime.now(UTC)
    )


async def confirmed_by(info: Info, user_id: UUID, password: str) -> str:
    """What `confirm` gives for the password of whoever is signed in, whose id this is. Raises InvalidInput and LimitReached."""
    services = info.context.services
    return await accounts.confirm(
        info.context.reader,
        services.passwords,
        services.cache,
        user_id=user_id,
        password=password,
        address=info.context.origin.address,
        now=datetime.now(UTC),
        keyring=services.keyring,
    )


@asynccontextmanager
async def evenly() -> AsyncIterator[None]:
    """It takes as long whether there is such an account or not."""
    time = asyncio.get_running_loop().time
    until = time() + EVEN_SECONDS
    yield
    await asyncio.sleep(max(0.0, until - time()))
