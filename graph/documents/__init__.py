"""API clients and their documents in GraphQL."""

from .checking import check, check_all, told
from .mutation import Mutation
from .types import ApiClient, Document

__all__ = ["ApiClient", "Document", "Mutation", "check", "check_all", "told"]
