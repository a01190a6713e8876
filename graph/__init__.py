"""What the API says in GraphQL, and how an operation is received and answered."""

from . import enums  # before any type names one of them: Strawberry registers an enum once

__all__ = ["enums"]
