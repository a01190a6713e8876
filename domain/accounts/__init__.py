"""People."""

from .actions import register
from .model import User, UserRow
from .queries import get

__all__ = ["User", "UserRow", "get", "register"]
