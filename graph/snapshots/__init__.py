"""Snapshots in GraphQL."""

from .mutation import Mutation
from .types import Query, Snapshot

__all__ = ["Mutation", "Query", "Snapshot"]
