"""The pipeline of an operation's text: bounded, measured, validated, and kept for the next who sends it."""

from .documents import Document, Documents
from .extension import Prepared
from .limits import Limits
from .measures import Measures, measure

__all__ = ["Document", "Documents", "Limits", "Measures", "Prepared", "measure"]
