"""Alerts in GraphQL."""

from .mutation import Mutation
from .types import Alert

__all__ = ["Alert", "Mutation"]
