"""What comes before an account is touched: passwords looked at, mails counted, and answers that take as long as others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from domain import accounts
from domain.access import Actor
from domain.errors import InvalidInput

from ..context import Info

PASSWORD = 500
"""What it costs to have a password looked at."""

EVEN_SECONDS = 0.25
"""So long it takes at least to be told that a mail is on its way, whether one is or not, and that a sign-in is refused."""


async def pay_for_mail(info: Info, email: str, *, is_new: bool = False) -> None:
    services, now = info.context.services, datetime.now(UTC)
    address = info.context.origin.address
    await accounts.pay_for_mail(services.cache, services.keyring, email=email, address=address, now=now, is_new=is_new)


async def confirmed_by(info: Info, actor: Actor, password: str) -> str:
    """What `confirm` gives for the password of whoever asks, signed in. Raises NotAllowed, InvalidInput and LimitReached."""
    services = info.context.services
    return await accounts.confirm(
        services.database,
        services.passwords,
        services.cache,
        actor=actor,
        password=password,
        origin=info.context.origin,
        now=datetime.now(UTC),
        keyring=services.keyring,
    )


@asynccontextmanager
async def evenly() -> AsyncIterator[None]:
    """It takes as long whether there is such an account or not."""
    rest = _rest()
    yield
    await asyncio.sleep(rest())


@asynccontextmanager
async def refused_evenly() -> AsyncIterator[None]:
    """A refusal takes as long whether a mail was written with it or not."""
    rest = _rest()
    try:
        yield
    except InvalidInput:
        await asyncio.sleep(rest())
        raise


def _rest() -> Callable[[], float]:
    time = asyncio.get_running_loop().time
    until = time() + EVEN_SECONDS
    return lambda: max(0.0, until - time())
