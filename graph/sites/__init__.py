"""Sites, pages, profiles and access in GraphQL."""

from .mutation import Mutation
from .profiles import ProfileMutation
from .types import Page, Profile, Query, Site

__all__ = ["Mutation", "Page", "Profile", "ProfileMutation", "Query", "Site"]
