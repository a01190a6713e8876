"""Who asks, by an API key or signed in."""

from .queries import current, of_key, of_session

__all__ = ["current", "of_key", "of_session"]
