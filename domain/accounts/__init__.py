"""People: how they sign in, and where they are signed in."""

from .actions import register
from .model import LinkKind, SessionRow, SignInMethod, User, UserRow
from .passwords import Passwords
from .queries import get, live_sessions
from .signing import PUBLISHED, Issued, Signing, rotate
from .tokens import Access, SigningKey, Tokens, Unreadable

__all__ = [
    "PUBLISHED",
    "Access",
    "Issued",
    "LinkKind",
    "Passwords",
    "SessionRow",
    "SignInMethod",
    "Signing",
    "SigningKey",
    "Tokens",
    "Unreadable",
    "User",
    "UserRow",
    "get",
    "live_sessions",
    "register",
    "rotate",
]
