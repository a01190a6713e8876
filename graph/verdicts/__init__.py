"""Verdicts in GraphQL."""

from .types import Verdict

__all__ = ["Verdict"]
