"""Budgets in GraphQL."""

from .mutation import Mutation
from .types import Breach, Budget

__all__ = ["Breach", "Budget", "Mutation"]
