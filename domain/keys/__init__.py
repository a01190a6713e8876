"""API keys: how programs sign in."""

from .actions import issue, revoke
from .model import ApiKey, ApiKeyRow
from .queries import KEYS, actor_for_key, by_ids, current

__all__ = ["KEYS", "ApiKey", "ApiKeyRow", "actor_for_key", "by_ids", "current", "issue", "revoke"]
