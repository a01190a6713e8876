"""People and their sign-ins in GraphQL."""

from .mutation import Mutation
from .passwords import PasswordMutation
from .sessions import SessionMutation
from .types import Session, User

__all__ = ["Mutation", "PasswordMutation", "Session", "SessionMutation", "User"]
