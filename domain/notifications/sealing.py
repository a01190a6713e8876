"""What of a channel nobody may read: where it leads, and the secrets that sign. It is opened for a delivery only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ..keyring import CHANNELS, Keyring
from .rules import OVERLAP, ChannelKind

SECRET_BYTES = 32
PREFIX = "whsec_"


class Contents(NamedTuple):
    """`targets`: one URL, or e-mail addresses. Webhooks have a `secret`; `former` signs beside it until `former_until`."""

    targets: Sequence[str]
    secret: str | None = None
    former: str | None = None
    former_until: datetime | None = None


def new_contents(kind: ChannelKind, targets: Sequence[str]) -> Contents:
    return Contents(targets, new_secret() if kind is ChannelKind.WEBHOOK else None)


def new_secret() -> str:
    """As Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def rotated(contents: Contents, now: datetime) -> Contents:
    """With a new secret; of former ones the last alone signs for a while."""
    return Contents(contents.targets, new_secret(), contents.secret, now + OVERLAP)


def sealed(contents: Contents, keyring: Keyring) -> bytes:
    until = contents.former_until.isoformat() if contents.former_until else None
    plain = {**contents._asdict(), "targets": list(contents.targets), "former_until": until}
    return keyring.seal(json.dumps(plain).encode(), CHANNELS)


def opened(sealed: bytes, keyring: Keyring) -> Contents:
    """Raises Unsealed when it was sealed with secrets that are no longer known."""
    contents = Contents(**json.loads(keyring.open(sealed, CHANNELS)))
    until = contents.former_until
    return contents._replace(former_until=datetime.fromisoformat(until) if isinstance(until, str) else None)


def headers(contents: Contents, id: UUID, now: datetime, body: bytes) -> dict[str, str]:
    """Those of Standard Webhooks: the id stays the same each time that it is tried, the time is that of the try."""
    name, at = f"msg_{id.hex}", int(now.timestamp())
    keys = [contents.secret] if contents.secret else []
    if contents.former is not None and contents.former_until is not None and now < contents.former_until:
        keys.append(contents.former)
    signed = b"%s.%d.%s" % (name.encode(), at, body)
    signatures = " ".join(f"v1,{_signature(key, signed)}" for key in keys)
    return {"webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": signatures}


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
