"""Audits in GraphQL: asked for, watched, read."""

from .mutation import Mutation
from .series import Series
from .subscription import Subscription
from .types import Audit, Finding, Query, Run

__all__ = ["Audit", "Finding", "Mutation", "Query", "Run", "Series", "Subscription"]
