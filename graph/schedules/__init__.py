"""Schedules in GraphQL."""

from .mutation import Mutation
from .types import Schedule

__all__ = ["Mutation", "Schedule"]
