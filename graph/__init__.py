"""What the API says in GraphQL, and how an operation is received and answered."""

from . import budget_enums, enums, snapshot_enums  # before any type names one of them: Strawberry registers an enum once

__all__ = ["budget_enums", "enums", "snapshot_enums"]
