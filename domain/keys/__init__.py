"""API keys: how programs sign in."""

from .actions import issue
from .model import ApiKey, ApiKeyRow
from .queries import actor_for_key, by_ids

__all__ = ["ApiKey", "ApiKeyRow", "actor_for_key", "by_ids", "issue"]
