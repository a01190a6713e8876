"""API keys: how programs sign in."""

from .actions import Rotated, issue, revoke, rotate
from .model import ApiKey, ApiKeyRow
from .queries import KEYS, actor_for_key, by_ids, current
from .usage import Uses, used

__all__ = [
    "KEYS",
    "ApiKey",
    "ApiKeyRow",
    "Rotated",
    "Uses",
    "actor_for_key",
    "by_ids",
    "current",
    "issue",
    "revoke",
    "rotate",
    "used",
]
