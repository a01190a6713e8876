"""Workspaces, who is in them, and whoever looks, in GraphQL."""

from .members import Invitation, Member
from .membership import MembershipMutation
from .mutation import Mutation
from .types import Workspace
from .viewer import Query, Viewer

__all__ = ["Invitation", "Member", "MembershipMutation", "Mutation", "Query", "Viewer", "Workspace"]
