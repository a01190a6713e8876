"""Sites, pages, profiles and access in GraphQL."""

from .mutation import Mutation
from .types import Page, Profile, Query, Site

__all__ = ["Mutation", "Page", "Profile", "Query", "Site"]
