"""Deploys and annotations in GraphQL."""

from .mutation import Mutation
from .types import Annotation, Deploy

__all__ = ["Annotation", "Deploy", "Mutation"]
