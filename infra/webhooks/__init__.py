"""POSTs to addresses that people gave."""

from .poster import GuardedPoster

__all__ = ["GuardedPoster"]
