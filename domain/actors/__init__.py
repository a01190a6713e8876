"""Who asks, by an API key or signed in."""

from .queries import afresh, current, of_key, of_session

__all__ = ["afresh", "current", "of_key", "of_session"]
