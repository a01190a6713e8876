"""How many people may be invited in a while: each invitation is a mail to somebody who did not ask for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from .. import accounts
from ..caching import Bucket, Cache
from ..errors import LimitReached
from ..keyring import Keyring

PER_ADDRESS = Bucket(5, 5 / 86_400)
PER_WORKSPACE = Bucket(200, 200 / 86_400)

_PURPOSE = "limits"


async def pay_for_invitation(cache: Cache, keyring: Keyring, *, workspace_id: UUID, email: str, now: datetime) -> None:
    """Counted for the address, by whichever workspaces it is invited, and for the workspace. Raises LimitReached."""
    whose = {
        f"invitation:address:{keyring.digest(accounts.checked_email(email), _PURPOSE)}": PER_ADDRESS,
        f"invitation:workspace:{workspace_id.hex}": PER_WORKSPACE,
    }
    for key, bucket in whose.items():
        spent = await cache.spend(key, 1, bucket)
        if not spent.granted:
            message = "Too many invitations were sent, to this address or from this workspace: wait for a while."
            raise LimitReached(message, int(bucket.capacity), now + timedelta(seconds=spent.retry_after))
