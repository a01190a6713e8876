"""The pipeline of an operation's text: known by its id, bounded, measured, validated, priced, and kept for the next."""

from .asked import Asked, asked
from .budgets import Budgets
from .documents import Document, Documents, Operation
from .limits import Limits
from .measures import Measures, measure
from .persisted import Named, Persisted
from .refusals import Rejected, away, rejection
from .registry import documents_of

__all__ = [
    "Asked",
    "Budgets",
    "Document",
    "Documents",
    "Limits",
    "Measures",
    "Named",
    "Operation",
    "Persisted",
    "Rejected",
    "asked",
    "away",
    "documents_of",
    "measure",
    "rejection",
]
